"""Layers that move, pad, cut, repeat, scale or look up."""

import numpy as np

from keras_fixtures.cases.nets import fitted, layer_trained
from keras_fixtures.harness import case, cases

FIRST = {"data_format": "channels_first"}
IMAGES = {
    "padding": lambda L, **f: L.ZeroPadding2D(**f),
    "padding_pair": lambda L, **f: L.ZeroPadding2D((2, 0), **f),
    "padding_sides": lambda L, **f: L.ZeroPadding2D(((1, 0), (0, 2)), **f),
    "cropping": lambda L, **f: L.Cropping2D(1, **f),
    "cropping_pair": lambda L, **f: L.Cropping2D((2, 1), **f),
    "cropping_sides": lambda L, **f: L.Cropping2D(((1, 0), (0, 2)), **f),
    "up": lambda L, **f: L.UpSampling2D(**f),
    "up_pair": lambda L, **f: L.UpSampling2D((1, 3), **f),
    "up_bilinear": lambda L, **f: L.UpSampling2D((2, 3), interpolation="bilinear", **f),
    "flatten": lambda L, **f: L.Flatten(**f),
}
OTHERS = {
    "permute": lambda L: L.Permute((3, 1, 2)),
    "permute_rows": lambda L: L.Permute((2, 1, 3)),
    "reshape": lambda L: L.Reshape((12, 14)),
    "reshape_unknown": lambda L: L.Reshape((-1, 7, 2)),
    "lambda": lambda L: L.Lambda(lambda x: x[:, 1:, ::2] * 2 - 1),
    "rescaling": lambda L: L.Rescaling(0.5, offset=0.3),
    "rescaling_down": lambda L: L.Rescaling(scale=1 / 4),
}
RANDOM = ("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianNoise", "GaussianDropout")


@cases(
    {
        name + suffix: (make, form)
        for name, make in IMAGES.items()
        for suffix, form in (("", {}), ("_first", FIRST))
    }
)
def image(k, run, option):
    make, form = option
    return layer_trained(k, run, (4, 7, 6) if form else (7, 6, 4), make(k.layers, **form))


@cases(OTHERS)
def other(k, run, make):
    """Followed by a dense layer on the last axis."""
    return layer_trained(k, run, (7, 6, 4), make(k.layers), k.layers.Dense(3, activation="tanh"))


@cases({name: name for name in RANDOM})
def of_rate_zero(k, run, name):
    """In training, with nothing to drop; then predictions with much to drop, which inference leaves alone."""
    layers = k.layers
    random = getattr(layers, name)(0.0)
    x, y = run.x(10, 4, 3, 2) * (1 + RANDOM.index(name)), run.x(10, 2)
    model = k.Sequential([k.Input((4, 3, 2)), layers.Dense(3), random, layers.Flatten(), layers.Dense(2)])
    model.compile(k.optimizers.SGD(0.005), "mse")
    run.start(model)
    history = fitted(model, x, y, batch_size=4)
    other = k.Sequential(
        [k.Input((4, 3, 2)), layers.Dense(3), getattr(layers, name)(0.5), layers.Flatten(), layers.Dense(2)]
    )
    other.set_weights(model.get_weights())
    other.compile(k.optimizers.SGD(0.005), "mse")
    return run.end(
        model, x, history, other=other.predict(x, verbose=0), evaluated=other.evaluate(x, y, verbose=0)
    )


@cases({"lookup": {}, "named": {"embeddings_initializer": "he_normal", "embeddings_regularizer": "l2"}})
def embedding(k, run, settings):
    ids, y = run.labels(20, 5, classes=7), run.labels(20)
    layers = [
        k.layers.Embedding(7, 4, **settings),
        k.layers.Flatten(),
        k.layers.Dense(3, activation="softmax"),
    ]
    model = k.Sequential([k.Input((5,), dtype="int32"), *layers])
    model.compile(k.optimizers.Adam(0.05, epsilon=1e-2), "sparse_categorical_crossentropy")
    run.start(model)
    return run.end(model, ids, fitted(model, ids, y))


ADAPTED = {
    "features": ({}, (6,)),
    "everything": ({"axis": None}, (6,)),
    "channels": ({"axis": -1}, (4, 3, 2)),
    "rows": ({"axis": 1}, (4, 3, 2)),
    "two_axes": ({"axis": (1, 3)}, (4, 3, 2)),
}


@cases(ADAPTED)
def normalization_adapted(k, run, option):
    """`adapt`, then a net on top of it."""
    settings, shape = option
    x, y = 3 * run.x(20, *shape) + np.arange(shape[-1], dtype=np.float32), run.x(20, 2)
    layer = k.layers.Normalization(**settings)
    layer.adapt(x)
    model = k.Sequential([k.Input(shape), layer, k.layers.Flatten(), k.layers.Dense(2)])
    model.layers[-1].set_weights([run.x(int(np.prod(shape)), 2), run.x(2)])
    model.compile(k.optimizers.SGD(0.02), "mse")
    history = fitted(model, x, y)
    return {
        "history": history,
        "kernel": model.layers[-1].get_weights(),
        "normal": k.ops.convert_to_numpy(layer(x[:2])),
    }


@cases({"given": False, "inverted": True})
def normalization_given(k, run, invert):
    """Mean and variance as arguments."""
    layer = k.layers.Normalization(mean=[1.0, 2.0, 3.0, 0.0], variance=[4.0, 1.0, 0.25, 9.0], invert=invert)
    return layer_trained(k, run, (7, 6, 4), layer, rate=0.0005)


@case
def rescaled_bytes(k, run):
    """Images of bytes, as they come."""
    x = run.labels(12, 6, 6, 1, classes=256).astype(np.uint8)
    layers = [k.layers.Rescaling(1 / 255), k.layers.Flatten(), k.layers.Dense(3, activation="softmax")]
    model = k.Sequential([k.Input((6, 6, 1)), *layers])
    model.compile(k.optimizers.SGD(0.2), "sparse_categorical_crossentropy")
    run.start(model)
    return run.end(model, x, fitted(model, x, run.labels(12), batch_size=5))
