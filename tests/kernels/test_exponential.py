"""The exponentials of compiled loops against the C library's, and NumPy's in double precision."""

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
        elif which == 3:
            y[i] = exponential.sigmoid(x[i])
        else:
            y[i] = exponential.log1p(x[i])


NAMES = ("exp", "expm1", "tanh", "sigmoid", "log1p")
EXPECTED = (
    math.exp,
    math.expm1,
    math.tanh,
    lambda v: 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v)),
    math.log1p,
)
VECTORS = (np.exp, np.expm1, np.tanh, lambda v: np.exp(np.minimum(v, 0)) / (1 + np.exp(-abs(v))), np.log1p)
ULP = (1.1, 1.5, 2.3, 2.4, 2.0)  # as kernels/exponential/single.py has it


@pytest.mark.parametrize("which", range(5), ids=NAMES)
def test_to_the_rounding(which):
    grid = np.concatenate(
        [np.linspace(-708, 709.7, 20001), np.linspace(-2, 2, 4001), np.geomspace(1e-300, 1, 301)]
    )
    if NAMES[which] == "log1p":
        grid = grid[(grid >= 0) & (grid <= 1)]
    y = np.empty_like(grid)
    _apply(y, grid, which)
    np.testing.assert_allclose(y, [EXPECTED[which](v) for v in grid], rtol=1e-15, atol=0)


@pytest.mark.parametrize("which", range(5), ids=NAMES)
def test_ulp_in_single_precision(which):
    """Every 997th float32 of all that there are."""
    x = np.arange(0, 2**32, 997, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = x[np.isfinite(x)]
    if NAMES[which] == "log1p":
        x = x[(x >= 0) & (x <= 1)]
    y = np.empty_like(x)
    _apply(y, x, which)
    with np.errstate(over="ignore", under="ignore"):
        exact = VECTORS[which](x.astype(np.float64))
        rounded = exact.astype(np.float32)
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(rounded))
    normal = np.isfinite(rounded) & (abs(exact) >= np.finfo(np.float32).tiny)
    error = abs(y[normal] - exact[normal]) / np.spacing(abs(rounded[normal]))
    assert error.max() <= ULP[which]
    np.testing.assert_allclose(
        y[~normal & np.isfinite(rounded)], exact[~normal & np.isfinite(rounded)], atol=3e-45
    )


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float64, -740.0), (np.float32, -103.0)])
def test_ends_of_the_range(dtype, lowest):
    x = np.array([np.nan, np.inf, -np.inf, 710.0, -750.0, lowest, 0.0], dtype)
    y = np.empty_like(x)
    _apply(y, x, 0)
    np.testing.assert_allclose(y, np.array([np.nan, np.inf, 0, np.inf, 0, math.exp(lowest), 1], dtype))
    _apply(y, x, 2)
    np.testing.assert_array_equal(y[:5], [np.nan, 1, -1, 1, -1])
