"""Sums: every choice of axes against math.fsum and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels.reduce import sum as kernel_sum

from kernel_cases import assert_agree, batches, dtypes, normal, orders, seeds, unmutated

IMPLEMENTATIONS = ("numba", "cuda")
AXES = [
    None,
    *range(-4, 4),
    (0, 1),
    (0, 3),
    (1, 2),
    (0, 1, 2),
    (0, 2, 3),
    (0, 2),
    (3, 0),
    (-4, -1),
    (0, 1, 2, 3),
    (),
]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(
    batches,
    st.sampled_from([(5, 3, 2), (1, 1, 4), (7, 1, 1)]),
    st.sampled_from(AXES),
    st.booleans(),
    dtypes,
    orders,
    seeds,
)
def test_agrees_with_numpy(name, n, shape, axis, keepdims, dtype, order, seed):
    x = normal(np.random.default_rng(seed), (n, *shape), dtype, order)
    with unmutated(x):
        y = kernel_sum[name](x, axis=axis, keepdims=keepdims)
    expected = np.sum(x, axis=axis, keepdims=keepdims, dtype=np.float64)
    assert np.shape(y) == np.shape(expected)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        y, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-4 if dtype == np.float32 else 1e-12
    )
    assert_agree(
        np.asarray(kernel_sum["numpy"](x, axis=axis, keepdims=keepdims)), np.asarray(y), float32=1e-5
    )


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 100_000])
def test_float32_sum_keeps_its_digits(name, size):
    x = (np.random.default_rng(0).random(size) + 1).astype(np.float32)
    assert kernel_sum[name](x) == pytest.approx(math.fsum(x.tolist()), rel=6e-8)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_nan_and_infinity_show(name):
    assert np.isnan(kernel_sum[name](np.array([1.0, np.nan])))
    assert kernel_sum[name](np.array([1.0, np.inf])) == np.inf


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_empty_batch(name):
    assert kernel_sum[name](np.zeros((0, 3))) == 0
    assert kernel_sum[name](np.zeros((0, 3)), axis=0).tolist() == [0, 0, 0]


@pytest.mark.gpu
@pytest.mark.parametrize("shape", [(5000, 3), (3, 5000), (2, 9000, 5), (40_000,)])
@pytest.mark.parametrize("axis", [0, -1, None])
def test_sums_in_several_parts(shape, axis):
    """On a GPU: long sums are cut, and the parts are added by a second launch."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    expected = x.sum(axis, dtype=np.float64)
    np.testing.assert_allclose(kernel_sum["cuda"](x, axis=axis), expected, rtol=1e-6, atol=1e-4)
