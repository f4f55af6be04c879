"""Element-wise helpers: NumPy's results in the operands' memory order, as launches that can be repeated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, elementwise
from tinynet.kernels.padding import pad
from tinynet.replay.capture import Capture

import strict_array
from kernel_cases import arrange, batches, dtypes, normal, orders, seeds, unmutated

SHAPES = st.sampled_from([(), (3,), (3, 2), (1, 4, 2)])


@given(batches, SHAPES, dtypes, orders, orders, seeds)
def test_apply_and_where_are_numpys(n, shape, dtype, order, other, seed):
    rng = np.random.default_rng(seed)
    a, b = normal(rng, (n, *shape), dtype, order), normal(rng, shape, dtype)
    b = arrange(b, other) if b.ndim else b
    with unmutated(a, b):
        for expected, y in [
            (a + b, elementwise.apply(np.add, a, b)),
            (b * 2.0, elementwise.apply(np.multiply, b, 2.0)),
            (a > b, elementwise.apply(np.greater, a, b, dtype=np.dtype(bool))),
            (np.maximum(a, 0.5), elementwise.apply(np.maximum, a, 0.5)),
            (np.where(a > 0, a, b), elementwise.where(a > 0, a, b)),
            (np.where(a > 0, 1.0, a), elementwise.where(a > 0, 1.0, a)),
        ]:
            assert y.dtype == expected.dtype
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_results_lie_as_their_operands(order):
    x = np.zeros((3, 4, 5)).transpose(order)
    assert elementwise.like(x, x.shape, x.dtype).strides == x.strides
    assert elementwise.apply(np.negative, x).strides == x.strides


def test_other_operands():
    assert elementwise.apply(np.add, 2, 3) == 5
    assert elementwise.apply(np.add, np.arange(3), 1).dtype == np.int64
    assert elementwise.apply(np.add, np.ones(2, np.float32), np.ones(2)).dtype == np.float64
    y = elementwise.apply(np.add, strict_array.ones(2), 1.0)
    assert isinstance(y, strict_array.ndarray)
    assert elementwise.apply(np.add, np.float32(1), np.float32(2)) == 3


@given(batches, st.sampled_from([(3,), (4, 2), (2, 3, 2)]), orders)
def test_reshaped_cast_and_contiguous(n, shape, order):
    x = normal(np.random.default_rng(0), (n, *shape), order=order)
    np.testing.assert_array_equal(elementwise.reshaped(x, (-1,)), x.reshape(-1))
    np.testing.assert_array_equal(elementwise.cast(x, np.dtype(np.float32)), x.astype(np.float32))
    assert elementwise.cast(x, x.dtype) is x
    assert common.contiguous(x).flags.c_contiguous
    np.testing.assert_array_equal(common.contiguous(x), x)


def test_all_are_repeated():
    x = common.to_batch_last(np.arange(12.0).reshape(3, 4))

    def step():
        y = elementwise.apply(np.add, x, 1.0)
        z = elementwise.where(elementwise.apply(np.greater, y, 5.0, dtype=np.dtype(bool)), y, 0.0)
        flat = elementwise.cast(elementwise.reshaped(z, (-1,)), np.dtype(np.float32))
        return common.contiguous(flat), pad(x, widths=((0, 0), (1, 2)), value=7.0)

    with Capture() as capture:
        first = step()
    x[...] = x[::-1].copy()
    capture.program.run()
    for repeated, expected in zip(first, step(), strict=True):
        np.testing.assert_array_equal(repeated, expected)


WIDTHS = [
    ((0, 0), (1, 2), (2, 1), (0, 0)), ((0, 0), (0, 0), (1, 0), (0, 3)), ((1, 2), (0, 0), (0, 0), (0, 0)),
    ((0, 0),) * 4, ((1, 1), (2, 1), (0, 1), (1, 0)),
]  # fmt: skip


@pytest.mark.parametrize("name", ["numpy", "numba", "cuda"])
@given(batches, st.sampled_from(WIDTHS), dtypes, orders)
def test_pad(name, n, widths, dtype, order):
    x = normal(np.random.default_rng(0), (n, 3, 4, 2), dtype, order)
    with unmutated(x):
        y = pad[name](x, widths=widths, value=1.5)
    np.testing.assert_array_equal(y, np.pad(x, widths, constant_values=1.5))


@pytest.mark.parametrize("name", ["numpy", "numba", "cuda"])
@pytest.mark.parametrize("ndim", [0, 1, 2, 5])
def test_pad_any_number_of_axes(name, ndim):
    x, widths = np.arange(2.0**ndim).reshape((2,) * ndim), ((1, 2),) * ndim
    expected = np.pad(x, widths) if ndim else x
    np.testing.assert_array_equal(pad[name](x, widths=widths, value=0.0), expected)


def test_one_number_without_axes():
    assert elementwise.cast(np.array(1.5), np.dtype(np.float32)).dtype == np.float32
    assert elementwise.apply(np.add, np.array(1.5), np.array(2.0)) == 3.5
