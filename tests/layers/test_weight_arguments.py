"""Initializers, regularizers and constraints: every layer with weights takes them,
in Keras's order, and hands them on.
"""

import inspect

import numpy as np
import pytest

from tinynet import layers
from tinynet.constraints import MaxNorm, NonNeg
from tinynet.regularizers import L1, L2

END = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "kwargs",
)
START = ("activation", "use_bias", "kernel_initializer", "bias_initializer")
WINDOW = ("kernel_size", "strides", "padding")

# Positional arguments as in Keras 3.
ORDER = {
    "Dense": ("units", *START, *END),
    "Conv1D": ("filters", *WINDOW, "data_format", "dilation_rate", "groups", *START, *END),
    "Conv2D": ("filters", *WINDOW, "data_format", "dilation_rate", "groups", *START, *END),
    "Conv2DTranspose": ("filters", *WINDOW, "output_padding", "data_format", "dilation_rate", *START, *END),
    "DepthwiseConv2D": (
        *WINDOW, "depth_multiplier", "data_format", "dilation_rate", "activation", "use_bias",
        "depthwise_initializer",
        "bias_initializer", "depthwise_regularizer", "bias_regularizer", "activity_regularizer",
        "depthwise_constraint", "bias_constraint", "kwargs",
    ),
    "SeparableConv2D": (
        "filters", *WINDOW, "data_format", "dilation_rate", "depth_multiplier", "activation", "use_bias",
        "depthwise_initializer", "pointwise_initializer", "bias_initializer", "depthwise_regularizer",
        "pointwise_regularizer", "bias_regularizer", "activity_regularizer", "depthwise_constraint",
        "pointwise_constraint", "bias_constraint", "kwargs",
    ),
}  # fmt: skip
MADE = {
    "Dense": {"units": 3},
    "Conv1D": {"filters": 3, "kernel_size": 2},
    "Conv2D": {"filters": 3, "kernel_size": 2},
    "Conv2DTranspose": {"filters": 3, "kernel_size": 2},
    "DepthwiseConv2D": {"kernel_size": 2},
    "SeparableConv2D": {"filters": 3, "kernel_size": 2},
}
SHAPE = {"Dense": (2, 4), "Conv1D": (2, 5, 4)}


@pytest.mark.parametrize("name", ORDER)
def test_order(name):
    names = tuple(inspect.signature(getattr(layers, name).__init__).parameters)[1:]
    assert names == ORDER[name]


@pytest.mark.parametrize("name", ORDER)
def test_penalties_and_constraints_reach_the_weights(name):
    words = [
        argument.removesuffix("_regularizer") for argument in ORDER[name] if argument.endswith("_regularizer")
    ]
    words.remove("activity")
    settings = {f"{word}_regularizer": L2(0.1 * (i + 1)) for i, word in enumerate(words)}
    settings |= {f"{word}_constraint": MaxNorm(i + 1) for i, word in enumerate(words)}
    layer = getattr(layers, name)(
        **MADE[name], **settings, activity_regularizer="l1", bias_initializer="ones"
    )
    x = np.random.default_rng(0).normal(size=SHAPE.get(name, (2, 4, 4, 3))).astype(np.float32)
    y = layer(x)
    assert len(layer.weights) == len(words)
    for i, weight in enumerate(layer.weights):
        assert weight.regularizer is settings[f"{words[i]}_regularizer"]
        assert weight.constraint is settings[f"{words[i]}_constraint"]
    expected = [
        0.1 * (i + 1) * float((w.astype(np.float64) ** 2).sum()) for i, w in enumerate(layer.get_weights())
    ]
    activity = 0.01 * float(np.abs(y.numpy()).astype(np.float64).sum()) / len(x)
    assert sorted(float(loss.numpy()) for loss in layer.losses) == pytest.approx(
        sorted([activity, *expected]), rel=1e-5
    )
    copy = type(layer).from_config(layer.get_config())
    copy(x)
    assert [(w.regularizer.get_config(), w.constraint.get_config()) for w in copy.weights] == [
        (w.regularizer.get_config(), w.constraint.get_config()) for w in layer.weights
    ]


def test_names_and_errors():
    dense = layers.Dense(2, kernel_regularizer="l1", bias_constraint="non_neg")
    assert isinstance(dense.kernel_regularizer, L1)
    assert isinstance(dense.bias_constraint, NonNeg)
    with pytest.raises(ValueError, match="regularizer"):
        layers.Conv2D(2, 3, kernel_regularizer="l7")
    with pytest.raises(ValueError, match="constraint"):
        layers.DepthwiseConv2D(3, depthwise_constraint=3)
