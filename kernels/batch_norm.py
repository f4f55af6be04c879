"""Batch normalisation: every channel to mean 0 and variance 1 over the batch, then scaled and shifted.

    mean = E[x],  var = E[(x - mean)**2]                  over all axes but the last; biased (divided by the count M)
    xhat = (x - mean) / sqrt(var + epsilon),   y = gamma xhat + beta

Backward, with the sums over the same axes (mean and var are functions of x, which gives the two sums in dx):

    dbeta = sum g,   dgamma = sum g xhat
    dx = gamma / sqrt(var + epsilon) * (g - dbeta / M - xhat dgamma / M)

Where dx comes from: with s = sqrt(var + epsilon), h = gamma g and L the loss, x acts on L directly, through the mean and
through the variance (d mean / dx = 1 / M,  d var / dx = 2 (x - mean) / M):

    dL/dvar = - sum(h xhat) / (2 s**2)
    dL/dmean = - sum(h) / s                              (the way through var adds nothing: sum(x - mean) = 0)
    dx = h / s + dL/dmean / M + dL/dvar 2 (x - mean) / M = (h - sum(h) / M - xhat sum(h xhat) / M) / s

and sum(h) = gamma dbeta, sum(h xhat) = gamma dgamma.

An example by hand: one channel of four numbers, epsilon = 4, gamma = 3, beta = 1. The loss is the first y.

    x = 1, 3, 5, 7                  mean = 4,  var = (9 + 1 + 1 + 9) / 4 = 5,  s = sqrt(5 + 4) = 3
    xhat = -1, -1/3, 1/3, 1         y = -2, 0, 2, 4
    g = 1, 0, 0, 0                  dbeta = 1,  dgamma = -1
    dx = 3/3 (g - 1/4 + xhat / 4) = 1/2, -1/3, -1/6, 0    (its sum is 0: a shift of all of x changes nothing)

`python examples/batch_norm_in_every_form.py` computes it by these formulas, on the tape, by finite differences, in
NumPy and with register tiles, and prints what each form has in hand on the way.

S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithm 1 and section 3. epsilon lies inside the root.
"""

import math
from typing import Any

import numpy as np

from .batch_norm_tiles import Tiles, combine_tile, gradient_sums_tile, moments_tile, normalise_tile, plan, run_tiles
from .common import Array, aligned, batch_last, empty, launch, operation, parallel, prange, serial, xp
from .emit import vectors
from .reduce import in_double


@operation("numpy", family="batch_norm")
def batch_norm(x: Array, gamma: Array, beta: Array, *, epsilon: float) -> tuple[Array, Array, Array]:
    """x (N, ..., C), gamma and beta (C,) -> (y as x, mean (C,), var (C,)), var biased."""
    xp_, axes, count = xp(x), tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean = in_double(x, axes) / count
    centred = x - mean
    var = in_double(centred * centred, axes) / count
    return centred * (gamma / xp_.sqrt(var + epsilon)) + beta, mean, var


@batch_norm.implementation("numba")
def _(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, epsilon: float) -> tuple[np.ndarray, ...]:
    y, mean, var = empty(x, x.shape), aligned(x.shape[-1:], x.dtype), aligned(x.shape[-1:], x.dtype)
    loop = _batch_norm_by_channel if _is_small(x) else _batch_norm_by_block
    tiles = Tiles(plan(moments_tile, x), plan(normalise_tile, x), vectors(x.dtype).lanes, epsilon)
    loop(_rows(y), mean, var, *_tables(x), _rows(x), gamma, beta, tuple(tiles))
    return y, mean, var


# Small maps are divided by channels: all passes over one are one thread's, which finds it in its cache. Large ones are divided
# into blocks of pixels, read as they lie in memory. Both by the shape alone: sums have the same bits at any number of threads.
MAX_PIXELS_BY_CHANNEL = 100
# Parts of the tiles, or blocks of pixels: at least so many, if there are as many, of at most so many bytes.
MIN_TASKS = 16
MAX_BLOCK_BYTES = 1 << 19
# The shift of a block is the mean of its first pixels, so that the block is read once. If they are a part 1 / m of the block,
# the sum of squares about their mean is at most m times that about the block's own, whatever x is: few digits can be lost.
SAMPLE_PIXELS = 8


def _is_small(x: np.ndarray) -> bool:
    return math.prod(x.shape[1:-1]) <= MAX_PIXELS_BY_CHANNEL


def explain(x: tuple[int, ...], *, dtype: Any = np.float32, epsilon: float = 0.0) -> str:
    """Says how the work on x (N, ..., C) is divided, and why."""
    pixels = math.prod(x[1:-1])
    most = MAX_PIXELS_BY_CHANNEL
    divided = f"by blocks of pixels, read as they lie in memory: maps of {pixels} pixels, more than {most}"
    if pixels <= most:
        divided = f"by channels: maps of {pixels} pixels, {most} at most, stay in one thread's cache"
    return f"batch_norm {x}, {np.dtype(dtype)}\n  register tiles of a few channels, divided {divided}"


