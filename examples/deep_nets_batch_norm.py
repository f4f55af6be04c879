"""Batch normalisation in the chapter: two models, the axis, the momentum.

The second part of training_deep_nets.py, which runs it.
"""

from typing import Any

from deep_nets_shared import Data, images_in, learn

from tinynet import Sequential, layers, optimizers, plotting

from shared.nets import size
from shared.rows import Notebook, Row

EPOCHS = 5

ROWS = (
    Row(
        "S4-05",
        "batch norm after the activation",
        notebook=Notebook(values={"parameters by layer": "0 3,136 235,500 1,200 30,100 400 ..."}),
        params=271_346,
        seeds=3,
        expected={"not trainable": 2_368},
        remark="the totals are cut off in the notebook; it dates batch norm 2017, the paper is of 2015",
    ),
    Row(
        "S4-06",
        "batch norm before the activation",
        "as executed",
        Notebook(values={"parameters by layer": "0 3,136 235,200 1,200 0 30,000 ..."}),
        params=270_946,
        seeds=3,
        expected={"not trainable": 2_368},
        remark="the second hidden layer keeps its activation: ELU comes before and after its batch norm",
    ),
    Row("S4-06", "batch norm before the activation", "as intended", params=270_946, seeds=3),
    Row(
        "S4-07",
        "axis and momentum of batch norm",
        expected={"means before Flatten": 28, "means with axis=[1, 2]": 784},
        remark="Keras 3 takes one axis only, no list; 784 means are those of a batch norm behind Flatten",
    ),
)


def after_the_activation() -> Sequential:
    net = Sequential([layers.Input((28, 28)), layers.Flatten(), layers.BatchNormalization()])
    for units in (300, 100):
        net.add(layers.Dense(units, activation="elu", kernel_initializer="he_normal"))
        net.add(layers.BatchNormalization())
    net.add(layers.Dense(10, activation="softmax"))
    return net


def before_the_activation(elu_twice: bool) -> Sequential:
    """No bias: beta of the batch norm does its work. The notebook left one "elu" where it should not be."""
    net = Sequential([layers.Input((28, 28)), layers.Flatten(), layers.BatchNormalization()])
    for units, left in ((300, None), (100, "elu" if elu_twice else None)):
        net.add(layers.Dense(units, left, kernel_initializer="he_normal", use_bias=False))
        net.add(layers.BatchNormalization())
        net.add(layers.Activation("elu"))
    net.add(layers.Dense(10, activation="softmax"))
    return net


def train_with(net: Sequential, data: Data) -> dict[str, Any]:
    record = learn(net, data, optimizers.SGD(0.01, momentum=0.9), EPOCHS)
    shown = [f"{layer.count_params():,}" for layer in net.layers[:6]]
    fixed = size(net.non_trainable_weights)
    record["values"] |= {"parameters by layer": " ".join([*shown, "..."]), "not trainable": fixed}
    return record


def axis_and_momentum(data: Data, seed: int) -> dict[str, Any]:
    """One mean for each index of the axis: of images (N, 28, 28) the last axis has 28."""
    x = data[0][0][:256]
    values: dict[str, Any] = {}
    for name, images, axis in (
        ("means before Flatten", x, -1),
        ("means with axis=[1, 2]", x, [1, 2]),
        ("means behind Flatten", x.reshape(-1, 784), -1),
    ):
        layer = layers.BatchNormalization(axis=axis)
        layer(images)
        values[name] = size([layer.moving_mean])
    for momentum in (0.9, 0.99, 0.999):
        layer = layers.BatchNormalization(momentum=momentum)
        for _ in range(10):
            layer(x + 1 - x.mean((0, 1)), training=True)  # every mean of the batch is 1
        values[f"moving mean after 10 batches of mean 1, momentum {momentum}"] = round(
            float(layer.moving_mean.numpy().mean()), 5
        )
        values[f"1 - {momentum}^10"] = round(1 - momentum**10, 5)
    return {"values": values}


RUNS = {
    "S4-05": lambda data, seed: train_with(after_the_activation(), data),
    "S4-06, as executed": lambda data, seed: train_with(before_the_activation(True), data),
    "S4-06, as intended": lambda data, seed: train_with(before_the_activation(False), data),
    "S4-07": axis_and_momentum,
}
NAMES = {
    "S4-05": "after the activation",
    "S4-06, as executed": "before it, one ELU too many",
    "S4-06, as intended": "before the activation",
}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    histories = {NAMES[name]: [run["history"] for run in runs[name]] for name in NAMES if name in runs}
    if histories:
        title = f"Where batch norm stands in a dense net ({images_in(study)})"
        study.picture("batch_norm", plotting.compare_histories(histories, title=title), ["S4-05", "S4-06"])
