"""The weight-gradient tile: CT filters x CIT channels x some kernel taps, summed over the whole map and many images.

    for each vector of images, each output row, each output column:
        acc[f, c, kh, kw] += g[row, column, f] * x[row(kh), column(kw), c]       for all f, c, kh, kw of the tile
    dw[kh, kw, c, f] = sum of the lanes of acc[f, c, kh, kw]

The sums stay in registers from the first pixel to the last. Near the border some taps fall outside the map: rows and
columns are divided into runs that see the same taps, and each run is written with just those. For a 3x3 kernel with
'same' padding that is first, middle, last, in both directions.

The batch is divided into parts that depend on the shapes alone. Each part has its own result, and they are added in
order, so the number of threads changes nothing.
"""

from collections import Counter
from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from ..common import Array
from ..emit import Value, VectorFunction, Vectors, address
from .forward import lengths, split
from .geometry import Pair, tap_range

TASKS = 32  # the batch is divided until there are about this many pieces of work to share
PART_BYTES = 1 << 20  # and until the images of a part, which every tile walks over, fit the second-level cache
PARTIAL_BYTES = 1 << 24  # but the partial results together take no more than about this


class Run(NamedTuple):
    """`length` outputs from `first` on, which see the kernel taps from taps[0] up to taps[1]."""

    first: int
    length: int
    taps: Pair


class Axis(NamedTuple):
    """One axis of a tile: its runs, and origin of the input position o * stride + k * dilation + origin."""

    runs: tuple[Run, ...]
    stride: int
    dilation: int
    origin: int


class Tile(NamedTuple):
    filters: int
    channels: int
    taps: Pair  # (rows, columns) of sums for each filter and channel
    rows: Axis
    columns: Axis


def runs(output: int, size: int, taps: int, stride: int, dilation: int, origin: int) -> Axis:
    """The runs of an axis with `output` outputs; those that see no tap are left out."""
    found: list[Run] = []
    for o in range(output):
        seen = tap_range(o, size, taps, stride, -origin, dilation)
        if found and found[-1].taps == seen:
            found[-1] = found[-1]._replace(length=found[-1].length + 1)
        else:
            found.append(Run(o, 1, seen))
    return Axis(tuple(run for run in found if run.taps[0] < run.taps[1]), stride, dilation, origin)


