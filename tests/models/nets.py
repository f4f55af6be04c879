"""Nets and data that several tests use."""

import numpy as np

from tinynet import layers
from tinynet.models import Sequential


def small_net():
    """conv + batch norm + dropout + dense on (8, 8, 1) images, four classes."""
    return Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(16, activation="sigmoid"),
            layers.Dropout(0.3),
            layers.Dense(4, activation="softmax"),
        ]
    )


def small_data(samples=64, seed=0):
    """uint8 images and integer labels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (samples, 8, 8, 1), np.uint8), rng.integers(0, 4, samples)


def model_9():
    """The VGG of the project's main example."""
    blocks = []
    for filters, count, rate in ((7, 2, 0.1), (14, 2, 0.2), (28, 3, 0.3), (56, 3, 0.4)):
        blocks += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(count)]
        blocks += [layers.MaxPooling2D(), layers.BatchNormalization(), layers.Dropout(rate)]
    hidden = [layers.Flatten(), layers.Dense(100, activation="sigmoid"), layers.Dropout(0.5)]
    return Sequential([layers.Input((28, 28, 1)), *blocks, *hidden, layers.Dense(10, activation="softmax")])
