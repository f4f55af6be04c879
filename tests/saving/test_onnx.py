"""ONNX files: checked by onnx, run by onnxruntime, compared with `predict`."""

import numpy as np
import pytest

from tinynet import Input, Model, Sequential
from tinynet import layers as ly
from tinynet.saving.onnx.export import CONVERTERS, OPSET

from layers.cases import CASES, make

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'tinynet[onnx]'")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
FIRST = "channels_first"

IMAGES = {
    "conv": lambda: ly.Conv2D(6, 3, activation="relu"),
    "conv same strided": lambda: ly.Conv2D(6, 3, strides=2, padding="same", activation="gelu"),
    "conv dilated": lambda: ly.Conv2D(6, 3, dilation_rate=2, padding="same"),
    "conv groups": lambda: ly.Conv2D(6, (2, 3), groups=2, use_bias=False),
    "conv first": lambda: ly.Conv2D(6, 3, data_format=FIRST, padding="same"),
    "depthwise": lambda: ly.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2),
    "separable": lambda: ly.SeparableConv2D(5, 3, activation="silu"),
    "transpose same": lambda: ly.Conv2DTranspose(5, 3, strides=2, padding="same"),
    "transpose gaps": lambda: ly.Conv2DTranspose(5, 2, strides=3, padding="valid"),
    "transpose padded": lambda: ly.Conv2DTranspose(5, 3, strides=2, padding="same", output_padding=1),
    "transpose first": lambda: ly.Conv2DTranspose(5, 3, strides=2, data_format=FIRST),
    "transpose dilated": lambda: ly.Conv2DTranspose(5, 3, dilation_rate=2, padding="same"),
    "max same": lambda: ly.MaxPooling2D(3, 2, "same"),
    "max": lambda: ly.MaxPooling2D((2, 3)),
    "average same": lambda: ly.AveragePooling2D(3, 2, "same"),
    "average first": lambda: ly.AveragePooling2D(2, data_format=FIRST),
    "global average": lambda: ly.GlobalAveragePooling2D(keepdims=True),
    "global max": lambda: ly.GlobalMaxPooling2D(data_format=FIRST),
    "batch norm": lambda: ly.BatchNormalization(),
    "batch norm first": lambda: ly.BatchNormalization(axis=1),
    "batch norm axes": lambda: ly.BatchNormalization(axis=[1, 2], scale=False),
    "layer norm axes": lambda: ly.LayerNormalization(axis=[1, 3]),
    "layer norm": lambda: ly.LayerNormalization(scale=False),
    "group norm": lambda: ly.GroupNormalization(2),
    "group norm first": lambda: ly.GroupNormalization(3, axis=1),
    "rms norm": lambda: ly.RMSNormalization(),
    "unit norm": lambda: ly.UnitNormalization(axis=[1, 2]),
    "rescaling": lambda: ly.Rescaling(2.0, [1.0, 2.0, 3.0, 4.0]),
    "normalization": lambda: ly.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 2.0, 3.0, 4.0]),
    "normalization invert": lambda: ly.Normalization(axis=None, mean=1.0, variance=4.0, invert=True),
    "relu": lambda: ly.ReLU(2.0, 0.1, 0.3),
    "leaky": lambda: ly.LeakyReLU(0.2),
    "prelu": lambda: ly.PReLU("uniform"),
    "prelu shared": lambda: ly.PReLU("uniform", shared_axes=[1, 2]),
    "elu": lambda: ly.ELU(0.5),
    "softmax": lambda: ly.Softmax(),
    "softmax axes": lambda: ly.Softmax((1, 2)),
    "flatten": lambda: ly.Flatten(),
    "flatten first": lambda: ly.Flatten(FIRST),
    "reshape": lambda: ly.Reshape((-1, 4)),
    "permute": lambda: ly.Permute((3, 1, 2)),
    "padding": lambda: ly.ZeroPadding2D(((1, 2), (0, 3))),
    "cropping": lambda: ly.Cropping2D(((1, 2), (0, 3))),
    "upsampling": lambda: ly.UpSampling2D((2, 3)),
    "bilinear": lambda: ly.UpSampling2D(2, interpolation="bilinear"),
    "upsampling first": lambda: ly.UpSampling2D(2, data_format=FIRST),
    "dropout": lambda: ly.Dropout(0.4),
    "noise": lambda: ly.GaussianNoise(0.3),
    "flip": lambda: ly.RandomFlip(),
    "rrelu": lambda: ly.RReLU(),
    "dense": lambda: ly.Dense(3, "selu"),
}
SEQUENCES = {
    "conv causal": lambda: ly.Conv1D(5, 3, padding="causal", dilation_rate=2),
    "conv strided": lambda: ly.Conv1D(5, 3, strides=2, padding="same"),
    "max": lambda: ly.MaxPooling1D(2),
    "average": lambda: ly.AveragePooling1D(3, 2, "same"),
    "global max": lambda: ly.GlobalMaxPooling1D(),
    "padding": lambda: ly.ZeroPadding1D(2),
    "cropping": lambda: ly.Cropping1D((1, 2)),
    "upsampling": lambda: ly.UpSampling1D(2),
    "dropout": lambda: ly.SpatialDropout1D(0.2),
}
ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "linear",
    "log_sigmoid", "log_softmax", "mish", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
    "softsign", "tanh", "tanh_shrink",
]  # fmt: skip


