"""Operators of Tensors are the operations of `ops`, small arrays or not;
what a forward of operators is given and gives.
"""

import operator
from itertools import permutations

import numpy as np
import pytest

from tinynet import Tensor, ops
from tinynet.autograd import primitive
from tinynet.kernels import common, elementwise
from tinynet.replay.capture import Capture

OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.eq, operator.ne,
    operator.lt, operator.le, operator.gt, operator.ge,
]  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.3, -2.7, 1e-40, 3e38, np.inf, -np.inf, np.nan, -np.nan]
NUMBERS = [0, 1, 2, 3, -1, -2, 0.5, -0.5, 1 / 3, 1e300, True]


def same(x, y):
    assert (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())
    steps = [(i, j) for i, j, n in zip(x.strides, y.strides, x.shape, strict=True) if n > 1]
    assert all(i == j for i, j in steps), f"they lie in memory in another order: {steps}"


def pairs(dtype):
    """Two operands each: of all special numbers, in several memory orders, shapes and formats."""
    a, b = (x.astype(dtype) for x in np.meshgrid(SPECIAL, SPECIAL))
    yield a, b
    yield a.T, b.T
    yield a, b.T
    yield a.T, b
    yield a[:, ::2], b[:, ::2]
    yield a[::-1], b[::-1]
    yield np.broadcast_to(a[0], a.shape), np.broadcast_to(b[0], b.shape)
    yield np.broadcast_to(a[:, :1], a.shape), np.broadcast_to(b[:, :1], b.shape)
    yield a[0], b[0]
    yield a, b[:1]
    yield b[:1], a
    yield a[0], b.T
    yield a, b.astype("float32")
    yield a, b.T.astype("float64")
    blocks, others = a.reshape(3, 4, 12), b.reshape(3, 4, 12)
    for order in permutations(range(3)):
        yield blocks.transpose(order), others.transpose(order)
        yield common.to_batch_last(blocks.transpose(order)), others.transpose(order)
        yield others.transpose(order), common.to_batch_last(blocks.transpose(order))


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("symbol", OPERATORS, ids=lambda symbol: symbol.__name__)
def test_small_arrays_take_a_short_way_to_the_bits_of_a_launch(symbol, dtype):
    for a, b in pairs(dtype):
        operands = [
            (Tensor(a), Tensor(b)),
            *((Tensor(a), n) for n in NUMBERS),
            *((n, Tensor(a)) for n in NUMBERS),
        ]
        short = [symbol(x, y).data for x, y in operands] + [(-Tensor(a)).data]
        with Capture() as capture:
            launched = [symbol(x, y).data for x, y in operands] + [(-Tensor(a)).data]
        assert len(capture.program) >= len(operands) + 1
        for x, y in zip(short, launched, strict=True):
            same(x, y)


def test_operators_in_a_captured_step_are_launches():
    a, b = Tensor(np.ones(3)), Tensor(np.full(3, 2.0))
    with Capture() as capture:
        results = [symbol(a, b) for symbol in OPERATORS] + [-a, a * 2.0, 2.0 * a, (a > 1) & (b > 1), ~(a > 1)]
    assert len(capture.program) == len(OPERATORS) + 3 + 3 + 2
    a.data[...], b.data[...] = 3.0, 5.0
    capture.program.run()
    expected = [symbol(3.0, 5.0) for symbol in OPERATORS] + [-3.0, 6.0, 6.0, True, False]
    for y, value in zip(results, expected, strict=True):
        np.testing.assert_array_equal(y.data, np.full(3, value))


@primitive
def softcap(x, *, cap):
    return cap * ops.tanh(x / cap)


@primitive
def blend(x1, x2):
    return x1 * 0.5 + x2 * 0.5


def test_what_a_forward_of_operators_takes_and_gives():
    expected = 2 * np.tanh(np.array([-3.0, 1.0]) / 2)
    for given, dtype in [
        ([-3.0, 1.0], "float32"), ([-3, 1], "float32"), (np.array([-3, 1]), "float32"),
        (np.array([-3.0, 1.0]), "float64"),
        (np.array([-3.0, 1.0], np.float32), "float32"),
    ]:  # fmt: skip
        y = softcap(given, cap=2.0)
        assert type(y) is np.ndarray
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected, rtol=1e-6)
    y = softcap(1, cap=2.0)
    assert (type(y), y.shape, y.dtype) == (np.ndarray, (), np.float32)
    assert type(softcap(Tensor([1.0]), cap=2.0)) is Tensor


@pytest.mark.parametrize("x2", [1.0, 1, np.float64(1.0), [1.0, 1.0], [1, 1], np.array([1, 1])])
def test_what_is_no_array_of_floats_takes_the_format_of_one(x2):
    x1 = np.array([3.0, 5.0], np.float32)
    for given in (x1, Tensor(x1), Tensor(x1, requires_grad=True)):
        for y in (blend(given, x2), blend(x2, given)):
            assert y.dtype == np.float32
            np.testing.assert_array_equal(getattr(y, "data", y) if isinstance(y, Tensor) else y, [2.0, 3.0])


def test_a_list_given_is_kept_as_an_array_for_the_rule():
    @primitive
    def product(x1, x2):
        return x1 * x2

    @product.vjp("x1", "x2")
    def _(grad, x1, x2):
        return grad * (x1 * x2) * -x2 * -x2

    x = Tensor([3.0, 5.0], requires_grad=True)
    product(x, [2.0, 0.5]).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [24.0, 0.625])


def test_a_rule_names_its_inputs():
    with pytest.raises(TypeError, match=r'@softcap.vjp\("x"\): some of \[\'x\'\]'):

        @softcap.vjp
        def _(grad):
            return grad

    with pytest.raises(TypeError, match="are named"):
        softcap.vjp("z")


def test_a_kernel_in_a_forward_of_tensors_is_refused():
    @primitive
    def double(x):
        return elementwise.apply(np.add, x, x)

    with pytest.raises(TypeError, match="a forward that calls kernels is an @array_primitive"):
        double([1.0])
