"""Number formats and broadcasting: float32 stays float32, shapes follow NumPy,
gradients return to the operands' shapes.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from tinynet import Tensor, config, grad, gradcheck, ops

BINARY = [ops.add, ops.subtract, ops.multiply, ops.divide, ops.maximum, ops.minimum, ops.power]
NUMPY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.power]
UNARY = [
    ops.abs, ops.cos, ops.elu, ops.erf, ops.exp, ops.gelu, ops.leaky_relu, ops.log, ops.log1p,
    ops.log_softmax, ops.logsumexp, ops.max, ops.mean, ops.min, ops.negative, ops.relu, ops.selu, ops.sigmoid,
    ops.sign, ops.silu, ops.sin, ops.softmax, ops.softplus, ops.softsign, ops.sqrt, ops.square, ops.sum,
    ops.tanh, ops.var, ops.flatten, ops.transpose,
    lambda x: ops.clip(x, x_min=0.7, x_max=1.5), lambda x: x[0], lambda x: x[[0, 0, 1]],
    lambda x: ops.pad(x, 1),
    lambda x: ops.where(x > 1, x, 0.0), lambda x: ops.concatenate([x, x], 1), lambda x: ops.stack([x, x]),
    lambda x: ops.dropout(x, rate=0.3, key=(1, 2), call=0), lambda x: x**2, lambda x: x**0.5,
    lambda x: 2.0**x,
    lambda x: ops.linear(x, np.ones((3, 2), np.float32), np.ones(2, np.float32)), lambda x: x @ x.T,
    lambda x: ops.batch_norm(x, np.ones(3, np.float32), np.zeros(3, np.float32))[0],
    lambda x: ops.sparse_categorical_crossentropy(np.array([0, 2]), ops.softmax(x)),
    lambda x: ops.categorical_crossentropy(np.eye(3)[:2], x / 3.0),
    lambda x: ops.binary_crossentropy(np.eye(3)[:2], x / 3.0),
    lambda x: ops.binary_crossentropy(np.eye(3)[:2], x, from_logits=True),
]  # fmt: skip
WEAK = {
    "int": 3, "float": 2.5, "np.float64": np.float64(2.5), "np.int64": np.int64(3),
    "int array": np.arange(1, 4),
    "list": [1.0, 2.0, 3.0], "bool array": np.array([True, True, True]),
    "int Tensor": Tensor(np.arange(1, 4)),
}  # fmt: skip


def name(function):
    return getattr(function, "__name__", "function")


FORMATS = [(f, np.float32) for f in UNARY] + [(f, np.float64) for f in UNARY if f.__name__ != "<lambda>"]


@pytest.mark.parametrize(("f", "dtype"), FORMATS, ids=name)  # the lambdas have float32 among their operands
def test_the_format_is_kept_forward_and_backward(f, dtype):
    x = Tensor(np.array([[0.5, 1.25, 2.0], [0.8, 1.1, 0.3]], dtype), requires_grad=True)
    y = f(x)
    assert y.dtype == dtype
    (g,) = grad([y], [x], [np.ones(y.shape, dtype)], create_graph=True)
    assert g.dtype == dtype
    assert g.shape == x.shape
    if g.requires_grad:
        second = grad(g.sum(), x, allow_unused=True)
        assert second is None or second.dtype == dtype  # None for relu, whose slope does not change


@pytest.mark.parametrize("other", WEAK.values(), ids=WEAK.keys())
@pytest.mark.parametrize("f", BINARY, ids=name)
def test_other_numbers_take_the_format_of_the_floats(f, other):
    x = Tensor(np.array([0.5, 1.25, 2.0], np.float32), requires_grad=True)
    for y in (f(x, other), f(other, x)):
        assert y.dtype == np.float32
        assert grad(y.sum(), x).dtype == np.float32


@pytest.mark.parametrize(
    "f", [ops.exp, ops.sqrt, ops.tanh, ops.sigmoid, ops.mean, ops.softmax, lambda x: x / 2, lambda x: x / x]
)
def test_integers_become_the_default_float(f):
    x = Tensor(np.arange(1, 7).reshape(2, 3))
    assert f(x).dtype == np.float32
    config.set_floatx("float64")
    try:
        assert f(x).dtype == np.float64
    finally:
        config.set_floatx("float32")


def test_lists_and_numbers_become_the_default_float():
    assert Tensor([1.0, 2.0]).dtype == np.float32
    assert Tensor(1.0).dtype == np.float32
    assert Tensor([1, 2]).dtype.kind == "i"


@given(
    shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3),
    which=st.integers(0, len(BINARY) - 1),
    seed=st.integers(0, 1000),
)
def test_operators_broadcast_as_numpy_does(shapes, which, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    y = BINARY[which](Tensor(a, requires_grad=True), Tensor(b, requires_grad=True))
    np.testing.assert_allclose(y.numpy(), NUMPY[which](a, b))
    assert y.shape == shapes.result_shape
    assert gradcheck(BINARY[which], [a, b], jacobian_size=0)


def test_conventions_at_kinks_and_ties():
    zero = Tensor(np.zeros(1), requires_grad=True)
    one = Tensor(np.ones(1), requires_grad=True)
    tied = Tensor(np.array([3.0, 1.0, 3.0, 3.0]), requires_grad=True)
    assert grad(ops.abs(zero).sum(), zero).item() == 0
    assert grad(ops.relu(zero).sum(), zero).item() == 0
    assert [g.item() for g in grad(ops.maximum(one, one * 1.0).sum(), [one])] == [1.0]
    other = Tensor(np.ones(1), requires_grad=True)
    assert [g.item() for g in grad(ops.maximum(one, other).sum(), [one, other])] == [0.5, 0.5]
    assert [g.item() for g in grad(ops.minimum(one, other).sum(), [one, other])] == [0.5, 0.5]
    np.testing.assert_allclose(grad(ops.max(tied), tied).numpy(), [1 / 3, 0, 1 / 3, 1 / 3])
    np.testing.assert_allclose(grad(ops.min(-tied), tied).numpy(), [-1 / 3, 0, -1 / 3, -1 / 3])
    assert grad(ops.clip(one, x_min=0.0, x_max=1.0).sum(), one).item() == 1
    assert grad(ops.clip(one, x_min=0.0, x_max=0.9).sum(), one).item() == 0


def test_power_at_zero():
    zero = Tensor(np.zeros(1), requires_grad=True)
    exponent = Tensor(np.array([2.0]), requires_grad=True)
    assert grad((zero**0).sum(), zero).item() == 0
    assert grad((zero**1).sum(), zero).item() == 1
    assert [g.item() for g in grad((zero**exponent).sum(), [zero, exponent])] == [0, 0]
    none = Tensor(np.zeros(1))
    assert grad((zero**none).sum(), zero).item() == 0
    first = grad((zero**2).sum(), zero, create_graph=True)
    assert grad(first.sum(), zero).item() == 2


def test_logsumexp_of_extremes():
    x = Tensor(np.array([[1000.0, 1000.0], [-np.inf, 0.0], [-np.inf, -np.inf]]), requires_grad=True)
    y = ops.logsumexp(x, axis=1)
    np.testing.assert_allclose(y.numpy(), [1000 + np.log(2), 0.0, -np.inf])
    np.testing.assert_allclose(grad(y.sum(), x).numpy(), [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]])
