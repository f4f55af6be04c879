"""Batch normalisation on a GPU: launches of the kernels in batch_norm.cu."""

import math

from .batch_norm import batch_norm, batch_norm_grad, batch_norm_inference
from .common import Array, batch_last, contiguous, empty, in_c_order
from .cuda import FLOATS, Kernel
from .elementwise import cast

_part_moments = Kernel(__file__, "batch_norm.cu", "part_moments", T=FLOATS)
_part_products = Kernel(__file__, "batch_norm.cu", "part_products", T=FLOATS)
_normalise = Kernel(__file__, "batch_norm.cu", "normalise", T=FLOATS)
_normalise_given = Kernel(__file__, "batch_norm.cu", "normalise_given", T=FLOATS)
_normalise_grad = Kernel(__file__, "batch_norm.cu", "normalise_grad", T=FLOATS)

THREADS = 256
PART = 4096  # elements of a channel that a block takes: they stay in its multiprocessor's cache
MOST_PARTS = 128


def _shape(x: Array) -> tuple[tuple[int, int], dict[str, int]]:
    """The grid, channels by parts, and the sizes, which alone decide on it."""
    pixels, c, n = math.prod(x.shape[1:-1]), x.shape[-1], x.shape[0]
    return (c, max(1, min(pixels * n // PART, MOST_PARTS))), {"p": pixels, "c": c, "n": n}


def _small(like: Array, *arrays: Array) -> list[Array]:
    """Arrays of a number for each channel as the kernels take them."""
    return [contiguous(array, like.dtype) for array in arrays]


@batch_norm.implementation("cuda")
def _(x: Array, gamma: Array, beta: Array, *, epsilon: float) -> tuple[Array, ...]:
    (grid, sizes), pixels = _shape(x), batch_last(x)
    y, parts, moments = empty(x, x.shape), in_c_order(x, (*grid, 3)), in_c_order(x, (2, grid[0]))
    _part_moments[x.dtype](grid, (THREADS,), parts, pixels, sizes)
    arrays = batch_last(y), moments[0], moments[1], pixels, *_small(x, gamma, beta), parts
    _normalise[x.dtype](grid, (THREADS,), *arrays, epsilon, sizes)
    return y, moments[0], moments[1]


@batch_norm_grad.implementation("cuda")
def _(g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float) -> tuple[Array, ...]:
    (grid, sizes), pixels, gradient = _shape(x), batch_last(x), batch_last(cast(g, x.dtype))
    dx, parts, factors = empty(x, x.shape), in_c_order(x, (*grid, 2)), in_c_order(x, (2, grid[0]))
    gamma, mean, var = _small(x, gamma, mean, var)
    _part_products[x.dtype](grid, (THREADS,), parts, gradient, pixels, mean, sizes)
    arrays = batch_last(dx), factors, gradient, pixels, gamma, mean, var, parts
    _normalise_grad[x.dtype](grid, (THREADS,), *arrays, epsilon, sizes)
    return dx, factors[0], factors[1]


@batch_norm_inference.implementation("cuda")
def _(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, *, epsilon: float) -> Array:
    (grid, sizes), y = _shape(x), empty(x, x.shape)
    arrays = batch_last(y), batch_last(x), *_small(x, gamma, beta, mean, var)
    _normalise_given[x.dtype](grid, (THREADS,), *arrays, epsilon, sizes)
    return y