def data(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def compare(model, path, *inputs, rtol=1e-4):
    """The file, run on `inputs` and on a part of them, gives what `predict` gives."""
    rng = np.random.default_rng(1)
    model.set_weights(
        [
            w + np.abs(rng.normal(size=w.shape)) * 0.3 if w.dtype.kind == "f" else w
            for w in model.get_weights()
        ]
    )
    model.export(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = runtime.InferenceSession(path)
    for count in (len(inputs[0]), 2):
        given = [x[:count] for x in inputs]
        found = session.run(None, {one.name: x for one, x in zip(session.get_inputs(), given, strict=True)})
        wanted = model.predict(given if len(given) > 1 else given[0], verbose=0)
        wanted = (
            list(wanted.values())
            if isinstance(wanted, dict)
            else wanted
            if isinstance(wanted, list)
            else [wanted]
        )
        for a, b in zip(found, wanted, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-5)
    return session


@pytest.mark.parametrize("name", IMAGES)
def test_layers_of_images(name, tmp_path):
    compare(Sequential([Input((9, 8, 4)), IMAGES[name]()]), tmp_path / "net.onnx", data(5, 9, 8, 4))


@pytest.mark.parametrize("length", [9, None])
@pytest.mark.parametrize("name", SEQUENCES)
def test_layers_of_sequences(name, length, tmp_path):
    compare(Sequential([Input((length, 4)), SEQUENCES[name]()]), tmp_path / "net.onnx", data(5, 9, 4))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, tmp_path):
    compare(Sequential([Input((7,)), ly.Activation(name)]), tmp_path / "net.onnx", 3 * data(5, 7))


def test_a_graph_of_everything(tmp_path):
    image, vector = Input((9, 8, 4), name="image"), Input((7,), name="vector")
    shared, inner = ly.Dense(6), Sequential([Input((6,)), ly.Dense(6, "tanh")])
    b = ly.Add()([image, ly.Conv2D(4, 3, padding="same")(image)]) * 2.0 + 1.0
    d = ly.Concatenate()([inner(shared(ly.Flatten()(b))), ly.Dense(6)(vector)])
    e = ly.Dot(1, normalize=True)([ly.Dense(3)(d), ly.Dense(3)(vector)])
    f = ly.Average()(
        [inner(ly.Dense(6)(vector)), ly.Dense(6)(d), ly.Minimum()([shared(ly.Flatten()(b)), ly.Dense(6)(d)])]
    )
    g = ly.Subtract()([ly.Maximum()([b, image]), ly.Multiply()([image, b])])
    h = ly.Add()([ly.RepeatVector(2)(e), -abs(e)])
    model = Model([image, vector], {"e": e, "f": f, "g": g, "h": h})
    session = compare(model, tmp_path / "net.onnx", data(5, 9, 8, 4), data(5, 7), rtol=1e-3)
    assert [one.name for one in session.get_inputs()] == ["image", "vector"]
    assert [one.name for one in session.get_outputs()] == ["e", "f", "g", "h"]
    assert session.get_inputs()[0].shape == ["batch", 9, 8, 4]


def test_integers_and_unknown_sizes(tmp_path):
    x = Input((6,), dtype="int32")
    numbers = np.arange(30, dtype=np.int32).reshape(5, 6) % 10
    compare(Model(x, ly.Dense(2)(ly.Embedding(10, 4)(x))), tmp_path / "a.onnx", numbers)
    convolutions = [
        ly.Conv2D(3, 3, padding="same"),
        ly.MaxPooling2D(2),
        ly.Conv2D(3, 3, strides=2, padding="same"),
    ]
    compare(
        Sequential([Input((None, None, 2)), *convolutions, ly.GlobalMaxPooling2D()]),
        tmp_path / "b.onnx",
        data(3, 9, 11, 2),
    )


def test_what_has_no_counterpart_is_named(tmp_path):
    class Own(ly.Layer):
        def call(self, x):
            return x

    for layer, match in [
        (ly.Lambda(lambda x: x + 1, name="plus"), "'plus'.*no counterpart"), (Own(name="own"), (
            "'own'.*no "
            "counterpart"
        )),
        (ly.Activation(lambda x: x, name="act"), "'act'.*no counterpart"),
        (ly.UpSampling2D(2, interpolation="bicubic"), "bicubic"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            Sequential([Input((4, 4, 1)), layer]).export(tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=r"named \.onnx"):
        Sequential([Input((4,)), ly.Dense(1)]).export(tmp_path / "net.pb")
    with pytest.raises(ValueError, match="format"):
        Sequential([Input((4,)), ly.Dense(1)]).export(tmp_path / "net.onnx", format="tf_saved_model")
    with pytest.raises(ValueError, match="input shape"):
        Sequential([ly.Dense(1)]).export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(set(CASES) & set(CONVERTERS)))
def test_a_layer_that_has_a_converter_is_exported_and_agrees(name, tmp_path):
    layer, x = make(name, None)
    kind = "int32" if CASES[name].ids else "float32"
    arrays = [one.astype(kind) for one in (x if isinstance(x, list) else [x])]
    inputs = [Input(one.shape[1:], dtype=one.dtype) for one in arrays]
    model = Model(inputs, layer(inputs if isinstance(x, list) else inputs[0]))
    compare(model, tmp_path / "net.onnx", *arrays)


def test_every_converter_is_of_a_layer():
    assert set(CONVERTERS) <= {*CASES, "Operation"}  # which x + y of symbolic tensors makes
    assert OPSET == 18


def test_a_layer_may_have_no_converter(tmp_path, monkeypatch):
    monkeypatch.delitem(CONVERTERS, "Dense")
    model = Sequential([Input((4,)), ly.Dense(2, name="head")])
    with pytest.raises(ValueError, match=r"'head'.*no counterpart in ONNX.*expected.*converter.*Model\("):
        model.export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
