"""Compiles beforehand what the usual nets need, so that no later program waits for it:
`python -m tinynet warmup [net]`.

Compiled kernels are kept on disk for all programs of this user (`kernels/cache.py`). Which ones there are
follows from dtypes, numbers of axes and, for convolutions, from sizes; so the usual layers are trained for a
moment in the usual sizes, the net of `examples/mnist_vgg.py` first, or the net that is named.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import data, layers, models, optimizers, saving
from tinynet.console import say
from tinynet.kernels import cache, compile_ahead, compile_progress

BATCH, ROWS = 32, 72  # two whole batches, and one that is smaller


def warm_up(net: str | None = None) -> int:
    """Does it, saying how far it is; returns the number of kernels that were compiled.

    net    a file of a model, or a name of NETS; None: the usual layers

    Raises ValueError for a name that is neither, and what `tinynet.saving.load_model` raises.
    """
    steps: list[tuple[str, Callable[[], object]]]
    steps = list(_steps()) if net is None else [(net, partial(_train_net, net))]
    begun, before = time.perf_counter(), compile_progress.compiled
    say(f"keeping compiled kernels in {cache.directory()}")
    for number, (name, run) in enumerate(steps, 1):
        start, had = time.perf_counter(), compile_progress.compiled
        run()
        found = compile_progress.compiled - had
        done = f"{found} kernels in {time.perf_counter() - start:.0f} s" if found else "nothing to compile"
        say(f"{number:2d} of {len(steps)}: {name}: {done}")
    made = compile_progress.compiled - before
    say(
        f"compiled {made} kernels in {time.perf_counter() - begun:.0f} s"
        if made
        else "everything was compiled already"
    )
    return made


def _steps() -> Iterator[tuple[str, Callable[[], Any]]]:
    """(what is compiled, what compiles it)"""
    images: Any = layers.Input((28, 28, 1))
    yield "the net of examples/mnist_vgg.py", partial(_train_net, "mnist_vgg")
    yield "dense layers, losses", lambda: [*map(_train_dense, LOSSES)]
    yield "activations", lambda: [*map(_train_activation, _activations())]
    yield "optimizers", lambda: [*map(partial(_train_dense, "mse"), OPTIMIZERS)]
    for filters in (8, 16, 32, 64):
        yield f"convolutions with {filters} filters", partial(_train_convolutions, images, filters)
    yield "images in colour", lambda: _train_convolutions(layers.Input((32, 32, 3)), 32)
    yield "small digits", lambda: _train_convolutions(layers.Input((8, 8, 1)), 16)
    yield "normalisation, dropout, pooling", lambda: [*map(_train_one, _others())]
    yield "residual nets", _train_residual
    yield "augmentation", _augment


LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy", "mse", "mae")
OPTIMIZERS = (
    "sgd", optimizers.SGD(0.01, momentum=0.9), optimizers.SGD(0.01, momentum=0.9, nesterov=True), "adam",
    optimizers.AdamW(0.01), "rmsprop", "nadam",
)  # fmt: skip


def _activations() -> list[Any]:
    names = ("relu", "sigmoid", "tanh", "softmax", "elu", "selu", "gelu", "silu", "softplus")
    return [*map(layers.Activation, names), layers.LeakyReLU(), layers.PReLU()]


def _others() -> list[Any]:
    return [
        layers.BatchNormalization(), layers.LayerNormalization(), layers.GroupNormalization(4),
        layers.Dropout(0.3),
        layers.SpatialDropout2D(0.3), layers.GaussianNoise(0.1), layers.AveragePooling2D(2),
        layers.MaxPooling2D(3, 2, "same"),
        layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D(), layers.UpSampling2D(),
        layers.ZeroPadding2D(),
        layers.DepthwiseConv2D(3, padding="same"), layers.SeparableConv2D(8, 3, padding="same"),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same"),
    ]  # fmt: skip


def _train(inner: list[Any], loss: str, outputs: int, optimizer: Any = "adam") -> None:
    model = models.Sequential(inner)
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, *model.input_shape[1:]), np.float32)
    y: Any = rng.integers(0, outputs, ROWS)
    if loss != "sparse_categorical_crossentropy":
        y = np.eye(outputs, dtype=np.float32)[y]
    model.compile(optimizer, loss, metrics=["accuracy"] if "crossentropy" in loss else None)
    model.fit(x, y, batch_size=BATCH, epochs=2, validation_data=(x, y), verbose=0)
    model.predict(x, batch_size=BATCH, verbose=0)


def _train_dense(loss: str, optimizer: Any = "adam") -> None:
    last = "sigmoid" if "binary" in loss else "linear"
    if "categorical" in loss:
        last = "softmax"
    hidden = [layers.Dense(64, "relu"), layers.Dropout(0.2), layers.Dense(32, "tanh")]
    _train([layers.Input((20,)), *hidden, layers.Dense(10, last)], loss, 10, optimizer)


def _train_convolutions(start: Any, filters: int) -> None:
    for padding in ("same", "valid"):
        convolutions = [layers.Conv2D(filters, 3, padding=padding, activation="relu") for _ in range(2)]
        block = [
            convolutions[0],
            layers.BatchNormalization(),
            convolutions[1],
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
        ]
        head = [layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")]
        _train([start, layers.Rescaling(1 / 255), *block, *head], "sparse_categorical_crossentropy", 10)


def _train_activation(layer: Any) -> None:
    _train([layers.Input((20,)), layers.Dense(8), layer], "mse", 8)


def _train_one(layer: Any) -> None:
    before = [layers.Input((28, 28, 1)), layers.Conv2D(8, 3, strides=2, padding="same")]
    _train([*before, layer, layers.Flatten(), layers.Dense(10, "softmax")], "categorical_crossentropy", 10)


def _train_residual() -> None:
    x = layers.Input((28, 28, 1))
    y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    z = layers.Conv2D(16, 3, padding="same", use_bias=False)(y)
    z = layers.ReLU()(layers.Add()([y, layers.BatchNormalization()(z)]))
    z = layers.Conv2D(32, 1, strides=2)(z)
    model = models.Model(x, layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(z)))
    rng = np.random.default_rng(0)
    images, labels = rng.random((ROWS, 28, 28, 1), np.float32), rng.integers(0, 10, ROWS)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=BATCH, epochs=2, verbose=0)


def _vgg() -> Any:
    inner: list[Any] = [layers.Input((28, 28, 1)), layers.Rescaling(1 / 255)]
    for filters, convolutions in ((7, 2), (14, 2), (28, 3), (56, 3)):
        inner += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convolutions)]
        inner += [layers.MaxPooling2D(), layers.BatchNormalization(), layers.Dropout(0.2)]
    head = [layers.Flatten(), layers.Dense(100, "sigmoid"), layers.Dropout(0.5), layers.Dense(10, "softmax")]
    model = models.Sequential([*inner, *head])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


NETS: dict[str, Callable[[], Any]] = {"mnist_vgg": _vgg}


def _train_net(net: str) -> None:
    """Trains a net, or lets it predict if its file does not say how it is trained. Nothing is saved."""
    if net in NETS:
        model = NETS[net]()
    elif Path(net).suffix in (".tinynet", ".keras"):
        model = saving.load_model(net)
    else:
        raise ValueError(f"net must be a .tinynet or .keras file, or one of {', '.join(NETS)}; got {net!r}")
    x = _for_each(model.input_shape, _zeros)
    if model.compiled:
        y = _for_each(model.output_shape, partial(_targets, str(getattr(model.loss, "name", model.loss))))
        with compile_ahead.each_time():
            model.fit(x, y, batch_size=BATCH, epochs=2, validation_data=(x, y), verbose=0)
    model.predict(x, batch_size=BATCH, verbose=0)


def _for_each(shapes: Any, function: Callable[[Any], Any]) -> Any:
    return [*map(function, shapes)] if isinstance(shapes, list) else function(shapes)


def _zeros(shape: Any, dtype: Any = np.float32) -> np.ndarray:
    if None in shape[1:]:
        raise ValueError(f"the net has no sizes of its own (shape {shape}): train it, which compiles too")
    return np.zeros((ROWS, *shape[1:]), dtype)


def _targets(loss: str, shape: Any) -> np.ndarray:
    """Zeros in the form that the loss wants."""
    return _zeros(shape[:-1], int) if "sparse" in loss.lower() else _zeros(shape)


def _augment() -> None:
    images, labels = np.zeros((ROWS, 28, 28, 1), np.uint8), np.zeros(ROWS, int)
    warped = data.ImageDataGenerator(
        rotation_range=10, width_shift_range=0.1, zoom_range=0.1, horizontal_flip=True
    )
    next(warped.flow(images, labels, batch_size=BATCH))
    for layer in (
        layers.RandomRotation(0.1),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomZoom(0.1),
        layers.RandomFlip(),
    ):
        layer(images[:BATCH], training=True)


def main(net: str | None = None) -> int:
    """The command; its exit status."""
    try:
        warm_up(net)
    except (ValueError, FileNotFoundError) as error:
        if net is None:
            raise
        say(f"{net}: {error}")
        return 2
    if not os.access(cache.directory(), os.W_OK):
        say(
            f"{cache.directory()} cannot be written, so nothing was kept; "
            "set TINYNET_CACHE_DIR to a folder that can"
        )
        return 1
    return 0
