"""Activations against Keras (fixtures/make_losses.py), and their lookup."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinynet import activations
from tinynet.autograd import Tensor, grad

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))
NAMES = [
    "linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "gelu", "silu",
    "swish",
]  # fmt: skip


@pytest.mark.parametrize("case", FIXTURE["activations"], ids=lambda case: f"{case['name']}-{case['settings']}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradient_of_keras(case, dtype):
    x = Tensor(np.array(FIXTURE["x"], dtype), requires_grad=True)
    y = activations.get(case["name"])(x, **case["settings"])
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-12}
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), case["value"], **tolerance)
    gradient = grad(y, x, np.array(FIXTURE["upstream"], dtype))
    np.testing.assert_allclose(gradient.numpy(), case["gradient"], **tolerance)


def test_tanh():
    x = np.array(FIXTURE["x"])
    np.testing.assert_allclose(activations.tanh(x), np.tanh(x), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_give_arrays(name):
    y = activations.get(name)(np.array([[-1.0, 0.5]], "float32"))
    assert isinstance(y, np.ndarray)
    assert y.dtype == np.float32


def test_relu_at_its_kink_has_derivative_0():
    x = Tensor(np.zeros(1), requires_grad=True)
    assert grad(activations.relu(x), x, np.ones(1)).item() == 0


def test_lookup():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.get("silu")
    assert activations.get(np.tanh) is np.tanh
    for name in NAMES:
        assert activations.get(activations.serialize(activations.get(name))) is activations.get(name)
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("relo")
    with pytest.raises(ValueError, match="activation identifier"):
        activations.get(3)
    with pytest.raises(ValueError, match="tanh"):
        activations.serialize(np.tanh)