def _blocks(x: np.ndarray) -> int:
    return min(max(x.nbytes // MAX_BLOCK_BYTES, MIN_TASKS), math.prod(x.shape[1:-1]))


def _tables(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Empty tables for tiles: (blocks, 3, C) for the sums of each block, (4, C) for the constants that follow from them."""
    return aligned((1 if _is_small(x) else _blocks(x), 3, x.shape[-1]), x.dtype), aligned((4, x.shape[-1]), x.dtype)


@parallel
def _batch_norm_by_channel(y, mean, var, sums, constants, x, gamma, beta, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, count = x.shape[0], len(tiles.first)
    tasks = min(max(x.size * x.itemsize // MAX_BLOCK_BYTES, MIN_TASKS), count)
    for i in prange(tasks):
        first, end = i * count // tasks, (i + 1) * count // tasks
        channels = tiles.first[first, 1], tiles.first[end - 1, 2]
        run_tiles(tiles.first[first:end], tiles.lanes, sums[0], y, x, x, 0, pixels, pixels)
        _statistics(channels, mean, var, constants, sums, x, gamma, beta, tiles.epsilon)
        run_tiles(tiles.second[first:end], tiles.lanes, constants, y, x, x, 0, pixels, pixels)


@parallel
def _batch_norm_by_block(y, mean, var, sums, constants, x, gamma, beta, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, blocks = x.shape[0], len(sums)
    for b in prange(blocks):  # g, which these tiles do not read, is given as x
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        run_tiles(tiles.first, tiles.lanes, sums[b], y, x, x, first, end, SAMPLE_PIXELS)
    _statistics((0, x.shape[1]), mean, var, constants, sums, x, gamma, beta, tiles.epsilon)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        run_tiles(tiles.second, tiles.lanes, constants, y, x, x, first, end, 0)


@serial
def _statistics(channels, mean, var, constants, sums, x, gamma, beta, epsilon):  # type: ignore[no-untyped-def]
    """Mean, variance and constants of the channels from the sums of the blocks, added in double precision.

    With d = shift - mean, a block of n numbers has   sum x = n shift + sum (x - shift)   and
    sum (x - mean)**2 = sum (x - shift)**2 + 2 d sum (x - shift) + n d**2.
    """
    (first, end), (pixels, _, images), blocks = channels, x.shape, len(sums)
    centre, central = np.zeros(end - first), np.zeros(end - first)
    for b in range(blocks):
        n, shift, total = ((b + 1) * pixels // blocks - b * pixels // blocks) * images, sums[b, 0], sums[b, 1]
        for c in range(first, end):
            centre[c - first] += n * np.float64(shift[c]) + total[c]
    for c in range(first, end):
        centre[c - first] /= pixels * images
    for b in range(blocks):
        n, shift = ((b + 1) * pixels // blocks - b * pixels // blocks) * images, sums[b, 0]
        total, squares = sums[b, 1], sums[b, 2]
        for c in range(first, end):
            d = shift[c] - centre[c - first]
            central[c - first] += squares[c] + d * (2 * np.float64(total[c]) + n * d)
    for c in range(first, end):
        variance = central[c - first] / (pixels * images)
        variance = 0.0 if variance < 0 else variance  # NaN stays
        mean[c], var[c] = centre[c - first], variance
        constants[0, c], constants[1, c], constants[2, c] = mean[c], gamma[c] / np.sqrt(variance + epsilon), beta[c]


@operation("numpy", family="batch_norm")
def batch_norm_grad(g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float) -> tuple[Array, Array, Array]:
    """g and x (N, ..., C), the rest (C,) -> (dx as x, dgamma (C,), dbeta (C,))."""
    xp_ = xp(x)
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    inverse = 1.0 / xp_.sqrt(var + epsilon)
    xhat = (x - mean) * inverse
    dbeta, dgamma = in_double(g, axes), in_double(g * xhat, axes)
    dx = (gamma * inverse) * (g - dbeta / count - xhat * (dgamma / count))
    return dx, dgamma, dbeta


@batch_norm_grad.implementation("numba")
def _(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> tuple[np.ndarray, ...]:
    g = np.asarray(g, x.dtype)
    dx, factors = empty(x, x.shape), aligned((2, *gamma.shape), gamma.dtype)  # dgamma and dbeta (2, C)
    loop = _batch_norm_grad_by_channel if _is_small(x) else _batch_norm_grad_by_block
    tiles = Tiles(plan(gradient_sums_tile, x), plan(combine_tile, x), vectors(x.dtype).lanes, epsilon)
    loop(_rows(dx), factors, *_tables(x), _rows(g), _rows(x), gamma, mean, var, tuple(tiles))
    return dx, factors[0], factors[1]


@parallel
def _batch_norm_grad_by_channel(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, count = x.shape[0], len(tiles.first)
    tasks = min(max(x.size * x.itemsize // MAX_BLOCK_BYTES, MIN_TASKS), count)
    for i in prange(tasks):
        first, end = i * count // tasks, (i + 1) * count // tasks
        channels = tiles.first[first, 1], tiles.first[end - 1, 2]
        _copy(sums[0, 0], mean, channels)
        run_tiles(tiles.first[first:end], tiles.lanes, sums[0], dx, g, x, 0, pixels, 0)
        _coefficients(channels, factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
        run_tiles(tiles.second[first:end], tiles.lanes, constants, dx, g, x, 0, pixels, 0)


@parallel
def _batch_norm_grad_by_block(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    (pixels, channels, _), blocks = x.shape, len(sums)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        _copy(sums[b, 0], mean, (0, channels))
        run_tiles(tiles.first, tiles.lanes, sums[b], dx, g, x, first, end, 0)
    _coefficients((0, channels), factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        run_tiles(tiles.second, tiles.lanes, constants, dx, g, x, first, end, 0)


@serial
def _copy(target, source, channels):  # type: ignore[no-untyped-def]
    for c in range(channels[0], channels[1]):
        target[c] = source[c]


@serial
def _coefficients(channels, factors, constants, sums, x, gamma, mean, var, epsilon):  # type: ignore[no-untyped-def]
    """dgamma, dbeta, and the constants of dx = a (g - mean of g) - k (x - mean), from sum g and product = sum g (x - mean).

    product = dgamma s, so xhat dgamma / M / s = (x - mean) product / (M s**3) before gamma.
    """
    (first, end), count = channels, x.shape[0] * x.shape[2]
    total, product = np.zeros(end - first), np.zeros(end - first)
    for b in range(len(sums)):
        for c in range(first, end):
            total[c - first] += sums[b, 1, c]
            product[c - first] += sums[b, 2, c]
    for c in range(first, end):
        inverse = 1.0 / np.sqrt(var[c] + epsilon)
        factors[0, c], factors[1, c] = product[c - first] * inverse, total[c - first]
        constants[0, c], constants[1, c] = mean[c], total[c - first] / count
        constants[2, c], constants[3, c] = gamma[c] * inverse, -gamma[c] * inverse**3 * product[c - first] / count


@operation("numpy", family="batch_norm")
def batch_norm_inference(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, *, epsilon: float) -> Array:
    """The same y from given statistics: x (N, ..., C), the rest (C,) -> y as x."""
    return (x - mean) * (gamma / xp(x).sqrt(var + epsilon)) + beta


@batch_norm_inference.implementation("numba")
def _(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float) -> np.ndarray:
    y, constants, tiles = empty(x, x.shape), aligned((4, x.shape[-1]), x.dtype), plan(normalise_tile, x)
    numbers = Tiles(tiles, tiles, vectors(x.dtype).lanes, epsilon)
    _batch_norm_inference(_rows(y), constants, _rows(x), gamma, beta, mean, var, _blocks(x), tuple(numbers))
    return y


@parallel
def _batch_norm_inference(y, constants, x, gamma, beta, mean, var, blocks, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, epsilon = x.shape[0], tiles.epsilon
    for c in range(x.shape[1]):
        constants[0, c], constants[1, c], constants[2, c] = mean[c], gamma[c] / np.sqrt(var[c] + epsilon), beta[c]
    for b in prange(blocks):
        run_tiles(tiles.second, tiles.lanes, constants, y, x, x, b * pixels // blocks, (b + 1) * pixels // blocks, 0)


def follow(moving_mean: Array, moving_var: Array, mean: Array, var: Array, *, momentum: float) -> None:
    """moving <- momentum moving + (1 - momentum) batch, in place, for both statistics."""
    if isinstance(mean, np.ndarray):
        keep, take = (moving_mean.dtype.type(factor) for factor in (momentum, 1 - momentum))
        launch(_follow, moving_mean, moving_var, mean, var, keep, take)
    else:
        moving_mean[...] = moving_mean * momentum + mean * (1 - momentum)
        moving_var[...] = moving_var * momentum + var * (1 - momentum)


@serial
def _follow(moving_mean, moving_var, mean, var, keep, take):  # type: ignore[no-untyped-def]
    for c in range(mean.size):
        moving_mean[c] = moving_mean[c] * keep + mean[c] * take
        moving_var[c] = moving_var[c] * keep + var[c] * take


def _rows(x: np.ndarray) -> np.ndarray:
    """View (pixels, C, N) of an array (N, ..., C) in batch-last memory: a row per pixel and channel."""
    return batch_last(x).reshape(math.prod(x.shape[1:-1]), x.shape[-1], x.shape[0])
