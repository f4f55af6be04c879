"""What is written with operators and functions of `ops` can be captured and repeated:
every operation, forward and backward.

Each case of cases.py runs once under a Capture. Other numbers are then put into the same input arrays, the
captured launches are repeated, and every bit of outputs and gradients must be what the tape computes from
those numbers.
"""

import numpy as np
import pytest

from tinynet import Tensor, activations, gradcheck, gradgradcheck, losses, ops
from tinynet.autograd import as_raw, gradients, primitive
from tinynet.replay.capture import Capture

from ops.cases import CASES, CONSTANT


def forward_and_backward(function, inputs, upstream):
    """Arrays: the outputs of `function`, and the gradients of those inputs that are of floats."""
    given = [Tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    outputs = function(*given)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    ends = [y for y in outputs if y.requires_grad]
    found = gradients(ends, [x for x in given if x.requires_grad], upstream[: len(ends)]) if ends else []
    return [y.data for y in outputs] + [g for g in found if g is not None]


def other_numbers(x, factor=1.0625):
    """As many, in reverse order, and floats a little larger."""
    turned = np.array(x[::-1] if x.ndim else x)
    return turned * turned.dtype.type(factor) if x.dtype.kind == "f" else turned


def assert_repeats(function, inputs, upstream):
    # some are views of the inputs
    before = [x.copy() for x in forward_and_backward(function, inputs, upstream)]
    with Capture() as capture:
        captured = forward_and_backward(function, inputs, upstream)
    for x, y in zip(captured, before, strict=True):
        np.testing.assert_array_equal(x, y)  # capturing changes nothing
    for x in [*inputs, *upstream]:
        x[...] = other_numbers(x)
    expected = forward_and_backward(
        function, [x.copy(order="K") for x in inputs], [g.copy(order="K") for g in upstream]
    )
    capture.program.run()
    for i, (x, y) in enumerate(zip(captured, expected, strict=True)):
        np.testing.assert_array_equal(x, y, f"result {i}")
        assert (x.dtype, x.tobytes()) == (y.dtype, y.tobytes()), (
            f"result {i}: -0.0 and 0.0, or two kinds of NaN"
        )
    return before, expected


def in_format(x, dtype):
    return x.astype(dtype, order="K") if x.dtype.kind == "f" else x.copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_operation(case, dtype):
    inputs = [in_format(np.asarray(x), dtype) for x in case.inputs]
    outputs = case(*[Tensor(x) for x in inputs])
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    rng = np.random.default_rng(5)
    upstream = [rng.standard_normal(y.shape).astype(y.dtype) for y in outputs if y.dtype.kind == "f"]
    before, expected = assert_repeats(case, inputs, upstream)
    assert any((x != y).any() for x, y in zip(before, expected, strict=True))


@pytest.mark.parametrize("dtype", ["bool", "int64"])
@pytest.mark.parametrize(
    "primitive", sorted(CONSTANT, key=lambda p: p.name), ids=lambda primitive: primitive.name
)
def test_operations_without_a_derivative(primitive, dtype):
    settings = {"classes": 4, "dtype": np.dtype("float32")} if primitive.keywords else {}
    inputs = [np.array([0, 3, 1, 2]).astype(dtype), np.array([1, 0, 1, 3]).astype(dtype)][: primitive.arity]
    before = primitive(*inputs, **settings)
    with Capture() as capture:
        captured = primitive(*inputs, **settings)
    np.testing.assert_array_equal(captured, before)
    for x, numbers in zip(inputs, ([2, 0, 1, 0], [0, 0, 2, 1]), strict=False):
        x[...] = numbers
    capture.program.run()
    expected = primitive(*inputs, **settings)
    assert captured.dtype == expected.dtype
    np.testing.assert_array_equal(captured, expected)
    assert (before != expected).any()


# Operations as somebody writes them who follows CONTRIBUTING.md


@primitive
def softcap(x, *, cap):
    return cap * ops.tanh(x / cap)


@softcap.vjp("x")
def _(grad, y, cap):
    return grad * (1 - (y / cap) ** 2)


@primitive
def softcap_of_numpy(x, *, cap):
    return cap * np.tanh(x / cap)


@softcap_of_numpy.vjp("x")
def _(grad, y, cap):
    return grad - grad * np.square(y / cap)


@primitive
def scaled(x, scale):
    """x scale / |x|, a row at a time: with methods, @ and numbers in between."""
    return x * (scale / (x * x).sum(-1, keepdims=True) ** 0.5)


@scaled.vjp("x")
def _(grad, x, scale, y):
    length = (x * x).sum(-1, keepdims=True) ** 0.5
    return (scale * grad - y * ((grad * y).sum(-1, keepdims=True) / scale)) / length


@scaled.vjp("scale")
def _(grad, y, scale):
    return grad * y / scale


@primitive
def turned(x, w):
    """x @ w, only where x is positive."""
    return (x @ w) * (x > 0).astype(x.dtype)


@turned.vjp("x")
def _(grad, x, w):
    return (grad * (x > 0).astype(x.dtype)) @ w.T


@turned.vjp("w")
def _(grad, x):
    return x.T @ ops.where((x > 0) & ~(x > 9), grad, 0.0)


@primitive
def penalty(x, count):
    """sum x^2 / (1 + count), for integers `count`."""
    return (x * x / (1 + count)).sum()


@penalty.vjp("x")
def _(grad, x, count):
    return grad * (2 * x / (1 + count))


RNG = np.random.default_rng(3)
OWN = {
    "softcap": (lambda x: softcap(x, cap=0.5), [RNG.normal(size=(3, 4))]),
    "softcap of a number": (lambda x: softcap(x, cap=0.5), [RNG.normal(size=())]),
    "softcap of NumPy": (lambda x: softcap_of_numpy(x, cap=0.5), [RNG.normal(size=(3, 4))]),
    "scaled": (scaled, [RNG.normal(size=(3, 4)), RNG.uniform(1, 2, (3, 1))]),
    "turned": (turned, [RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))]),
    "penalty": (penalty, [RNG.normal(size=(3, 4)), np.arange(4)]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OWN)
