"""Batch normalisation's gradient, taken through the relu before it in the same pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.batch_norm import batch_norm_grad
from tinynet.kernels.batch_norm_relu import batch_norm_relu_grad

from kernel_cases import batches, dtypes, normal, orders, seeds, unmutated

maps = st.sampled_from([(1, 1, 4), (3, 5, 2), (9, 11, 3), (4, 4, 17), (12, 9, 9)])


@pytest.mark.parametrize("name", ["numpy", "numba"])
@given(batches, maps, dtypes, orders, orders, seeds)
def test_bits_of_the_gradient_where_x_is_positive(name, n, shape, dtype, order, gradient_order, seed):
    rng = np.random.default_rng(seed)
    x = np.maximum(normal(rng, (n, *shape), dtype, order), 0)
    g, gamma = normal(rng, x.shape, dtype, gradient_order), normal(rng, shape[-1:], dtype)
    statistics = normal(rng, shape[-1:], dtype), abs(normal(rng, shape[-1:], dtype))
    arrays = g, x, gamma, *statistics
    with unmutated(*arrays):
        dz, db, dgamma, dbeta = batch_norm_relu_grad[name](*arrays, epsilon=1e-3)
    dx, *factors = batch_norm_grad["numba"](*arrays, epsilon=1e-3)
    expected = np.where(x > 0, dx, 0)
    assert (dz.shape, dz.dtype, db.shape, db.dtype) == (x.shape, dtype, shape[-1:], dtype)
    assert dz.tobytes() == expected.tobytes()
    assert [dgamma.tobytes(), dbeta.tobytes()] == [factor.tobytes() for factor in factors]
    total, scale = (a.sum((0, 1, 2), dtype=np.float64) for a in (expected, abs(expected)))
    assert (abs(db - total) <= 4 * np.finfo(dtype).eps * np.log2(x.size + 2) * scale).all()
    assert common.is_batch_last(dz)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_by_hand(name):
    """The example of batch_norm.py, moved so that its first two numbers are not positive: dx is the same."""
    x, g = np.array([1.0, 3, 5, 7]) - 3, np.array([1.0, 0, 0, 0])
    arrays = g.reshape(4, 1, 1, 1), x.reshape(4, 1, 1, 1), np.array([3.0]), np.array([1.0]), np.array([5.0])
    dz, db, dgamma, dbeta = batch_norm_relu_grad[name](*arrays, epsilon=4.0)
    np.testing.assert_allclose(dz.ravel(), [0, 0, -1 / 6, 0], atol=1e-15)
    np.testing.assert_allclose([*db, *dgamma, *dbeta], [-1 / 6, -1, 1])


def test_a_number_that_is_not_one_has_no_gradient_where_the_relu_gave_nothing():
    """relu'(0) = 0, and a NaN is not positive; elsewhere what is not finite stays so."""
    x = np.array([0.0, np.nan, 2.0]).reshape(3, 1, 1, 1)
    arrays = np.ones((3, 1, 1, 1)), x, np.ones(1), np.zeros(1), np.ones(1)
    dz, db, *_ = batch_norm_relu_grad(*arrays, epsilon=1e-3)
    assert dz.ravel()[:2].tolist() == [0, 0]
    assert np.isnan(dz.ravel()[2])
    assert np.isnan(db)
