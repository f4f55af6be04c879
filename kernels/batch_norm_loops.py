"""The compiled loops of batch normalisation: which tiles (batch_norm_tiles.py) pass over which pixels.

Arrays are (pixels, C, N), as they lie in memory. There are two passes: one for the sums, one with the
constants that follow from them.

The loops over channels between the passes run from 0, over slices of the tables, and each writes one array.
So they become vector code: in arrays[first + c] Numba would ask of each index whether it counts from the end.
Of small batches they are half of the work.
"""

import math

import numpy as np

from .batch_norm_tiles import Tiles, run_tiles
from .common import MAX_ELEMENTS_ALONE, aligned, parallel, prange, serial

# Small maps are divided by channels: all passes over one are one thread's, which finds it in its cache. Large
# ones are divided into blocks of pixels, read as they lie in memory. Both by the shape alone: sums have the
# same bits at any number of threads.
MAX_PIXELS_BY_CHANNEL = 100
# Parts of the tiles, or blocks of pixels: at least so many, if there are as many, of at most so many bytes.
# (Arrays that stay on one thread have their tiles in one part: each begins anew with tables and loops.)
MIN_TASKS = 16
MAX_BLOCK_BYTES = 1 << 19
# The shift of a block is the mean of its first pixels, so that the block is read once. If they are a part
# 1 / m of the block, the sum of squares about their mean is at most m times that about the block's own,
# whatever x is: few digits can be lost.
SAMPLE_PIXELS = 8


def is_small(x: np.ndarray) -> bool:
    return math.prod(x.shape[1:-1]) <= MAX_PIXELS_BY_CHANNEL


