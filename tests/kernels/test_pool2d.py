"""Pooling: every implementation against a window-by-window definition,
its adjoints and finite differences.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.pool2d import (
    average_pool2d,
    average_pool2d_grad,
    max_pool2d,
    max_pool2d_gather,
    max_pool2d_grad,
)

from kernel_cases import (
    assert_agree,
    assert_gradient,
    batches,
    distinct,
    dtypes,
    normal,
    orders,
    seeds,
    unmutated,
)

IMPLEMENTATIONS = ("numpy", "numba", "naive", "cuda")
implementations = st.sampled_from(IMPLEMENTATIONS)
PLAIN = {"pool_size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}


@st.composite
def poolings(draw):
    """Image size and the static arguments of a pooling that fits it: any stride,
    explicit padding below the window.
    """
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1))) for k in window)
    size = tuple(draw(st.integers(max(1, k - sum(pads)), 8)) for k, pads in zip(window, padding, strict=True))
    strides = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return size, {"pool_size": window, "strides": strides, "padding": padding}


def windows(size, pool_size, strides, padding):
    """Every window as ((oh, ow), image rows, image columns, first row, first column): the definition."""
    axes = zip(size, pool_size, strides, padding, strict=True)
    tops, lefts = (range(-pads[0], n + pads[1] - k + 1, s) for n, k, s, pads in axes)
    for oh, top in enumerate(tops):
        for ow, left in enumerate(lefts):
            rows = slice(max(top, 0), min(top + pool_size[0], size[0]))
            columns = slice(max(left, 0), min(left + pool_size[1], size[1]))
            yield (oh, ow), rows, columns, top, left


@pytest.mark.gpu
@given(poolings(), batches, st.integers(1, 3), dtypes, orders, seeds)
def test_max_pool_is_the_maximum_of_each_window(pooling, n, c, dtype, order, seed):
    size, static = pooling
    rng = np.random.default_rng(seed)
    x = np.round(normal(rng, (n, *size, c), dtype, order))  # rounded: many ties
    with unmutated(x):
        results = {name: max_pool2d[name](x, **static) for name in IMPLEMENTATIONS}
    y, index = results["numba"]
    for (oh, ow), rows, columns, top, left in windows(size, **static):
        patch = np.asarray(x[:, rows, columns, :]).reshape(n, -1, c)
        first = patch.argmax(1)
        np.testing.assert_array_equal(y[:, oh, ow], patch.max(1))
        kh = first // (columns.stop - columns.start) + rows.start - top
        kw = first % (columns.stop - columns.start) + columns.start - left
        np.testing.assert_array_equal(index[:, oh, ow], kh * static["pool_size"][1] + kw)
    for name in IMPLEMENTATIONS:
        np.testing.assert_array_equal(results[name][0], y)
        np.testing.assert_array_equal(results[name][1], index)
        assert results[name][0].dtype == dtype
        assert results[name][1].dtype == np.uint8
        assert common.is_batch_last(results[name][0])


@pytest.mark.gpu
@given(poolings(), batches, st.integers(1, 3), dtypes, orders, seeds)
def test_max_pool_gradient_and_its_adjoint(pooling, n, c, dtype, order, seed):
    size, static = pooling
    rng = np.random.default_rng(seed)
    x = normal(rng, (n, *size, c), dtype, order)
    y, index = max_pool2d(x, **static)
    g = normal(rng, y.shape, dtype, order)
    with unmutated(g, index, x):
        expected = max_pool2d_grad["numpy"](g, index, input_size=size, **static)
        for name in IMPLEMENTATIONS:
            assert_agree(max_pool2d_grad[name](g, index, input_size=size, **static), expected)
            np.testing.assert_array_equal(max_pool2d_gather[name](x, index, **static), y)
    assert (g * y).sum(dtype=np.float64) == pytest.approx(
        (expected * x).sum(dtype=np.float64), rel=1e-4, abs=1e-3
    )


@pytest.mark.gpu
@given(poolings(), implementations, seeds)
def test_max_pool_derivative(pooling, name, seed):
    size, static = pooling
    rng = np.random.default_rng(seed)
    x = distinct(rng, (3, *size, 2))
    y, index = max_pool2d[name](x, **static)
    g = rng.standard_normal(y.shape)
    dx = max_pool2d_grad[name](g, index, input_size=size, **static)
    assert_gradient(lambda v: (max_pool2d[name](v, **static)[0] * g).sum(), x, dx, rng)


@pytest.mark.gpu
@given(poolings(), batches, st.integers(1, 3), dtypes, orders, seeds)
def test_average_pool_is_the_mean_of_the_image_cells(pooling, n, c, dtype, order, seed):
    size, static = pooling
    rng = np.random.default_rng(seed)
    x = normal(rng, (n, *size, c), dtype, order)
    with unmutated(x):
        results = {name: average_pool2d[name](x, **static) for name in IMPLEMENTATIONS}
    for (oh, ow), rows, columns, *_ in windows(size, **static):
        expected = np.asarray(x[:, rows, columns, :], np.float64).mean((1, 2))
        for name in IMPLEMENTATIONS:
            tolerance = 1e-6 if dtype == np.float32 else 1e-14
            np.testing.assert_allclose(results[name][:, oh, ow], expected, rtol=tolerance, atol=tolerance)
    assert all(y.dtype == dtype and common.is_batch_last(y) for y in results.values())


@pytest.mark.gpu
@given(poolings(), batches, dtypes, orders, seeds)
def test_average_pool_gradient(pooling, n, dtype, order, seed):
    size, static = pooling
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, *size, 2))
    g = normal(rng, average_pool2d(x, **static).shape, dtype, order)
    with unmutated(g):
        results = {name: average_pool2d_grad[name](g, input_size=size, **static) for name in IMPLEMENTATIONS}
    for dx in results.values():
        assert_agree(dx, results["numpy"])
        adjoint = (average_pool2d(x, **static) * g).sum()
        assert (dx * x).sum() == pytest.approx(adjoint, rel=1e-4, abs=1e-3 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_padding_never_wins(name):
    """All-negative and all -inf images: the maximum and its index are an image cell's."""
    static = {"pool_size": (3, 3), "strides": (2, 2), "padding": ((1, 1), (1, 1))}
    for value in (-5.0, -np.inf):
        x = np.full((2, 4, 4, 1), value)
        y, index = max_pool2d[name](x, **static)
        assert (y == value).all()
        assert index[0, 0, 0, 0] == 4  # the window's centre is the image's corner
        dx = max_pool2d_grad[name](np.ones_like(y), index, input_size=(4, 4), **static)
        assert dx.sum() == y.size


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_first_of_equal_maxima_gets_the_gradient(name):
    y, index = max_pool2d[name](np.ones((1, 2, 2, 1)), **PLAIN)
    dx = max_pool2d_grad[name](y, index, input_size=(2, 2), **PLAIN)
    assert dx.ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("position", range(4))
def test_nan_wins(name, position):
    x = np.arange(4.0)
    x[position] = np.nan
    y, index = max_pool2d[name](x.reshape(1, 2, 2, 1), **PLAIN)
    assert np.isnan(y.item())
    assert index.item() == position


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_large_windows_have_wide_indices(name):
    static = {"pool_size": (20, 20), "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    x = np.arange(400.0).reshape(1, 20, 20, 1)
    y, index = max_pool2d[name](x, **static)
    assert index.dtype == np.int32
    assert (y.item(), index.item()) == (399, 399)
    assert max_pool2d_grad[name](y, index, input_size=(20, 20), **static).ravel()[399] == 399


@pytest.mark.parametrize("pool", [max_pool2d, average_pool2d])
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_impossible_windows_are_refused(pool, name):
    x = np.ones((1, 3, 3, 1))
    with pytest.raises(ValueError, match="does not fit"):
        pool[name](x, pool_size=(4, 4), strides=(1, 1), padding=((0, 0), (0, 0)))
    with pytest.raises(ValueError, match="nothing but padding"):
        pool[name](x, pool_size=(2, 2), strides=(1, 1), padding=((2, 0), (0, 0)))
