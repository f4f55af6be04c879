"""The nets of "Beating MNIST", Models 1 to 9, and the images that they are given. Models 10 to 13 are
Model 9, trained otherwise.
"""

import math
from typing import Any

import numpy as np

from tinynet import Sequential, layers, utils
from tinynet.preprocessing.image import ImageDataGenerator

STAGES = ((7, 2), (14, 2), (28, 3), (56, 3))  # (filters, convolutions) before each pooling
DROPOUT = (0.1, 0.2, 0.3, 0.4)  # after each pooling; 0.5 before the last layer
PARAMS = {1: 7850, 2: 7850, 3: 79510, 4: 239410, 5: 55856, 6: 14136, 7: 98354, 8: 98774, 9: 98774}


def build(number: int, mean: float, std: float, improved: bool = False) -> Any:
    """Model `number` for images (28, 28, 1) of bytes, which have this mean and standard deviation.

    improved   he_normal for the layers before a ReLU, whose variance it keeps from layer to layer, and batch
               norm's momentum 0.9: its averages then follow a net that learns fast
    """
    net = Sequential([layers.Input((28, 28, 1))])
    if number > 1:
        net.add(layers.Rescaling(1 / std, -mean / std))  # the notebook's Lambda: (x - mean) / std
    start = "he_normal" if improved else "glorot_uniform"
    for layer in _middle(number, start, 0.9 if improved else 0.99):
        net.add(layer)
    net.add(layers.Dense(10, activation="softmax"))
    return net


def _middle(number: int, start: str, momentum: float) -> list[Any]:
    """The layers between the normalised image and the softmax."""
    if number in (1, 2):
        return [layers.Flatten()]
    if number == 3:
        return [layers.Flatten(), layers.Dense(100, activation="sigmoid")]
    if number == 4:
        hidden = [layers.Dense(200, activation="relu", kernel_initializer=start) for _ in range(3)]
        return [layers.Flatten(), *hidden]
    if number == 5:
        return [_convolution(7, start), _convolution(7, start), _convolution(7, start), layers.Flatten()]
    if number == 6:
        made: list[Any] = []
        for filters in (7, 14, 28):
            made += [_convolution(filters, start), layers.MaxPooling2D()]
        return [*made, _convolution(28, start), layers.Flatten()]
    return _vgg(start, momentum, normalised=number >= 8, dropout=number >= 9)


def _vgg(start: str, momentum: float, normalised: bool, dropout: bool) -> list[Any]:
    """Models 7, 8 (with batch norm) and 9 (and with dropout). Sizes of the maps: 28, 14, 7, 3, 1."""
    made: list[Any] = []
    for (filters, times), rate in zip(STAGES, DROPOUT, strict=True):
        made += [_convolution(filters, start) for _ in range(times)]
        made.append(layers.MaxPooling2D())
        if normalised:
            made.append(layers.BatchNormalization(momentum=momentum))
        if dropout:
            made.append(layers.Dropout(rate))
    made += [layers.Flatten(), layers.Dense(100, activation="sigmoid")]
    return [*made, layers.Dropout(0.5)] if dropout else made


def _convolution(filters: int, start: str) -> Any:
    return layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=start)


def shaped(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images with an axis for their one colour, labels as rows of 0 and 1."""
    return x[..., None], utils.to_categorical(y, 10)


def generator() -> Any:
    """Model 10's images: turned by up to 10 degrees, zoomed by a tenth each way, sheared."""
    shear = math.degrees(0.1)  # the notebook's 0.1 were radians
    return ImageDataGenerator(rotation_range=10, zoom_range=0.1, shear_range=shear)