def blocks_of(x: np.ndarray) -> int:
    return min(max(x.nbytes // MAX_BLOCK_BYTES, MIN_TASKS), math.prod(x.shape[1:-1]))


def tables(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Empty tables for tiles: (blocks, 5, C) for the sums of each block,
    (4, C) for the constants that follow from them.
    """
    return aligned((1 if is_small(x) else blocks_of(x), 5, x.shape[-1]), x.dtype), aligned(
        (4, x.shape[-1]), x.dtype
    )


@serial
def _tasks(x, count):  # type: ignore[no-untyped-def]
    """Into how many parts the tiles of all channels are divided, `count` at most."""
    if x.size <= MAX_ELEMENTS_ALONE:
        return 1
    return min(max(x.size * x.itemsize // MAX_BLOCK_BYTES, MIN_TASKS), count)


@parallel
def normalise_by_channel(y, mean, var, sums, constants, x, gamma, beta, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, count = x.shape[0], len(tiles.first)
    tasks = _tasks(x, count)
    for i in prange(tasks):
        first, end = i * count // tasks, (i + 1) * count // tasks
        channels = tiles.first[first, 1], tiles.first[end - 1, 2]
        run_tiles(tiles.first[first:end], tiles.lanes, sums[0], y, x, x, 0, pixels, pixels)
        _statistics(channels, mean, var, constants, sums, x, gamma, beta, tiles.epsilon)
        run_tiles(tiles.second[first:end], tiles.lanes, constants, y, x, x, 0, pixels, pixels)


@parallel
def normalise_by_block(y, mean, var, sums, constants, x, gamma, beta, tiles):  # type: ignore[no-untyped-def]
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
    centre, central, count = np.zeros(end - first), np.zeros(end - first), pixels * images
    for b in range(blocks):
        n, shift, total = _numbers_of(b, blocks, x), sums[b, 0, first:end], sums[b, 1, first:end]
        for c in range(len(centre)):
            centre[c] += n * np.float64(shift[c]) + total[c]
    for c in range(len(centre)):
        centre[c] /= count
    for b in range(blocks):
        n, shift, total = _numbers_of(b, blocks, x), sums[b, 0, first:end], sums[b, 1, first:end]
        squares = sums[b, 2, first:end]
        for c in range(len(centre)):
            d = shift[c] - centre[c]
            central[c] += squares[c] + d * (2 * np.float64(total[c]) + n * d)
    for c in range(len(centre)):
        variance = central[c] / count
        central[c] = 0.0 if variance < 0 else variance  # NaN stays
    scale, gamma = constants[1, first:end], gamma[first:end]
    for c in range(len(centre)):
        scale[c] = gamma[c] / np.sqrt(central[c] + epsilon)
    _copy(mean[first:end], centre)
    _copy(var[first:end], central)
    _copy(constants[0, first:end], mean[first:end])
    _copy(constants[2, first:end], beta[first:end])


@serial
def _numbers_of(block, blocks, x):  # type: ignore[no-untyped-def]
    """How many numbers of a channel are in a block of pixels."""
    pixels, _, images = x.shape
    return ((block + 1) * pixels // blocks - block * pixels // blocks) * images


@serial
def _copy(target, source):  # type: ignore[no-untyped-def]
    for c in range(len(target)):
        target[c] = source[c]


@parallel
def gradient_by_channel(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, count = x.shape[0], len(tiles.first)
    tasks = _tasks(x, count)
    for i in prange(tasks):
        first, end = i * count // tasks, (i + 1) * count // tasks
        channels = start, stop = tiles.first[first, 1], tiles.first[end - 1, 2]
        _copy(sums[0, 0, start:stop], mean[start:stop])
        run_tiles(tiles.first[first:end], tiles.lanes, sums[0], dx, g, x, 0, pixels, 0)
        _coefficients(channels, factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
        for row in range(len(constants)):
            _copy(sums[0, row, start:stop], constants[row, start:stop])
        run_tiles(tiles.second[first:end], tiles.lanes, sums[0], dx, g, x, 0, pixels, 0)
        _add_rectified(channels, factors, sums)


@parallel
def gradient_by_block(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    (pixels, channels, _), blocks = x.shape, len(sums)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        _copy(sums[b, 0], mean)
        run_tiles(tiles.first, tiles.lanes, sums[b], dx, g, x, first, end, 0)
    _coefficients((0, channels), factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        for row in range(len(constants)):
            _copy(sums[b, row], constants[row])
        run_tiles(tiles.second, tiles.lanes, sums[b], dx, g, x, first, end, 0)
    _add_rectified((0, channels), factors, sums)


@serial
def _coefficients(channels, factors, constants, sums, x, gamma, mean, var, epsilon):  # type: ignore[no-untyped-def]
    """dgamma, dbeta, and the constants of dx = a (g - mean of g) - k (x - mean),
    from sum g and product = sum g (x - mean).

    product = dgamma s, so xhat dgamma / M / s = (x - mean) product / (M s**3) before gamma.
    """
    (first, end), count = channels, x.shape[0] * x.shape[2]
    total, product, inverse = np.zeros(end - first), np.zeros(end - first), np.empty(end - first)
    gamma, var = gamma[first:end], var[first:end]
    for b in range(len(sums)):
        _add(total, sums[b, 1, first:end])
        _add(product, sums[b, 2, first:end])
    for c in range(len(inverse)):
        inverse[c] = 1.0 / np.sqrt(var[c] + epsilon)
    dgamma, mean_g = factors[0, first:end], constants[1, first:end]
    a, minus_k = constants[2, first:end], constants[3, first:end]
    for c in range(len(inverse)):
        dgamma[c] = product[c] * inverse[c]
    for c in range(len(inverse)):
        mean_g[c] = total[c] / count
    for c in range(len(inverse)):
        a[c] = gamma[c] * inverse[c]
    for c in range(len(inverse)):
        minus_k[c] = -gamma[c] * inverse[c] ** 3 * product[c] / count
    _copy(factors[1, first:end], total)
    _copy(constants[0, first:end], mean[first:end])


@serial
def _add(total, terms):  # type: ignore[no-untyped-def]
    for c in range(len(total)):
        total[c] += terms[c]


@serial
def _add_rectified(channels, factors, sums):  # type: ignore[no-untyped-def]
    """Row 2 of the factors, if there is one: what tiles of a rectified x have left in row 4 of the blocks."""
    first, end = channels
    for row in range(2, len(factors)):
        total = np.zeros(end - first)
        for b in range(len(sums)):
            _add(total, sums[b, 4, first:end])
        _copy(factors[row, first:end], total)


@parallel
def normalise_given(y, constants, x, gamma, beta, mean, var, blocks, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, epsilon = x.shape[0], tiles.epsilon
    scale = constants[1]
    for c in range(len(scale)):
        scale[c] = gamma[c] / np.sqrt(var[c] + epsilon)
    _copy(constants[0], mean)
    _copy(constants[2], beta)
    for b in prange(blocks):
        run_tiles(
            tiles.second, tiles.lanes, constants, y, x, x, b * pixels // blocks, (b + 1) * pixels // blocks, 0
        )
