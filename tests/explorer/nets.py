"""Nets to explore, and the data that they learn from."""

import numpy as np

from tinynet import Sequential, layers
from tinynet.losses import SparseCategoricalCrossentropy
from tinynet.optimizers import SGD

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(12, 8, 8, 2)).astype("float32")
LABELS = RNG.integers(0, 3, 12)
HOSTILE = "</script><img src=x onerror=alert(1)>&amp;<!--\u2028'\""  # a name


def convolutional(optimizer="adam", name="net", **settings):
    """A convolution, pooling, batch norm, dropout, and a dense layer; `settings` of the convolution."""
    model = Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu", **{"name": "conv", **settings}),
            layers.MaxPooling2D(name="pool"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.25, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="last"),
        ],
        name=name,
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def strided():
    """Convolutions with strides, dilation, groups, odd padding; average pooling, overlapping windows; SGD."""
    model = Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", name="strides"),
            layers.Conv2D(6, 2, dilation_rate=2, padding="same", activation="relu", name="dilated"),
            layers.Conv2D(4, (3, 2), groups=2, padding="same", name="groups"),
            layers.MaxPooling2D(3, strides=1, padding="same", name="largest"),
            layers.AveragePooling2D(2, padding="same", strides=1, name="mean"),
            layers.Flatten(name="flat"),
            layers.Dense(5, activation="sigmoid", name="sigmoid"),
            layers.Dense(5, activation="tanh", name="tanh"),
            layers.BatchNormalization(name="norm"),
            layers.Activation("relu", name="relu"),
            layers.Dense(3, name="last"),
        ],
        name="strided",
    )
    model.compile(SGD(0.05), SparseCategoricalCrossentropy(from_logits=True))
    return model


def of_many_kinds():
    """Layer and group norm, a depthwise convolution, and an activation of each formula of a line."""
    names = ("elu", "selu", "leaky_relu", "softplus", "softsign", "silu", "exponential")
    activated = [layer for name in names for layer in (layers.Dense(4), layers.Activation(name, name=name))]
    model = Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, name="depth"),
            layers.LayerNormalization(axis=(1, 2, 3), name="of_sample"),
            layers.GroupNormalization(2, name="of_groups"),
            layers.RMSNormalization(name="rms"),
            layers.Flatten(name="flat"),
            *activated,
            layers.Dense(3, name="last"),
        ],
        name="kinds",
    )  # fmt: skip
    model.compile(SGD(0.05, momentum=0.9), SparseCategoricalCrossentropy(from_logits=True))
    return model
