"""Normalisation within samples: implementations against double precision and finite differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, threads
from tinynet.kernels import group_norm as group_norms
from tinynet.kernels.emit import vectors
from tinynet.kernels.group_norm import group_norm, group_norm_grad
from tinynet.replay.capture import Capture

from kernel_cases import assert_agree, assert_gradient, batches, dtypes, normal, orders, seeds, unmutated

# Shapes of a sample, axes, and the shape of gamma and beta: every order of kept and reduced axes.
LAYOUTS = [
    ((5,), (1,), (5,)),
    ((4, 3, 6), (3,), (6,)),
    ((4, 3, 6), (1, 2), (4, 3, 1)),
    ((4, 3, 6), (1, 2), (6,)),
    ((4, 3, 6), (1, 2, 3), (4, 3, 6)),
    ((4, 3, 6), (2,), (3, 1)),
    ((4, 3, 6), (1, 3), (4, 1, 6)),
    ((9, 5, 2, 4), (1, 2, 4), (2, 4)),
    ((2, 1, 40, 3), (3,), (1,)),
    ((2, 3, 2, 3, 2), (2, 4), (3, 1, 3, 1)),
    ((2, 3, 2, 3, 2), (1, 3, 5), (2, 1, 2, 1, 2)),  # changes its kind too often for the compiled loops
]
layouts = st.sampled_from(LAYOUTS)


def case(n, layout, dtype, order, seed):
    shape, axes, factors = layout
    rng = np.random.default_rng(seed)
    x = 2 * normal(rng, (n, *shape), dtype, order) + dtype(0.5)
    return rng, x, normal(rng, factors, dtype), normal(rng, factors, dtype), {"axes": axes, "epsilon": 1e-3}


def double(*arrays):
    return [np.asarray(array, np.float64) for array in arrays]


@pytest.mark.parametrize("name", ["numba", "cuda"])
@given(batches, layouts, dtypes, orders, orders, st.booleans(), seeds)
def test_compiled_agrees_with_double_precision(name, n, layout, dtype, order, gradient_order, centred, seed):
    rng, x, gamma, beta, static = case(n, layout, dtype, order, seed)
    g = normal(rng, x.shape, dtype, gradient_order)
    with unmutated(x, gamma, beta, g):
        found = group_norm[name](x, gamma, beta, centred=centred, **static)
        expected = group_norm["numpy"](*double(x, gamma, beta), centred=centred, **static)
        assert_agree(found, tuple(one.astype(dtype) for one in expected), float32=1e-5)
        mean, var = expected[1:]
        found = group_norm_grad[name](
            g, x, gamma, *(one.astype(dtype) for one in (mean, var)), centred=centred, **static
        )
        expected = group_norm_grad["numpy"](*double(g, x, gamma), mean, var, centred=centred, **static)
        assert_agree(found, tuple(one.astype(dtype) for one in expected), float32=2e-5)


@pytest.fixture(params=[16, 32, 64], ids=lambda width: f"{width}-byte vectors")
def _width(request, monkeypatch):
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(request.param))
    vectors.cache_clear()
    yield
    vectors.cache_clear()


@pytest.mark.usefixtures("_width")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_width_of_vectors(dtype):
    for n in (1, 16, 75):
        rng, x, gamma, beta, static = case(n, ((2, 2, 19), (1, 3), (2, 1, 19)), dtype, "batch_last", 0)
        g = normal(rng, x.shape, dtype)
        _, mean, var = expected = group_norm["numpy"](x, gamma, beta, **static)
        assert_agree(group_norm["numba"](x, gamma, beta, **static), expected, float32=1e-5)
        expected = group_norm_grad["numpy"](g, x, gamma, mean, var, **static)
        assert_agree(group_norm_grad["numba"](g, x, gamma, mean, var, **static), expected, float32=2e-5)


# Samples of which pieces are shared among the threads: whole ones, the last piece shorter; groups of less and
# of more than 8 channels; channels by themselves; groups that lie apart.
LARGE_LAYOUTS = [
    ((9, 37, 29), (1, 2, 3), (9, 37, 29)),
    ((31, 17, 5, 3), (1, 2, 4), (5, 3)),
    ((23, 15, 2, 9), (1, 2, 4), (2, 9)),
    ((601, 5), (1,), (5,)),
    ((2, 70, 61), (2, 3), (2, 1, 1)),
]


@pytest.mark.usefixtures("_width")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LARGE_LAYOUTS)
def test_large_samples_are_divided_into_pieces(layout, dtype):
    for n, centred in ((75, True), (16, False), (1, True)):
        rng, x, gamma, beta, static = case(n, layout, dtype, "batch_last", 0)
        assert group_norms.is_large(group_norms.blocks_of(x.shape, static["axes"]))
        g = normal(rng, x.shape, dtype)
        found = group_norm["numba"](x, gamma, beta, centred=centred, **static)
        expected = group_norm["numpy"](*double(x, gamma, beta), centred=centred, **static)
        _, mean, var = expected
        assert_agree(found, tuple(one.astype(dtype) for one in expected), float32=1e-5)
        np.testing.assert_allclose(found[2], var, rtol=1e-6 if dtype == np.float32 else 1e-13)
        statistics = [one.astype(dtype) for one in (mean, var)]
        found = group_norm_grad["numba"](g, x, gamma, *statistics, centred=centred, **static)
        expected = group_norm_grad["numpy"](*double(g, x, gamma), mean, var, centred=centred, **static)
        assert_agree(found, tuple(one.astype(dtype) for one in expected), float32=2e-5)


SMALL = (14, 14, 3), (1, 2, 3), (14, 14, 3)


@pytest.mark.parametrize("layout", [SMALL, *LARGE_LAYOUTS])
def test_a_sample_has_the_bits_that_it_has_among_others(layout):
    rng, x, gamma, beta, static = case(130, layout, np.float32, "batch_last", 4)
    g = normal(rng, x.shape, np.float32, "batch_last")
    y, mean, var = group_norm["numba"](x, gamma, beta, **static)
    dx = group_norm_grad["numba"](g, x, gamma, mean, var, **static)[0]
    for n in (1, 3, 16, 64):
        alone = group_norm["numba"](x[:n], gamma, beta, **static)
        gradient = group_norm_grad["numba"](g[:n], x[:n], gamma, *alone[1:], **static)
        for a, b in zip((*alone, gradient[0]), (y, mean, var, dx), strict=True):
            np.testing.assert_array_equal(a, b[:n])


@pytest.mark.parametrize("layout", LARGE_LAYOUTS)
def test_pieces_have_the_same_bits_whether_they_are_shared_or_not(layout, monkeypatch):
    rng, x, gamma, beta, static = case(40, layout, np.float32, "batch_last", 6)
    g, found = normal(rng, x.shape, np.float32, "batch_last"), []
    for large in (1, 1 << 40):
        monkeypatch.setattr(group_norms, "LARGE", large)
        y, mean, var = group_norm["numba"](x, gamma, beta, **static)
        dx = group_norm_grad["numba"](g, x, gamma, mean, var, **static)[0]
        found.append([a.tobytes() for a in (y, mean, var, dx)])
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["numpy", "numba", "cuda"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients(name, layout):
    rng, x, gamma, beta, static = case(5, layout, np.float64, "batch_last", 1)
    g = rng.standard_normal(x.shape)
    _, mean, var = group_norm[name](x, gamma, beta, **static)
    dx, dgamma, dbeta = group_norm_grad[name](g, x, gamma, mean, var, **static)

    def loss(x, gamma, beta):
        return (group_norm["numpy"](x, gamma, beta, **static)[0] * g).sum()

    full = np.broadcast_to(gamma, x.shape[1:]), np.broadcast_to(beta, x.shape[1:])
    assert_gradient(lambda x: loss(x, gamma, beta), x, dx, rng)
    assert_gradient(lambda gamma: loss(x, gamma, full[1]), full[0], dgamma, rng)
    assert_gradient(lambda beta: loss(x, full[0], beta), full[1], dbeta, rng)


@pytest.mark.parametrize("name", ["numpy", "numba", "cuda"])
def test_normalises(name):
    x = case(33, LAYOUTS[1], np.float64, "batch_last", 2)[1]
    one = np.ones(1)
    y, mean, var = group_norm[name](x, one, 0 * one, axes=(3,), epsilon=0.0)
    np.testing.assert_allclose(y.mean(3), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(3), 1, rtol=1e-12)
    np.testing.assert_allclose(mean, x.mean(3, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(var, x.var(3, keepdims=True), rtol=1e-12)
    y = group_norm[name](x, one, 0 * one, axes=(3,), epsilon=0.0, centred=False)[0]
    np.testing.assert_allclose((y**2).mean(3), 1, rtol=1e-12)


@pytest.mark.parametrize("name", ["numba", "cuda"])
def test_a_large_mean_costs_no_digits_of_the_variance(name):
    rng = np.random.default_rng(3)
    x = common.to_batch_last((1e4 + rng.standard_normal((20, 30, 30, 8))).astype(np.float32))
    expected = x.astype(np.float64).var((1, 2, 3), keepdims=True)
    one = np.ones(1, np.float32)
    var = group_norm[name](x, one, one, axes=(1, 2, 3), epsilon=1e-3)[2]
    np.testing.assert_allclose(var, expected, rtol=1e-5)


@pytest.mark.parametrize("layout", [SMALL, *LARGE_LAYOUTS])
@pytest.mark.parametrize("mean", [1e2, 1e4, 1e5])
def test_the_mean_of_a_piece_costs_no_digits_of_the_variance(layout, mean):
    """Nor do first rows that are far from all others, by which deviations are first measured."""
    shape, axes, _ = layout
    rng, one = np.random.default_rng(3), np.ones(1, np.float32)
    for first, tolerance in ((mean, 1e-6), (0, 4e-6)):
        x = (mean + rng.standard_normal((40, *shape))).astype(np.float32)
        x[:, : 1 if len(axes) > 1 else 8] += first - mean
        expected = x.astype(np.float64).var(axes, keepdims=True)
        var = group_norm["numba"](common.to_batch_last(x), one, one, axes=axes, epsilon=1e-3)[2]
        np.testing.assert_allclose(var, expected, rtol=tolerance)


@pytest.mark.parametrize(
    "layout",
    [((9, 8, 40), (3,), (40,)), ((9, 8, 40), (1, 2, 3), (9, 8, 40)), ((30, 20), (2,), (20,)), *LARGE_LAYOUTS],
)
def test_same_bits_at_any_number_of_threads(layout):
    rng, x, gamma, beta, static = case(70, layout, np.float32, "batch_last", 4)
    g = normal(rng, x.shape, np.float32, "batch_last")
    found, before = [], threads.get_num_threads()
    for count in (1, before):
        threads.set_num_threads(count)
        y, mean, var = group_norm(x, gamma, beta, **static)
        found.append(
            [a.tobytes() for a in (y, mean, var, *group_norm_grad(g, x, gamma, mean, var, **static))]
        )
    assert found[0] == found[1]


def test_can_be_replayed():
    rng, x, gamma, beta, static = case(20, LAYOUTS[7], np.float32, "batch_last", 5)
    with Capture() as capture:
        y, mean, var = group_norm(x, gamma, beta, **static)
        gradients = group_norm_grad(x, x, gamma, mean, var, **static)
    x[...] = rng.standard_normal(x.shape)
    gamma[...] = rng.standard_normal(gamma.shape)
    capture.program.run()
    expected = group_norm(x, gamma, beta, **static)
    expected = *expected, *group_norm_grad(x, x, gamma, *expected[1:], **static)
    for one, other in zip((y, mean, var, *gradients), expected, strict=True):
        np.testing.assert_array_equal(one, other)
