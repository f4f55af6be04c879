"""The register tiles of batch normalisation: a few channels,
their sums or constants held in registers over many pixels.

An array (pixels, C, N) is walked as it lies in memory, the tile's channels of one pixel after the other:

    for each pixel, each vector of images, each of the tile's channels:

        moments_tile        d = x - shift;  sum += d,  squares += d * d
        normalise_tile      y = (x - mean) scale + beta
        gradient_sums_tile  sum += g,  products += g (x - mean)
        combine_tile        dx = a (g - mean_g) - k (x - mean);  rectified: dz = dx where x > 0,  sum += dz

A loop over one row of images, which may be two vectors long, would spend more time on its start and end than
inside. Sums are in x's precision within a block of pixels; `batch_norm.py` adds those of the blocks in double
precision.

The numbers of a channel lie below each other in a table (rows, C) of x's precision: what a tile sums up or is
given. Last in each pixel is the vector that the images do not fill; only its first `live` lanes are read and
written.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .common import serial
from .emit import VectorFunction, Vectors, address, call_kernel, vectors

Emitter = Callable[[int, Vectors, bool], VectorFunction]


@cache
def _plan(tile: Emitter, channels: int, v: Vectors, rest: bool) -> np.ndarray:
    count = max(1, -(-channels // (v.registers // 4)))
    edges = pairwise(i * channels // count for i in range(count + 1))
    return np.array([(address(tile(end - first, v, rest)), first, end) for first, end in edges], np.int64)


def plan(tile: Emitter, x: np.ndarray) -> np.ndarray:
    """Table of the tiles for x (N, ..., C): address, first channel, end."""
    v = vectors(x.dtype)
    return _plan(tile, x.shape[-1], v, x.shape[0] % v.lanes != 0)


class TileCall(NamedTuple):
    """What a tile is called with: addresses, of which it takes what it needs, counts, and steps in bytes."""

    out: int
    g: int
    x: int
    table: int
    row: int  # of the table, to the next one
    images: int
    samples: int  # pixels whose mean is the shift
    pixels: int
    blocks: int  # full vectors of images
    pixel_step: int
    channel_step: int
    live: int  # images of the vector at the end


class Tiles(NamedTuple):
    """The two passes over an array, as tables of `plan`, and what both need."""

    first: np.ndarray
    second: np.ndarray
    lanes: int
    epsilon: float


def _places(k: VectorFunction, pixels: str, channels: int, mask: str) -> Iterator[list[str]]:
    """Writes the loops; its body is emitted with the offset of each channel,
    for full vectors and for the one at the end.
    """
    with k.loop(0, pixels) as p:
        pixel = k.mul(p, "%pixel_step")
        with k.loop(0, "%blocks") as block:
            yield _offsets(k, k.add(pixel, k.mul(block, k.vectors.bytes)), channels)
        if mask:
            k.masked, k.mask = True, mask
            yield _offsets(k, k.add(pixel, k.mul("%blocks", k.vectors.bytes)), channels)
            k.masked = False


def _offsets(k: VectorFunction, first: str | int, channels: int) -> list[str]:
    return [str(k.add(first, k.mul(f, "%channel_step"))) for f in range(channels)]


def _constants(k: VectorFunction, channels: int, rows: int) -> list[list[str]]:
    """For each channel, the numbers in the first `rows` rows of the table, each in every lane."""
    table, itemsize = k.pointer("%table"), k.vectors.itemsize
    return [
        [k.splat(k.move(table, k.mul(r, "%row"), f * itemsize)) for r in range(rows)] for f in range(channels)
    ]


def _store_sums(k: VectorFunction, row: int, slots: list[str]) -> None:
    """Row `row` of the table = sums of the lanes."""
    table, itemsize = k.pointer("%table"), k.vectors.itemsize
    for f, total in enumerate(k.lane_sums([k.get(slot) for slot in slots])):
        k.store_scalar(total, k.move(table, k.mul(row, "%row"), f * itemsize))


def _accumulate(k: VectorFunction, slot: str, value: str) -> None:
    k.set(slot, k.add_vectors(k.get(slot), value))


def moments_tile(channels: int, v: Vectors, rest: bool) -> VectorFunction:
    """Rows of the table: shift = mean of the first `samples` pixels, sum of x - shift,
    sum of (x - shift)**2.
    """
    k = VectorFunction(v, TileCall)
    mask = k.lanes_below("%live") if rest else ""
    x, table = k.pointer("%x"), k.pointer("%table")
    sample, sums, squares = ([k.variable(k.zero) for _ in range(channels)] for _ in range(3))
    for places in _places(k, "%samples", channels, mask):
        for slot, place in zip(sample, places, strict=True):
            _accumulate(k, slot, k.load(k.move(x, place)))
    count = k.emit(f"sitofp i64 {k.mul('%samples', '%images')} to {v.scalar}")
    for f, total in enumerate(k.lane_sums([k.get(slot) for slot in sample])):
        k.store_scalar(k.emit(f"fdiv {v.scalar} {total}, {count}"), k.move(table, f * v.itemsize))
    shift = _constants(k, channels, 1)
    for places in _places(k, "%pixels", channels, mask):
        for f, place in enumerate(places):
            d = k.subtract_vectors(k.load(k.move(x, place)), shift[f][0])
            if k.masked:  # there is no image in the other lanes, and 0 - shift is not 0
                d = k.emit(f"select {k.mask}, {k.vector} {d}, {k.vector} {k.zero}")
            _accumulate(k, sums[f], d)
            k.set(squares[f], k.multiply_add(d, d, k.get(squares[f])))
    _store_sums(k, 1, sums)
    _store_sums(k, 2, squares)
    return k


def normalise_tile(channels: int, v: Vectors, rest: bool) -> VectorFunction:
    """Rows of the table: mean, scale, beta."""
    k = VectorFunction(v, TileCall)
    mask = k.lanes_below("%live") if rest else ""
    y, x, constants = k.pointer("%out"), k.pointer("%x"), _constants(k, channels, 3)
    for places in _places(k, "%pixels", channels, mask):
        for (mean, scale, beta), place in zip(constants, places, strict=True):
            centred = k.subtract_vectors(k.load(k.move(x, place)), mean)
            k.store(k.multiply_add(centred, scale, beta), k.move(y, place))
    return k


def gradient_sums_tile(channels: int, v: Vectors, rest: bool) -> VectorFunction:
    """Rows of the table: mean of x; sum of g, sum of g (x - mean)."""
    k = VectorFunction(v, TileCall)
    mask = k.lanes_below("%live") if rest else ""
    g, x, constants = k.pointer("%g"), k.pointer("%x"), _constants(k, channels, 1)
    sums, products = ([k.variable(k.zero) for _ in range(channels)] for _ in range(2))
    for places in _places(k, "%pixels", channels, mask):
        for f, place in enumerate(places):
            gradient, value = k.load(k.move(g, place)), k.load(k.move(x, place))
            _accumulate(k, sums[f], gradient)
            k.set(
                products[f],
                k.multiply_add(gradient, k.subtract_vectors(value, constants[f][0]), k.get(products[f])),
            )
    _store_sums(k, 1, sums)
    _store_sums(k, 2, products)
    return k


def combine_tile(channels: int, v: Vectors, rest: bool, rectified: bool = False) -> VectorFunction:
    """Rows of the table: mean of x, mean of g, a, -k; if x is `rectified`, sum of dz, which dx becomes."""
    k = VectorFunction(v, TileCall)
    mask = k.lanes_below("%live") if rest else ""
    dx, g, x, constants = k.pointer("%out"), k.pointer("%g"), k.pointer("%x"), _constants(k, channels, 4)
    sums = [k.variable(k.zero) for _ in range(channels if rectified else 0)]
    for places in _places(k, "%pixels", channels, mask):
        for f, ((mean, mean_g, a, minus_k), place) in enumerate(zip(constants, places, strict=True)):
            gradient = k.multiply_vectors(k.subtract_vectors(k.load(k.move(g, place)), mean_g), a)
            value = k.load(k.move(x, place))
            result = k.multiply_add(k.subtract_vectors(value, mean), minus_k, gradient)
            if rectified:  # lanes without an image have x = 0
                result = k.where_positive(value, result, k.zero)
                _accumulate(k, sums[f], result)
            k.store(result, k.move(dx, place))
    _store_sums(k, 4, sums)
    return k


combine_rectified_tile = partial(combine_tile, rectified=True)


@serial
def run_tiles(tiles, lanes, table, out, g, x, first, end, samples):  # type: ignore[no-untyped-def]
    """Runs the tiles on the pixels from `first` to `end`;
    arrays (pixels, C, N) are in memory as their axes are.
    """
    channels, images = x.shape[1], x.shape[2]
    channel_step = images * x.itemsize
    for i in range(tiles.shape[0]):
        c = tiles[i, 1]
        start = (first * channels + c) * channel_step
        call_kernel(
            tiles[i, 0],
            TileCall(
                out=_address(out) + start,
                g=_address(g) + start,
                x=_address(x) + start,
                table=_address(table) + c * x.itemsize,
                row=channels * x.itemsize,
                images=images,
                samples=min(samples, end - first),
                pixels=end - first,
                blocks=images // lanes,
                pixel_step=channels * channel_step,
                channel_step=channel_step,
                live=images % lanes,
            ),
        )


@serial
def _address(x):  # type: ignore[no-untyped-def]
    return np.int64(x.ctypes.data)
