"""Batch normalisation on a GPU, and with the dropout behind it: launches of the kernels in batch_norm.cu."""

import math

from .batch_norm import batch_norm, batch_norm_grad, batch_norm_inference, follow
from .batch_norm_dropout import batch_norm_dropout, batch_norm_dropout_grad
from .common import Array, batch_last, contiguous, empty, in_c_order
from .cuda import FLOATS, Kernel
from .dropout import bits_shape, check_bits, check_words, keep_scale, threshold
from .elementwise import cast

DROPS = False, True  # whether a dropout follows

_part_moments = Kernel(__file__, "batch_norm.cu", "part_moments", registers=56, T=FLOATS, DROPS=DROPS)
_part_products = Kernel(__file__, "batch_norm.cu", "part_products", T=FLOATS, DROPS=DROPS)
_normalise = Kernel(__file__, "batch_norm.cu", "normalise", T=FLOATS, DROPS=DROPS)
_normalise_given = Kernel(__file__, "batch_norm.cu", "normalise_given", T=FLOATS)
_normalise_grad = Kernel(__file__, "batch_norm.cu", "normalise_grad", T=FLOATS, DROPS=DROPS)

THREADS = 256
PART = 1024  # elements of a channel that a block takes: so few that small batches have many blocks
MOST_PARTS = 128


def _shape(x: Array, bits: Array | None = None) -> tuple[tuple[int, int], dict[str, int]]:
    """The grid, channels by parts, and the sizes, which alone decide on it."""
    pixels, c, n = math.prod(x.shape[1:-1]), x.shape[-1], x.shape[0]
    row = 0 if bits is None else bits.shape[1]
    return (c, max(1, min(pixels * n // PART, MOST_PARTS))), {"p": pixels, "c": c, "n": n, "row": row}


def _small(like: Array, *arrays: Array) -> list[Array]:
    """Arrays of a number for each channel as the kernels take them."""
    return [contiguous(array, like.dtype) for array in arrays]


@batch_norm.implementation("cuda")
def _(
    x: Array, gamma: Array, beta: Array, moving_mean: Array | None = None, moving_var: Array | None = None,
    *, epsilon: float, momentum: float = 0.99,
) -> tuple[Array, ...]:  # fmt: skip
    moving = moving_mean, moving_var, momentum
    return _normalised(x, gamma, beta, moving, epsilon)


@batch_norm_dropout.implementation("cuda")
def _(
    x: Array, gamma: Array, beta: Array, words: Array, moving_mean: Array | None = None,
    moving_var: Array | None = None, *, epsilon: float, rate: float, momentum: float = 0.99,
) -> tuple[Array, ...]:  # fmt: skip
    check_words(words)
    moving, bits = (moving_mean, moving_var, momentum), in_c_order(x, bits_shape(x.shape), "uint16")
    return *_normalised(x, gamma, beta, moving, epsilon, rate, bits, contiguous(words)), bits


def _normalised(
    x: Array, gamma: Array, beta: Array, moving: tuple[Array | None, Array | None, float], epsilon: float,
    rate: float = 0.0, bits: Array | None = None, words: Array | None = None,
) -> tuple[Array, ...]:  # fmt: skip
    """(y, mean, var), with the dropout that follows where there are bits, which are drawn here."""
    (grid, sizes), pixels, variant = _shape(x, bits), batch_last(x), (x.dtype, bits is not None)
    y, parts, moments = empty(x, x.shape), in_c_order(x, (*grid, 3)), in_c_order(x, (2, grid[0]))
    _part_moments[variant](grid, (THREADS,), parts, bits, pixels, words, threshold(rate), sizes)
    mean, var, momentum = moving
    at_once = all(m is None or (m.flags.c_contiguous and m.dtype == x.dtype) for m in (mean, var))
    following = (*((mean, var) if at_once else (None, None)), momentum, 1 - momentum)
    arrays = batch_last(y), moments[0], moments[1], pixels, *_small(x, gamma, beta), parts
    _normalise[variant](grid, (THREADS,), *arrays, bits, keep_scale(rate), *following, epsilon, sizes)
    if not at_once:
        follow(mean, var, moments[0], moments[1], momentum=momentum)
    return y, moments[0], moments[1]


@batch_norm_grad.implementation("cuda")
def _(g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float) -> tuple[Array, ...]:
    return _gradients(g, x, gamma, mean, var, epsilon)


@batch_norm_dropout_grad.implementation("cuda")
def _(
    g: Array, bits: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float, rate: float
) -> tuple[Array, ...]:
    check_bits(bits, x.shape)
    return _gradients(g, x, gamma, mean, var, epsilon, rate, contiguous(bits))


def _gradients(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array, epsilon: float,
    rate: float = 0.0, bits: Array | None = None,
) -> tuple[Array, ...]:  # fmt: skip
    """(dx, dgamma, dbeta), through the dropout that followed where there are bits."""
    (grid, sizes), pixels, gradient = _shape(x, bits), batch_last(x), batch_last(cast(g, x.dtype))
    variant, dropped = (x.dtype, bits is not None), (bits, keep_scale(rate))
    dx, parts, factors = empty(x, x.shape), in_c_order(x, (*grid, 2)), in_c_order(x, (2, grid[0]))
    gamma, mean, var = _small(x, gamma, mean, var)
    _part_products[variant](grid, (THREADS,), parts, gradient, *dropped, pixels, mean, sizes)
    arrays = batch_last(dx), factors, gradient, *dropped, pixels, gamma, mean, var, parts
    _normalise_grad[variant](grid, (THREADS,), *arrays, epsilon, sizes)
    return dx, factors[0], factors[1]


@batch_norm_inference.implementation("cuda")
def _(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, *, epsilon: float) -> Array:
    (grid, sizes), y = _shape(x), empty(x, x.shape)
    arrays = batch_last(y), batch_last(x), *_small(x, gamma, beta, mean, var)
    _normalise_given[x.dtype](grid, (THREADS,), *arrays, epsilon, sizes)
    return y
