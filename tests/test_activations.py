"""Activations against Keras (fixtures/make_losses.py), and their lookup."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import activations, registry
from tinynet.autograd import Tensor, grad

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))
NAMES = sorted(activations._NAMES)
SETTINGS = {"threshold": {"threshold": 0.1, "default_value": -2.0}}

# Values at these points, computed from the definitions in double precision
POINTS = np.array([-3, -1, -0.5, 0, 0.5, 1, 3])
TABLE = [
    (
        "relu",
        {"negative_slope": 0.1, "max_value": 2, "threshold": 0.75},
        [-0.375, -0.175, -0.125, -0.075, -0.025, 1, 2],
    ),
    ("relu6", {}, [0, 0, 0, 0, 0.5, 1, 3]),
    ("elu", {}, [-0.9502129, -0.6321206, -0.3934693, 0, 0.5, 1, 3]),
    ("selu", {}, [-1.6705687, -1.1113307, -0.6917582, 0, 0.5253505, 1.0507010, 3.1521030]),
    ("celu", {"alpha": 2.0}, [-1.5537397, -0.7869387, -0.4423984, 0, 0.5, 1, 3]),
    ("gelu", {}, [-0.0040497, -0.1586553, -0.1542688, 0, 0.3457312, 0.8413447, 2.9959503]),
    ("gelu", {"approximate": True}, [-0.0036374, -0.1588080, -0.1542860, 0, 0.3457140, 0.8411920, 2.9963626]),
    ("softplus", {}, [0.0485874, 0.3132617, 0.4740770, 0.6931472, 0.9740770, 1.3132617, 3.0485874]),
    ("silu", {}, [-0.1422776, -0.2689414, -0.1887703, 0, 0.3112297, 0.7310586, 2.8577224]),
    ("mish", {}, [-0.1456475, -0.3034015, -0.2207438, 0, 0.3752452, 0.8650984, 2.9865350]),
    ("hard_sigmoid", {}, [0, 1 / 3, 5 / 12, 0.5, 7 / 12, 2 / 3, 1]),
    ("hard_silu", {}, [0, -1 / 3, -5 / 24, 0, 7 / 24, 2 / 3, 3]),
    ("softsign", {}, [-0.75, -0.5, -1 / 3, 0, 1 / 3, 0.5, 0.75]),
    ("tanh_shrink", {}, POINTS - np.tanh(POINTS)),
    ("sparse_plus", {}, [0, 0, 0.0625, 0.25, 0.5625, 1, 3]),
    ("sparse_sigmoid", {}, [0, 0, 0.25, 0.5, 0.75, 1, 1]),
    ("soft_shrink", {}, [-2.5, -0.5, 0, 0, 0, 0.5, 2.5]),
    ("hard_shrink", {}, [-3, -1, 0, 0, 0, 1, 3]),
    ("threshold", {"threshold": 0.5, "default_value": -7}, [-7, -7, -7, -7, -7, 1, 3]),
    ("squareplus", {}, (POINTS + np.sqrt(POINTS**2 + 4)) / 2),
    ("log_sigmoid", {}, [-3.0485874, -1.3132617, -0.9740770, -0.6931472, -0.4740770, -0.3132617, -0.0485874]),
]


@pytest.mark.parametrize(("name", "settings", "expected"), TABLE, ids=[f"{row[0]}-{row[1]}" for row in TABLE])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_known_values(name, settings, expected, dtype):
    y = activations.get(name)(Tensor(POINTS.astype(dtype)), **settings)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6, atol=6e-8)


@pytest.mark.parametrize(
    "case", FIXTURE["activations"], ids=lambda case: f"{case['name']}-{case['settings']}"
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradient_of_keras(case, dtype):
    x = Tensor(np.array(FIXTURE["x"], dtype), requires_grad=True)
    y = activations.get(case["name"])(x, **case["settings"])
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-12}
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), case["value"], **tolerance)
    upstream = np.array(FIXTURE["upstream"], dtype)[:, : y.shape[1]]
    gradient = grad(y, x, upstream)
    np.testing.assert_allclose(gradient.numpy(), case["gradient"], **tolerance)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis):
    """Its conditions of optimality: sum 1, and x - y equal where y > 0, no larger where y = 0."""
    x = np.random.default_rng(1).normal(size=(4, 5, 3))
    y = activations.sparsemax(x, axis)
    np.testing.assert_allclose(y.sum(axis), 1)
    assert (y >= 0).all()
    tau = np.where(y > 0, x - y, -np.inf).max(axis, keepdims=True)
    np.testing.assert_allclose(np.where(y > 0, x - y, tau), np.broadcast_to(tau, x.shape))
    assert (x <= tau + 1e-12)[y == 0].all()
    np.testing.assert_allclose(activations.sparsemax(np.array([[0.5, 0.3, -2.0]])), [[0.6, 0.4, 0.0]])
    assert activations.sparsemax(x.astype("float32")).dtype == np.float32


@pytest.mark.parametrize(
    "name", ["celu", "mish", "tanh_shrink", "squareplus", "hard_silu", "glu", "sparsemax", "log_sigmoid"]
)
def test_gradients(name):
    x = np.random.default_rng(2).normal(size=(3, 4)) * 0.7
    assert tinynet.gradcheck(activations.get(name), [x])


def test_glu_needs_halves():
    with pytest.raises(ValueError, match=r"must be even, got an input of shape \(2, 3\)"):
        activations.glu(np.zeros((2, 3)))


def test_tanh():
    x = np.array(FIXTURE["x"])
    np.testing.assert_allclose(activations.tanh(x), np.tanh(x), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_give_arrays(name):
    y = activations.get(name)(np.array([[-1.0, 0.5]], "float32"), **SETTINGS.get(name, {}))
    assert isinstance(y, np.ndarray)
    assert y.dtype == np.float32


def test_relu_at_its_kink_has_derivative_0():
    x = Tensor(np.zeros(1), requires_grad=True)
    assert grad(activations.relu(x), x, np.ones(1)).item() == 0


def test_lookup():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.get("silu")
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(np.tanh) is np.tanh
    for name in NAMES:
        assert activations.get(activations.serialize(activations.get(name))) is activations.get(name)
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("relo")
    with pytest.raises(ValueError, match="activation identifier"):
        activations.get(3)
    with pytest.raises(ValueError, match="tanh"):
        activations.serialize(np.tanh)


def test_a_registered_function_is_stored():
    @registry.register_keras_serializable("activation_tests")
    def cube(x):
        return x**3

    described = activations.serialize(cube)
    assert activations.deserialize(json.loads(json.dumps(described))) is cube
    assert activations.get("activation_tests>cube") is cube


@pytest.mark.parametrize("name", sorted(set(activations._FUNCTIONS) - {"linear"}))
@pytest.mark.parametrize("value", [None, "abc", {"a": 1}, [[1.0], [2.0, 3.0]]], ids=str)
def test_what_holds_no_numbers_is_refused(name, value):
    settings = {"threshold": 0.0, "default_value": 0.0} if name == "threshold" else {}
    with pytest.raises(TypeError, match="numbers"):
        getattr(activations, name)(value, **settings)


def test_glu_takes_lists_and_refuses_axes_that_are_not_there():
    np.testing.assert_array_equal(activations.glu([2.0, 3.0, 0.0, 0.0]), [1.0, 1.5])
    with pytest.raises(ValueError, match="glu: axis 1 is out of range"):
        activations.glu([2.0, 3.0], axis=1)
    with pytest.raises(TypeError, match="soft_shrink: threshold must be a number, got None"):
        activations.soft_shrink([1.0], threshold=None)
