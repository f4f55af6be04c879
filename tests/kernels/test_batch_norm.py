"""Batch normalisation: implementations against double precision and finite differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.batch_norm import batch_norm, batch_norm_grad, batch_norm_inference
from tinynet.kernels.batch_norm_loops import SAMPLE_PIXELS
from tinynet.kernels.emit import host, vectors

from kernel_cases import assert_agree, assert_gradient, batches, dtypes, normal, orders, seeds, unmutated

IMPLEMENTATIONS = ("numpy", "numba", "cuda")
FAST = ("numba", "cuda")
features = st.sampled_from(
    [(1,), (5,), (1, 1, 4), (3, 5, 2), (9, 11, 3), (2, 3, 2, 3), (9, 13, 3), (11, 10, 19)]
)


@pytest.fixture(params=[16, 32], ids=lambda width: f"{width}-byte vectors")
def narrow_vectors(request, monkeypatch):
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(request.param))
    monkeypatch.setattr(host, "registers", lambda: 16 if request.param == 32 else 32)  # as AVX2 and NEON have
    vectors.cache_clear()
    yield
    monkeypatch.undo()
    vectors.cache_clear()


def case(n, shape, dtype, order, seed):
    rng = np.random.default_rng(seed)
    x = 2 * normal(rng, (n, *shape), dtype, order) + dtype(0.5)
    return rng, x, normal(rng, shape[-1:], dtype), normal(rng, shape[-1:], dtype)


@pytest.mark.parametrize("name", FAST)
@given(batches, features, dtypes, orders, orders, seeds)
def test_compiled_agrees_with_reference(name, n, shape, dtype, order, gradient_order, seed):
    rng, x, gamma, beta = case(n, shape, dtype, order, seed)
    g = normal(rng, x.shape, dtype, gradient_order)
    with unmutated(x, gamma, beta, g):
        y, mean, var = expected = batch_norm["numpy"](x, gamma, beta, epsilon=1e-3)
        assert_agree(batch_norm[name](x, gamma, beta, epsilon=1e-3), expected, float32=2e-6 * 32)
        expected = batch_norm_grad["numpy"](g, x, gamma, mean, var, epsilon=1e-3)
        assert_agree(batch_norm_grad[name](g, x, gamma, mean, var, epsilon=1e-3), expected, float32=1e-4)
        expected = batch_norm_inference["numpy"](x, gamma, beta, mean, var, epsilon=1e-3)
        assert_agree(
            batch_norm_inference[name](x, gamma, beta, mean, var, epsilon=1e-3), expected, float32=1e-5
        )
    assert_agree(y, expected, float32=1e-5)
    assert common.is_batch_last(batch_norm(x, gamma, beta, epsilon=1e-3)[0])


@pytest.mark.usefixtures("narrow_vectors")
@pytest.mark.parametrize("shape", [(9, 11, 13), (9, 13, 13)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_narrow_vectors(dtype, shape):
    for n in (1, 8, 21):
        rng, x, gamma, beta = case(n, shape, dtype, "batch_last", 0)
        g = normal(rng, x.shape, dtype)
        _, mean, var = expected = batch_norm["numpy"](x, gamma, beta, epsilon=1e-3)
        assert_agree(batch_norm["numba"](x, gamma, beta, epsilon=1e-3), expected, float32=2e-6 * 32)
        expected = batch_norm_grad["numpy"](g, x, gamma, mean, var, epsilon=1e-3)
        assert_agree(batch_norm_grad["numba"](g, x, gamma, mean, var, epsilon=1e-3), expected, float32=1e-4)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_definition(name):
    x = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 40.0]])
    y, mean, var = batch_norm[name](x, np.array([2.0, 1.0]), np.array([0.5, 0.0]), epsilon=1e-3)
    np.testing.assert_allclose(mean, [2, 20])
    np.testing.assert_allclose(var, [2 / 3, 200])  # divided by 3, not by 2
    root = np.sqrt(2 / 3 + 1e-3)
    np.testing.assert_allclose(y[:, 0], [0.5 - 2 / root, 0.5, 0.5 + 2 / root])


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("mean", [0.0, 1.0, 1000.0, -3e4])
@pytest.mark.parametrize("shape", [(128, 9, 9, 3), (128, 14, 14, 3), (33, 28, 28, 2), (1000, 4)])
def test_float32_statistics_keep_their_digits(name, mean, shape):
    """A mean far from 0 costs the variance nothing beyond what rounding x itself has cost."""
    x = (np.random.default_rng(0).standard_normal(shape) + mean).astype(np.float32)
    axes = tuple(range(x.ndim - 1))
    one = np.ones(shape[-1], np.float32)
    _, m, v = batch_norm[name](common.to_batch_last(x), one, one, epsilon=1e-3)
    np.testing.assert_allclose(m, x.mean(axes, dtype=np.float64), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(v, x.var(axes, dtype=np.float64), rtol=2e-6)


@pytest.mark.parametrize("name", FAST)
def test_float32_statistics_where_the_first_pixels_are_unlike_the_rest(name):
    """They are what a block's shift is taken from: see SAMPLE_PIXELS."""
    x = np.random.default_rng(0).standard_normal((32, 64, 48, 3)).astype(np.float32)
    x.reshape(32, 16, -1, 3)[:, :, :SAMPLE_PIXELS] += 1000  # in each of 16 blocks
    one = np.ones(3, np.float32)
    _, m, v = batch_norm[name](common.to_batch_last(x), one, one, epsilon=1e-3)
    np.testing.assert_allclose(m, x.mean((0, 1, 2), dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(v, x.var((0, 1, 2), dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize("name", FAST)
def test_float32_gradients_keep_their_digits(name):
    rng = np.random.default_rng(0)
    x, g = (common.to_batch_last(rng.standard_normal((128, 14, 14, 5)).astype(np.float32)) for _ in range(2))
    gamma = rng.standard_normal(5).astype(np.float32)
    _, m, v = batch_norm["numpy"](x.astype(np.float64), gamma, gamma, epsilon=1e-3)
    exact = batch_norm_grad["numpy"](g.astype(np.float64), x.astype(np.float64), gamma, m, v, epsilon=1e-3)
    got = batch_norm_grad[name](g, x, gamma, m.astype(np.float32), v.astype(np.float32), epsilon=1e-3)
    for one, other in zip(got, exact, strict=True):
        np.testing.assert_allclose(
            one, other, rtol=1e-5, atol=1e-6 * np.abs(other).max() + 1e-6 * g.size**0.5
        )


@pytest.mark.gpu
@given(st.sampled_from(IMPLEMENTATIONS), features, seeds)
def test_derivative(name, shape, seed):
    rng, x, gamma, beta = case(7, shape, np.float64, "C", seed)
    g = rng.standard_normal(x.shape)
    _, mean, var = batch_norm[name](x, gamma, beta, epsilon=1e-3)
    dx, dgamma, dbeta = batch_norm_grad[name](g, x, gamma, mean, var, epsilon=1e-3)

    def value(x, gamma, beta):
        return (batch_norm[name](x, gamma, beta, epsilon=1e-3)[0] * g).sum()

    assert_gradient(lambda v: value(v, gamma, beta), x, dx, rng)
    assert_gradient(lambda v: value(x, v, beta), gamma, dgamma, rng)
    assert_gradient(lambda v: value(x, gamma, v), beta, dbeta, rng)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_sample_with_one_pixel(name, dtype):
    """Variance 0: the output is beta, nothing flows back to x."""
    x, gamma, beta = np.full((1, 1, 1, 3), 7, dtype), np.full(3, 2, dtype), np.arange(3).astype(dtype)
    y, mean, var = batch_norm[name](x, gamma, beta, epsilon=1e-3)
    assert y.ravel().tolist() == [0, 1, 2]
    assert (mean == 7).all()
    assert (var == 0).all()
    dx, dgamma, dbeta = batch_norm_grad[name](np.ones_like(x), x, gamma, mean, var, epsilon=1e-3)
    assert not dx.any()
    assert not dgamma.any()
    assert (dbeta == 1).all()


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_nan_is_not_hidden(name):
    x = np.ones((7, 2))
    x[3, 1] = np.nan
    y, mean, var = batch_norm[name](x, np.ones(2), np.ones(2), epsilon=1e-3)
    assert np.isnan(y[:, 1]).all()
    assert np.isnan([mean[1], var[1]]).all()
    assert np.isfinite(y[:, 0]).all()
