"""Activations that an operation applies in its own pass: which they are, and that they are applied once."""

import math

import numpy as np
import pytest

from tinynet import activations
from tinynet.autograd import as_raw
from tinynet.kernels.dense import ACTIVATIONS
from tinynet.layers import Conv1D, Conv2D, Conv2DTranspose, Dense, DepthwiseConv2D, SeparableConv2D
from tinynet.ops import linear
from tinynet.ops.matrix_products import FUSED

CONVOLUTIONS = [Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D]


def with_activation(layer, activation):
    return layer(kernel_size=3, activation=activation, **({} if layer is DepthwiseConv2D else {"filters": 4}))


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "sigmoid", "tanh"])
def test_dense_fuses_what_its_operation_knows(name):
    assert Dense(3, activation=name).fused() == name
    assert Dense(3, activation=getattr(activations, name)).fused() == name


def test_the_operation_knows_no_others():
    assert set(ACTIVATIONS) == set(FUSED) == {"relu", "elu", "selu", "sigmoid", "tanh"}
    with pytest.raises(ValueError, match="activation"):
        linear([[1.0]], [[1.0]], [1.0], activation="softplus")


@pytest.mark.parametrize("z", [-1.0, 2.0])
@pytest.mark.parametrize("name", ["relu", "elu", "selu", "sigmoid", "tanh"])
def test_the_kernel_and_the_operations_of_the_tape_compute_the_same_activation(name, z):
    """Two axes are the kernel's, three are computed by operations."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. (2017)
    expected = {
        "relu": max(z, 0.0),
        "elu": z if z > 0 else math.expm1(z),
        "selu": scale * (z if z > 0 else alpha * math.expm1(z)),
        "sigmoid": 1 / (1 + math.exp(-z)),
        "tanh": math.tanh(z),
    }[name]
    one, no_bias = np.array([[1.0]]), np.zeros(1)
    for x in (np.full((1, 1), z), np.full((1, 1, 1), z)):
        np.testing.assert_allclose(
            as_raw(linear(x, one, no_bias, activation=name)).item(), expected, rtol=1e-12
        )


@pytest.mark.parametrize("layer", CONVOLUTIONS)
def test_convolutions_fuse_relu(layer):
    assert with_activation(layer, "relu").fused() == "relu"
    assert with_activation(layer, "elu").fused() is None
    assert with_activation(layer, None).fused() is None


@pytest.mark.parametrize("layer", [Dense, *CONVOLUTIONS])
def test_a_function_of_the_same_name_is_not_fused(layer):
    def relu(x):
        return x

    made = Dense(3, activation=relu) if layer is Dense else with_activation(layer, relu)
    assert made.fused() is None


@pytest.mark.parametrize("activation", [None, "relu", lambda x: 2 * x + 1])
def test_each_is_applied_once(activation):
    """2 x + 1, for one, would show if it were applied twice."""
    x, w = np.array([[1.0, -2.0, 3.0]]), np.array([[1.0], [4.0], [-1.0]])  # x w = -10
    expected = {None: -10.0, "relu": 0.0}.get(activation, -19.0)
    dense = Dense(1, activation=activation, dtype="float64")
    dense.build((None, 3))
    dense.set_weights([w, np.zeros(1)])
    assert dense(x).numpy().item() == expected
    conv = Conv2D(1, 1, activation=activation, dtype="float64")
    conv.build((None, 1, 1, 3))
    conv.set_weights([w.reshape(1, 1, 3, 1), np.zeros(1)])
    assert conv(x.reshape(1, 1, 1, 3)).numpy().item() == expected