def weight_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes; dw_row is the step from one kernel row of the result to the next."""
    k = VectorFunction(
        vectors,
        "x g dw blocks x_row x_column x_channel g_row g_column g_channel dw_row dw_column dw_channel live",
        masked=masked,
    )
    filters, channels = range(tile.filters), range(tile.channels)
    taps = list(product(range(tile.taps[0]), range(tile.taps[1])))
    sums = [(f, c, kh, kw) for kh, kw in taps for c in channels for f in filters]
    acc = {place: k.variable(k.zero) for place in sums}
    image, gradient, result = k.pointer("%x"), k.pointer("%g"), k.pointer("%dw")
    g_filter = [k.mul("%g_channel", f) for f in filters]
    x_tap = {
        (kh, kw): k.add(k.mul("%x_row", kh * tile.rows.dilation), k.mul("%x_column", kw * tile.columns.dilation))
        for kh, kw in taps
    }
    x_step = {c: k.mul("%x_channel", c) for c in channels}

    with k.loop(0, "%blocks") as block:
        x_block, g_block = (k.move(p, k.mul(vectors.bytes, block)) for p in (image, gradient))
        for row in tile.rows.runs:
            with k.loop(0, row.length) as i:
                x_row = _under(k, x_block, "%x_row", tile.rows, row, i)
                g_row = k.move(g_block, k.mul("%g_row", row.first), k.mul("%g_row", i))
                for column in tile.columns.runs:
                    with k.loop(0, column.length) as j:
                        x = _under(k, x_row, "%x_column", tile.columns, column, j)
                        g = k.move(g_row, k.mul("%g_column", column.first), k.mul("%g_column", j))
                        upstream = [k.load(k.move(g, step)) for step in g_filter]
                        for kh, kw in product(range(*row.taps), range(*column.taps)):
                            for c in channels:
                                pixel = k.load(k.move(x, x_tap[kh, kw], x_step[c]))
                                for f in filters:
                                    slot = acc[f, c, kh, kw]
                                    k.set(slot, k.multiply_add(upstream[f], pixel, k.get(slot)))

    totals = k.lane_sums([k.get(acc[place]) for place in sums])
    for (f, c, kh, kw), total in zip(sums, totals, strict=True):
        place = k.move(result, k.mul("%dw_row", kh), k.mul("%dw_column", kw), k.mul("%dw_channel", c))
        k.store_scalar(total, k.move(place, f * vectors.itemsize))
    return k


def _under(k: VectorFunction, x: str, step: str, axis: Axis, run: Run, index: Value) -> str:
    """The input position under tap 0 of output run.first + index."""
    first = k.mul(step, run.first * axis.stride + axis.origin)
    return k.move(x, first, k.mul(k.mul(step, axis.stride), index))


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(weight_tile(tile, vectors, masked))


@cache
def tile_shape(filters: int, channels: int, kernel: Pair, registers: int) -> tuple[int, int, int]:
    """(CT, CIT, kernel rows) of the tile that divides the work best.

    For each pixel a tile does one multiply-add for each of its sums, and loads CT gradients and CIT * taps pixels, of
    which CT + CIT were not used before and come from farther away. Fewer than eight sums leave the multiply-add units
    idle.
    """
    shapes = [
        (f, c, rows)
        for f in range(1, min(filters, 8) + 1)
        for c in range(1, min(channels, 8) + 1)
        for rows in range(1, kernel[0] + 1)
        if f * c * rows * kernel[1] + f + 2 <= registers or f == c == rows == 1
    ]

    def cost(shape: tuple[int, int, int]) -> float:
        sizes = [Counter(lengths(*axis)).items() for axis in zip((filters, channels, kernel[0]), shape, strict=True)]
        total = 0.0
        for (f, f_times), (c, c_times), (rows, row_times) in product(*sizes):
            taps = rows * kernel[1]
            pixel = max(f * c * taps, 8) + 0.3 * (f + c * taps) + f + c
            total += f_times * c_times * row_times * pixel
        return total

    return min(shapes, key=cost)


class Plan(NamedTuple):
    """tiles: [full address, masked address, kernel row, channel, filter]; parts: [first block, blocks, masked]."""

    tiles: Array
    parts: Array


@cache
def weight_plan(
    size: Pair, output: Pair, kernel: Pair, channels: int, filters: int, strides: Pair, corner: Pair, dilation: Pair,
    vectors: Vectors, images: int,
) -> Plan:
    """Tiles of the result and parts of the batch."""
    # On a map no wider than the kernel every pixel is a run of its own, in straight code, which needs more registers.
    spare = vectors.registers // 4 if output[1] <= kernel[1] else 0
    ct, cit, kht = tile_shape(filters, channels, kernel, vectors.registers - spare)
    columns = runs(output[1], size[1], kernel[1], strides[1], dilation[1], -corner[1])
    blocks, rest = divmod(images, vectors.lanes)
    tiles = []
    for kh, kh_end in _pieces(kernel[0], kht):
        rows = runs(output[0], size[0], kh_end - kh, strides[0], dilation[0], kh * dilation[0] - corner[0])
        for c, c_end in _pieces(channels, cit):
            for f, f_end in _pieces(filters, ct):
                tile = Tile(f_end - f, c_end - c, (kh_end - kh, kernel[1]), rows, columns)
                full = _tile_address(tile, vectors, False) if blocks else 0
                masked = _tile_address(tile, vectors, True) if rest else 0
                tiles.append((full, masked, kh, c, f))
    block_bytes = (size[0] * size[1] * channels + output[0] * output[1] * filters) * vectors.bytes
    most = min(-(-blocks * len(tiles) // TASKS), PART_BYTES // block_bytes)
    least = blocks * kernel[0] * kernel[1] * channels * filters * vectors.itemsize // PARTIAL_BYTES
    edges = split(blocks, max(most, least, 1)) if blocks else [0]
    parts = [(first, end - first, 0) for first, end in pairwise(edges)]
    if rest:
        parts.append((blocks, 1, 1))
    return Plan(np.array(tiles, np.int64), np.array(parts, np.int64).reshape(-1, 3))


def _pieces(length: int, most: int) -> list[Pair]:
    return list(pairwise(split(length, most)))
