"""What the parts of training_deep_nets.py share: the images, a small net, a curve with a band."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import Sequential, layers
from tinynet.plotting import figure

from shared.data import Split, scalars, split
from shared.data import load as images_of
from shared.training import fit

BATCH = 128

Data = tuple[Split, Split, Split]


def load(quick: bool) -> Data:
    """Fashion-MNIST to train (55,000 images), validate (5,000) and test, with mean 0 and deviation 1."""
    (x, y), (x_test, y_test) = images_of("fashion_mnist", quick)
    mean, deviation = scalars(x)
    scaled = [((images - mean) / deviation).astype("float32") for images in (x, x_test)]
    train, validation = split(scaled[0], y, len(x) // 12)
    return train, validation, (scaled[1], y_test)


def images_in(study: Any) -> str:
    """What the images of a study are, for titles."""
    return "digits" if study.quick else "Fashion-MNIST"


def dense_net(*units: int, activation: str = "elu", **options: Any) -> Sequential:
    """Flatten, hidden dense layers of so many units with He's initializer, and 10 classes."""
    hidden = [layers.Dense(n, activation, kernel_initializer="he_normal", **options) for n in units]
    return Sequential(
        [layers.Input((28, 28)), layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")]
    )


def learn(net: Any, data: Data, optimizer: Any, epochs: int, **options: Any) -> dict[str, Any]:
    """A training as a record, with the validation images after each epoch and the test images at the end."""
    (x, y), validation, test = data
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    options = {"batch_size": BATCH, "validation_data": validation, **options}
    record = fit(net, x, y, epochs=epochs, **options)
    accuracy = net.evaluate(*test, batch_size=500, verbose=0)[1]
    return {**record, "values": {"test accuracy": round(accuracy, 4)}}


def draw_band(axes: Any, x: Sequence[float], curves: Any, number: int, label: str) -> None:
    """The mean of the curves of several seeds, in a band from the lowest to the highest."""
    colour, dashes = figure.COLOURS[number], figure.DASHES[number]
    axes.fill_between(x, np.min(curves, 0), np.max(curves, 0), color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, np.mean(curves, 0), color=colour, linestyle=dashes, linewidth=2, label=label)


def legend_of_bands(made: Any, axes: Any, seeds: int) -> None:
    """Below the picture: the names of the lines, and what lines and bands are."""
    title = f"lines: means of {seeds} seeds; bands: from the lowest to the highest" if seeds > 1 else None
    names = axes.get_legend_handles_labels()
    made.legend(*names, loc="outside lower center", ncols=4, frameon=False, title=title)
