"""Images and labels for a study: the real ones, or for a quick look the embedded digits in their place."""

import sys
from typing import Any

import numpy as np

from tinynet import datasets

Split = tuple[np.ndarray, np.ndarray]
# The classes of Fashion-MNIST.
FASHION = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]


def load(name: str, quick: bool = False) -> tuple[Split, Split]:
    """((x, y) to learn from, (x, y) to test), images of bytes: (N, 28, 28) of "mnist" and "fashion_mnist",
    (N, 32, 32, 3) of "cifar10"; labels (N,).

    `quick` gives the 1,437 and 360 digits that come with tinynet in the same shapes. Without the data set on
    this machine or a network the program ends with a sentence that says so.
    """
    if quick:
        return tuple((_like(name, x), y) for x, y in datasets.digits.load_data())  # type: ignore[return-value]
    try:
        (x, y), (x_test, y_test) = getattr(datasets, name).load_data()
    except (datasets.DatasetUnavailable, datasets.DatasetCorrupted) as error:
        sys.exit(f"{error}\n--quick needs no download")
    return (x, y.reshape(-1)), (x_test, y_test.reshape(-1))


def _like(name: str, digits: np.ndarray) -> np.ndarray:
    """Digits (N, 8, 8) in the shape of the images of a data set."""
    if name != "cifar10":
        return datasets.digits.upsample(digits)
    return np.repeat(datasets.digits.upsample(digits, 32)[..., None], 3, axis=-1)


def scalars(x: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation over all pixels of all images: two numbers, as the notebooks take them."""
    return float(x.mean()), float(x.std())


def split(x: Any, y: Any, held_out: int) -> tuple[Split, Split]:
    """(the first images, the last `held_out` ones), each with labels."""
    return (x[:-held_out], y[:-held_out]), (x[-held_out:], y[-held_out:])
