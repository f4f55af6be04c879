"""The exponentials of compiled loops against the C library's."""

import math

import numba
import numpy as np
import pytest

from tinynet.kernels import exponential


@numba.njit
def _apply(y, x, which):
    for i in range(x.size):
        if which == 0:
            y[i] = exponential.exp(x[i])
        elif which == 1:
            y[i] = exponential.expm1(x[i])
        elif which == 2:
            y[i] = exponential.tanh(x[i])
        else:
            y[i] = exponential.sigmoid(x[i])


EXPECTED = (
    math.exp,
    math.expm1,
    math.tanh,
    lambda v: 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v)),
)


@pytest.mark.parametrize("which", range(4), ids=["exp", "expm1", "tanh", "sigmoid"])
def test_to_the_rounding(which):
    grid = np.concatenate(
        [np.linspace(-708, 709.7, 20001), np.linspace(-2, 2, 4001), np.geomspace(1e-300, 1, 301)]
    )
    y = np.empty_like(grid)
    _apply(y, grid, which)
    np.testing.assert_allclose(y, [EXPECTED[which](v) for v in grid], rtol=1e-15, atol=0)


def test_ends_of_the_range():
    x = np.array([np.nan, np.inf, -np.inf, 710.0, -750.0, -740.0, 0.0])
    y = np.empty_like(x)
    _apply(y, x, 0)
    np.testing.assert_allclose(y, [np.nan, np.inf, 0, np.inf, 0, math.exp(-740.0), 1])
    _apply(y, x, 2)
    np.testing.assert_array_equal(y[:5], [np.nan, 1, -1, 1, -1])
