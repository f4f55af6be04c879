"""The compiled loops of batch normalisation: which tiles (batch_norm_tiles.py) pass over which pixels.

Arrays are (pixels, C, N), as they lie in memory. There are two passes: one for the sums, one with the
constants that follow from them.
"""

import math

import numpy as np

from .batch_norm_tiles import Tiles, run_tiles
from .common import aligned, parallel, prange, serial

# Small maps are divided by channels: all passes over one are one thread's, which finds it in its cache. Large
# ones are divided into blocks of pixels, read as they lie in memory. Both by the shape alone: sums have the
# same bits at any number of threads.
MAX_PIXELS_BY_CHANNEL = 100
# Parts of the tiles, or blocks of pixels: at least so many, if there are as many, of at most so many bytes.
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


@parallel
def normalise_by_channel(y, mean, var, sums, constants, x, gamma, beta, tiles):  # type: ignore[no-untyped-def]
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
        constants[0, c], constants[1, c], constants[2, c] = (
            mean[c],
            gamma[c] / np.sqrt(variance + epsilon),
            beta[c],
        )


@parallel
def gradient_by_channel(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, count = x.shape[0], len(tiles.first)
    tasks = min(max(x.size * x.itemsize // MAX_BLOCK_BYTES, MIN_TASKS), count)
    for i in prange(tasks):
        first, end = i * count // tasks, (i + 1) * count // tasks
        channels = tiles.first[first, 1], tiles.first[end - 1, 2]
        _copy(sums[0, 0], mean, channels)
        run_tiles(tiles.first[first:end], tiles.lanes, sums[0], dx, g, x, 0, pixels, 0)
        _coefficients(channels, factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
        for row in range(len(constants)):
            _copy(sums[0, row], constants[row], channels)
        run_tiles(tiles.second[first:end], tiles.lanes, sums[0], dx, g, x, 0, pixels, 0)
        _add_rectified(channels, factors, sums)


@parallel
def gradient_by_block(dx, factors, sums, constants, g, x, gamma, mean, var, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    (pixels, channels, _), blocks = x.shape, len(sums)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        _copy(sums[b, 0], mean, (0, channels))
        run_tiles(tiles.first, tiles.lanes, sums[b], dx, g, x, first, end, 0)
    _coefficients((0, channels), factors, constants, sums, x, gamma, mean, var, tiles.epsilon)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        for row in range(len(constants)):
            _copy(sums[b, row], constants[row], (0, channels))
        run_tiles(tiles.second, tiles.lanes, sums[b], dx, g, x, first, end, 0)
    _add_rectified((0, channels), factors, sums)


@serial
def _copy(target, source, channels):  # type: ignore[no-untyped-def]
    for c in range(channels[0], channels[1]):
        target[c] = source[c]


@serial
def _coefficients(channels, factors, constants, sums, x, gamma, mean, var, epsilon):  # type: ignore[no-untyped-def]
    """dgamma, dbeta, and the constants of dx = a (g - mean of g) - k (x - mean),
    from sum g and product = sum g (x - mean).

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
        constants[2, c], constants[3, c] = (
            gamma[c] * inverse,
            -gamma[c] * inverse**3 * product[c - first] / count,
        )


@serial
def _add_rectified(channels, factors, sums):  # type: ignore[no-untyped-def]
    """Row 2 of the factors, if there is one: what tiles of a rectified x have left in row 4 of the blocks."""
    for row in range(2, len(factors)):
        for c in range(channels[0], channels[1]):
            total = 0.0
            for b in range(len(sums)):
                total += sums[b, 4, c]
            factors[row, c] = total


@parallel
def normalise_given(y, constants, x, gamma, beta, mean, var, blocks, tiles):  # type: ignore[no-untyped-def]
    tiles = Tiles(*tiles)
    pixels, epsilon = x.shape[0], tiles.epsilon
    for c in range(x.shape[1]):
        constants[0, c], constants[1, c], constants[2, c] = (
            mean[c],
            gamma[c] / np.sqrt(var[c] + epsilon),
            beta[c],
        )
    for b in prange(blocks):
        run_tiles(
            tiles.second, tiles.lanes, constants, y, x, x, b * pixels // blocks, (b + 1) * pixels // blocks, 0
        )