def test_operations_of_ones_own(name, dtype):
    function, inputs = OWN[name]
    inputs = [in_format(x, dtype) for x in inputs]
    upstream = [np.array(RNG.normal(size=np.shape(function(*inputs))), dtype)]
    before, expected = assert_repeats(function, inputs, upstream)
    assert all((x != y).any() for x, y in zip(before, expected, strict=True))


@pytest.mark.parametrize("name", OWN)
def test_their_derivatives_are_right(name):
    function, inputs = OWN[name]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


COMPOSED = {
    **{f"losses.{name}": getattr(losses, name) for name in (
        "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error", "huber", "log_cosh", "cosine_similarity", "hinge", "squared_hinge",
        "categorical_hinge", "kl_divergence", "poisson", "binary_crossentropy", "categorical_crossentropy",
    )},
    **{f"activations.{name}": getattr(activations, name) for name in (
        "hard_sigmoid", "sparse_sigmoid", "hard_shrink", "soft_shrink", "celu", "log_sigmoid", "tanh_shrink",
        "sparse_plus", "squareplus", "hard_silu", "mish", "glu",
    )},
    **{f"ops.{name}": getattr(ops, name) for name in (
        "mean", "var", "std", "max", "norm", "normalize", "reciprocal", "rsqrt", "dot", "logsumexp",
    )},
    "ops.moments": lambda x: ops.moments(x, -1),
}  # fmt: skip


@pytest.mark.parametrize("tensors", ["none", "the last", "all"])
@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_of_arrays_and_tensors(name, tensors):
    function = COMPOSED[name]
    count = 2 if name.startswith("losses") or name == "ops.dot" else 1
    inputs = [np.random.default_rng(4 + i).uniform(0.1, 0.9, (4, 4)).astype(np.float32) for i in range(count)]

    def run():
        given = [
            Tensor(x) if tensors == "all" or (tensors, i) == ("the last", count - 1) else x
            for i, x in enumerate(inputs)
        ]
        y = function(*given)
        return [as_raw(one) for one in (y if isinstance(y, tuple) else (y,))]

    before = [x.copy() for x in run()]
    with Capture() as capture:
        captured = run()
    for x in inputs:
        x[...] = other_numbers(x)
    expected = run()
    capture.program.run()
    for x, y, z in zip(captured, expected, before, strict=True):
        np.testing.assert_array_equal(x, y)
        assert (y != z).any()
