"""What a load may cost: 64 MB and 40 bytes for each byte of the file,
and little time; and files made by hand to cost more.
"""

import io
import json
import time
import tracemalloc
import zipfile

from hostile_files import put_together

ALLOWED, EACH = 64 << 20, 40
SECONDS = 10


def cost(load, *args, size):
    """(what came of load(*args), its memory at the peak, seconds);
    fails if it took more than `size` bytes allow.
    """
    tracemalloc.start()
    begin = time.monotonic()
    try:
        outcome = _outcome(load, *args)
        seconds, peak = time.monotonic() - begin, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= ALLOWED + EACH * size, f"{peak:,} bytes for {size:,}: {outcome!r}"[:500]
    assert seconds <= SECONDS, f"{seconds:.1f} s: {outcome!r}"[:500]
    return outcome


def _outcome(load, *args):
    try:
        return load(*args)
    except Exception as error:
        return error.with_traceback(None)


def layer(kind, /, **config):
    return {"class_name": kind, "config": config}


def function(name, **arguments):
    return layer("Lambda", function=name, arguments=arguments)


def after(shape, *entries):
    """A Sequential of these layers on inputs of `shape`, the batch first."""
    return {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [layer("InputLayer", batch_shape=shape), *entries]},
    }


BIG, WIDE = 1 << 24, 1 << 22
ROW = [0.0] * 60_000
DESCRIPTIONS = {
    # Functions whose output explodes
    "take": after([None, BIG, 3], function("take", indices=[0] * 8, axis=1)),
    "take flat": after([None, BIG, 8], function("take", indices=[[0] * 50] * 50)),
    "outer product": after([None, BIG, 1], function("multiply", x2=[ROW[:3000]])),
    "outer sum": after([None, 1 << 20, 1], function("add", x2=[[ROW[:100]] * 10])),
    "maximum": after([None, 1 << 20, 1], function("maximum", x2=[ROW[:500]])),
    "where": after([None, BIG], function("cast", dtype="bool"),
                   function("where", x1=[[[0.0]] * 9] * 9, x2=1.0)),
    "getitem": after([None, BIG], function("getitem", index=[0] * 5000)),
    "getitem twice": after([2, BIG], function("getitem", index=[[[0] * 50] * 50])),
    "softmax": after([None, 1 << 26], function("softmax")),
    "softmax of many": after([None, BIG, 16], function("softmax", axis=[0, 1])),
    "square": after([None, BIG, 16], layer("Lambda", function="square", dtype="float64")),
    "matmul": after([None, BIG, 1], function("matmul", x2=[ROW[:900]])),
    "dot": after([None, 1 << 14, 1 << 14], function("dot", x2=[[0.0]])),
    "logsumexp": after([None, BIG, 16], function("logsumexp", axis=1)),
    "moments": after([None, BIG, 16], function("moments", axes=[1])),
    "norm": after([None, BIG, 16], function("norm")),
    "sparsemax": after([None, BIG, 16], function("sparsemax")),
    "flip": after([None, BIG, 16], function("flip")),
    "stack": after([BIG, 1], function("stack")),
    "concatenate": after([BIG, 1], function("concatenate", axis=0)),
    "chain": after([None, BIG], *[function("expand_dims", axis=1)] * 5,
                   *[function("add", x2=[[0.0] * 8] * 8)] * 2),
    (
        "function in an "
        "object"
    ): after([None, 3], layer("Lambda", function={"function": "tile"}, arguments={"repeats": 1 << 30})),
    "tile": after([None, 3], function("tile", repeats=[1, 1 << 30])),
    "repeat": after([None, 3], function("repeat", repeats=1 << 30, axis=1)),
    "one_hot": after([None, 3], function("one_hot", num_classes=1 << 30)),
    "pad": after([None, 3], function("pad", pad_width=1 << 30)),
    "ones": after([3, 3], function("ones")),
    "full_like": after([None, BIG, 16], function("full_like", fill_value=ROW[:16])),
    "unstack": after([None, BIG], function("unstack", axis=1)),
    "split": after([None, BIG], function("split", indices_or_sections=BIG, axis=1)),
    "resize": after([None, 3, 3, 1], function("resize_images", size=[1 << 15, 1 << 15])),
    "shape by ones": after([32, BIG, 3], layer("Lambda", function="relu", output_shape="ones")),
    (
        "shape by an "
        "object"
    ): after([32, BIG, 3], layer("Lambda", function="relu", output_shape={"function": "zeros"})),
    "shape in numbers": after([None, 3], layer("Lambda", function="relu", output_shape=[1 << 40, -5, None])),
    "glu": after([None, BIG, 16], layer("Activation", activation="glu")),
    "affine_warp": after([None, 1 << 13, 1 << 13, 1], function("affine_warp", maps=[[0.0] * 6] * 2)),
    # Layers in place of functions
    "embedding as activation": after(
        [None, 3], layer("Dense", units=1, activation=layer("Embedding", input_dim=1 << 20,
                                                            output_dim=1 << 10))
    ),
    "dense as activation": after([None, 1 << 12], layer("Activation",
                                                        activation=layer("Dense", units=1 << 20))),
    "model as activation": after(
        [None, 3], layer("Dense", units=2, activation=after([None, 2], layer("Dense", units=1 << 26)))
    ),
    "class as activation": after([None, 3], layer("Dense", units=1, activation="Dense")),
    (
        "lambda as "
        "activation"
    ): after([None, BIG], layer("Activation", activation=function("multiply", x2=[[ROW[:900]] * 9]))),
    "convolution as activation": after(
        [None, 8, 8, 1], layer("Conv2D", filters=1, kernel_size=1,
                               activation=layer("Conv2D", filters=1 << 20, kernel_size=8))
    ),
    "prelu as activation": after([None, 3], layer("Dense", units=1 << 22, use_bias=False,
                                                  activation=layer("PReLU"))),
    # Sizes
    "dense": after([None, BIG], layer("Dense", units=BIG)),
    "dense small": after([None, 3], layer("Dense", units=1 << 27)),
    "denses": after([None, 1 << 10], *[layer("Dense", units=1 << 10)] * 400),
    "embedding": after([None, 3], layer("Embedding", input_dim=1 << 27, output_dim=1 << 27)),
    "convolution": after([None, 8, 8, 1 << 12], layer("Conv2D", filters=1 << 12, kernel_size=64,
                                                      padding="same")),
    "transposed": after([None, 8, 8, 1], layer("Conv2DTranspose", filters=1, kernel_size=1 << 13,
                                               strides=1 << 13)),
    "depthwise": after([None, 8, 8, 1 << 14], layer("DepthwiseConv2D", kernel_size=8,
                                                    depth_multiplier=1 << 10)),
    "zero padding": after([None, 3, 3, 1], layer("ZeroPadding2D", padding=10**6)),
    "zero padding flat": after([None, 3, 1], layer("ZeroPadding1D", padding=1 << 26), layer("Flatten")),
    "up": after([None, 3, 3, 1], layer("UpSampling2D", size=1 << 20)),
    "up, up": after([None, 3, 3, 1], *[layer("UpSampling2D", size=16)] * 12),
    "repeated": after([None, 3], layer("RepeatVector", n=1 << 27)),
    "reshaped": after([None, 4], layer("Reshape", target_shape=[1 << 27, -1])),
    "reshaped by none": after([None, 4], layer("Reshape", target_shape=[-1, 1 << 40])),
    "reshaped deep": after([None, 4], layer("Reshape", target_shape=[1] * 500)),
    "input": after([None, BIG, BIG], layer("Flatten")),
    "input deep": after([None, *[2] * 5000], layer("Flatten")),
    "batch": after([1 << 60, 3], layer("Flatten"), function("square")),
    "normalization": after([None, 1 << 13, 1 << 13], layer("Normalization", axis=[1, 2], mean=0.0,
                                                           variance=1.0)),
    "batch normalization": after([None, BIG, 8], layer("BatchNormalization", axis=[1, 2])),
    "layer normalization": after([None, BIG, 8], layer("LayerNormalization", axis=[1, 2])),
    "group normalization": after([None, BIG, 8], layer("GroupNormalization", groups=-1, axis=1)),
    "prelu": after([None, BIG, 8], layer("PReLU")),
    "constant": after([None, 1 << 13, 1], layer("Operation", operator="add", constant=[ROW[:1000]])),
    "product": after([None, 1 << 13, 1], layer("Operation", operator="matmul", constant=[ROW[:9000]])),
    "rescaling": after([None, BIG, 1], layer("Rescaling", scale=[ROW[:5000]])),
    "rotation": after([None, 1 << 13, 1 << 13, 1], layer("RandomRotation", factor=0.5)),
    "dropout": after([None, BIG, 8], layer("Dropout", rate=0.5, noise_shape=[1, 1 << 40])),
    "noise": after([None, BIG, 8], layer("GaussianNoise", stddev=1.0)),
    "pooling": after([None, 1 << 13, 1 << 13, 1], layer("MaxPooling2D", pool_size=1 << 12, strides=1,
                                                        padding="same")),
    "separable": after([None, 8, 8, 1 << 12], layer("SeparableConv2D", filters=1 << 14, kernel_size=9,
                                                    padding="same")),
    # Many, deep, round
    "layers": after([None, 3], *[layer("Flatten")] * 3000),
    "lambdas": after([None, 1 << 20], *[function("square")] * 300),
    "models": after([None, 3], *[after([None, 3], *[layer("ReLU")] * 40)] * 40),
    "initializers": after([None, 3], layer("Dense", units=3,
                                           kernel_initializer=layer("Constant", value=[ROW[:300]] * 300))),
}  # fmt: skip


def deep(times):
    """A description in a description, and so on."""
    entry = layer("ReLU")
    for _ in range(times):
        entry = {"class_name": "Sequential", "config": {"name": "s", "layers": [entry]}}
    return entry


def deep_activation(times):
    entry: object = "relu"
    for _ in range(times):
        entry = layer("Activation", activation=entry)
    return after([None, 3], entry)


def packed(members, method=zipfile.ZIP_STORED):
    """The bytes of an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data if isinstance(data, bytes | str) else json.dumps(data))
    return buffer.getvalue()


def native(description):
    """The bytes of a .tinynet file that holds no arrays."""
    rest = {"built_for": None, "frozen": [], "compile": None, "optimizer": None, "draws": {}}
    return put_together({}, {"format": 2, "tinynet": "1", "model": description, **rest}, b"")
