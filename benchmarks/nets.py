"""The nets, each written once, for any library whose layers have Keras's names
(PyTorch's get them in torch_layers).

The rows of the table are programs the project reproduces, without their first layer: images are normalised
beforehand, so that every library is given the same finished arrays.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Layers = Any  # keras.layers, tinynet.layers or torch_layers.Layers

VGG = ((7, 2, 0.1), (14, 2, 0.2), (28, 3, 0.3), (56, 3, 0.4))  # (filters, convolutions, dropout)


class Net(NamedTuple):
    """What is trained: layers, data, Adam's learning rate,
    the number of parameters and about how many FLOPs an image costs.
    """

    title: str
    data: str
    image: tuple[int, ...]
    learning_rate: float
    parameters: int
    megaflops: float  # of one image in one training step
    layers: Callable[[Layers], list[Any]]


def model_7(layers: Layers) -> list[Any]:
    """VGG style: convolutions and pooling only."""
    return _vgg(layers, regularised=False)


def model_9(layers: Layers) -> list[Any]:
    """Model 7 with batch normalisation and dropout after each pooling."""
    return _vgg(layers, regularised=True)


def _vgg(layers: Layers, *, regularised: bool) -> list[Any]:
    net = []
    for filters, convolutions, rate in VGG:
        net += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convolutions)]
        net.append(layers.MaxPooling2D())
        if regularised:
            net += [layers.BatchNormalization(), layers.Dropout(rate)]
    net += [layers.Flatten(), layers.Dense(100, activation="sigmoid")]
    if regularised:
        net.append(layers.Dropout(0.5))
    return [*net, layers.Dense(10, activation="softmax")]


def thirteen_thousand(layers: Layers) -> list[Any]:
    """The net of 13,880 parameters: 3x3 valid convolutions, a 1x1 and a 4x4 one."""

    def block(filters: int) -> list[Any]:
        return [
            layers.Conv2D(filters, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
        ]

    head = [*block(12), *block(20), layers.Conv2D(10, 1, activation="relu"), layers.MaxPooling2D()]
    body = [layer for _ in range(4) for layer in block(16)]
    return [*head, *body, layers.Conv2D(10, 4), layers.Flatten(), layers.Activation("softmax")]


def wide_batch_norm(layers: Layers) -> list[Any]:
    """32 and 64 filters with batch normalisation after the activation, and a Dense layer of 512."""
    return [
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(512, activation="relu"), layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]  # fmt: skip


def model_4(layers: Layers) -> list[Any]:
    """784-200-200-200-10."""
    hidden = [layers.Dense(200, activation="relu") for _ in range(3)]
    return [layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")]


def deep_dense(layers: Layers) -> list[Any]:
    """20 Dense layers of 100 ELU units."""
    return _deep(layers, "elu", "he_normal")


def deep_selu(layers: Layers) -> list[Any]:
    """The same with SELU."""
    return _deep(layers, "selu", "lecun_normal")


def _deep(layers: Layers, activation: str, initializer: str) -> list[Any]:
    hidden = [layers.Dense(100, activation=activation, kernel_initializer=initializer) for _ in range(20)]
    return [layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")]


def deep_batch_norm(layers: Layers) -> list[Any]:
    """The same with batch normalisation before every activation and on the input."""
    net = [layers.Flatten(), layers.BatchNormalization()]
    for _ in range(20):
        net += [
            layers.Dense(100, kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.Activation("elu"),
        ]
    return [*net, layers.Dense(10, activation="softmax")]


DIGIT, PHOTO = (28, 28, 1), (32, 32, 3)
NETS = {
    "model-7": Net("Model 7 (VGG)", "mnist", DIGIT, 1e-3, 98_354, 14.5, model_7),
    "model-9": Net("Model 9 (VGG, batch norm, dropout)", "mnist", DIGIT, 1e-3, 98_774, 14.5, model_9),
    "s3-03": Net("13,880-parameter net (S3-03)", "mnist", DIGIT, 3e-3, 13_880, 11.2, thirteen_thousand),
    "s2-03": Net("32/64 filters, batch norm (S2-03)", "mnist", DIGIT, 1e-3, 1_632_522, 32.8, wide_batch_norm),
    "model-4": Net("Model 4 (784-200-200-200-10)", "mnist", DIGIT, 1e-3, 239_410, 1.42, model_4),
    "deep-elu": Net("CIFAR-10, 20 x 100 dense, ELU", "cifar10", PHOTO, 3e-5, 500_210, 3.05, deep_dense),
    "deep-bn": Net("CIFAR-10, 20 x 100 dense, batch norm", "cifar10", PHOTO, 3e-5, 520_498, 3.05,
                   deep_batch_norm),
    "deep-selu": Net("CIFAR-10, 20 x 100 dense, SELU", "cifar10", PHOTO, 3e-5, 500_210, 3.05, deep_selu),
}  # fmt: skip
