"""The forward tile: CT filters x XT output columns of one output row, 16 images (one vector) at a time.

    acc[f, j] = b[f]
    for kh in the kernel rows that meet the map:
        for c in channels:
            for kw in kernel columns:
                acc[f, j] += w[kh, kw, c, f] * x[row(kh), column(j, kw), c]      for all f, j of the tile

Columns outside the map are known when the tile is written, and their multiply-adds are left out: the left and right
borders are tiles of their own. Rows are limited by the two numbers first_tap and end_tap at run time. So no padded
copy of the image is ever made. Input gradients are forward convolutions of another kernel and run through the same
tiles.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..common import Array
from ..emit import Value, VectorFunction, Vectors, address
from .geometry import Pair, tap_range


class Tile(NamedTuple):
    """What a forward tile is made for: its filters, and for each column the kernel columns that meet the map."""

    filters: int
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int


def forward_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes: x_row from tap to tap, x_column from column to column, and so on."""
    k = VectorFunction(
        vectors,
        "x w b y channels first_tap end_tap x_row x_column x_channel y_column y_channel live",
        masked=masked,
    )
    size, width, filters = vectors.itemsize, tile.kernel_width, range(tile.filters)
    bias, weights, image, output = k.pointer("%b"), k.pointer("%w"), k.pointer("%x"), k.pointer("%y")
    acc = {}
    for f in filters:
        start = k.splat(k.move(bias, f * size))
        for j in range(len(tile.columns)):
            acc[f, j] = k.variable(start)

    # Input columns the tile reads, counted from the one under tap 0 of its first output.
    reads = {j * tile.stride + kw * tile.dilation for j, taps in enumerate(tile.columns) for kw in range(*taps)}
    offsets = {i: k.mul("%x_column", i) for i in sorted(reads)}
    row_weights = k.mul("%channels", width * tile.filters * size)
    with k.loop("%first_tap", "%end_tap") as kh:
        x_row = k.move(image, k.mul("%x_row", kh))
        w_row = k.move(weights, k.mul(row_weights, kh))
        with k.loop(0, "%channels") as c:
            w = k.move(w_row, k.mul(width * tile.filters * size, c))
            _multiply_adds(k, tile, acc, k.move(x_row, k.mul("%x_channel", c)), offsets, w)

    for f in filters:
        row = k.move(output, k.mul("%y_channel", f))
        for j in range(len(tile.columns)):
            k.store(k.get(acc[f, j]), k.move(row, k.mul("%y_column", j)))
    return k


def _multiply_adds(
    k: VectorFunction, tile: Tile, acc: dict[Pair, str], x: str, offsets: dict[int, Value], w: str
) -> None:
    """One kernel row of one channel: every pixel is loaded once, every weight once."""
    pixels: dict[int, str] = {}
    for kw in range(tile.kernel_width):
        present = [j for j, (first, end) in enumerate(tile.columns) if first <= kw < end]
        column = {j: j * tile.stride + kw * tile.dilation for j in present}
        for i in column.values():
            if i not in pixels:
                pixels[i] = k.load(k.move(x, offsets[i]))
        for f in range(tile.filters) if present else ():
            weight = k.splat(k.move(w, (kw * tile.filters + f) * k.vectors.itemsize))
            for j in present:
                k.set(acc[f, j], k.multiply_add(weight, pixels[column[j]], k.get(acc[f, j])))


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(forward_tile(tile, vectors, masked))


def split(length: int, most: int) -> list[int]:
    """Starts and end of the fewest equal pieces (give or take one) of at most `most`: split(7, 3) = [0, 3, 5, 7]."""
    pieces = -(-length // most)
    return [-(-length * i // pieces) for i in range(pieces + 1)]


@cache
def tile_shape(filters: int, columns: int, registers: int) -> tuple[int, int]:
    """(CT, XT): the filters and columns of a tile that divides the work best.

    A sum can be added to again only after four cycles, and two additions start in each, so fewer than eight sums leave
    units waiting. More sums, with the pixels and the weight they meet, than there are registers would be kept in memory. In
    between, a larger tile loads less for each multiply-add (pixels come from farther away than weights), and few
    different tiles are fewer functions to compile.
    """
    shapes = [
        (f, x)
        for f in range(1, min(filters, 16) + 1)
        for x in range(1, min(columns, 8) + 1)
        if f * x + x + 2 <= registers and f * x <= 24
    ]

    def cost(shape: tuple[int, int]) -> float:
        heights, widths = lengths(filters, shape[0]), lengths(columns, shape[1])
        work = sum(max(f * x, 8) + 0.5 * f + 0.8 * x for f in heights for x in widths)
        return work * (1 + 0.02 * len(set(heights)) * len(set(widths)))

    return min(shapes, key=cost)


def lengths(length: int, most: int) -> list[int]:
    """Lengths of the pieces of `split`."""
    return [end - start for start, end in pairwise(split(length, most))]


class Plan(NamedTuple):
    """Tables the loops read: tile addresses [masked, filter tile, column tile], where tiles start, taps of each row."""

    tiles: Array
    filters: Array
    columns: Array
    taps: Array


@cache
def forward_plan(
    size: Pair, output: Pair, kernel: Pair, filters: int, strides: Pair, corner: Pair, dilation: Pair,
    vectors: Vectors, kinds: tuple[bool, bool],
) -> Plan:
    """Plan for maps of `size` and `output`; `kinds` says whether full and masked lane blocks occur."""
    rows = [tap_range(oh, size[0], kernel[0], strides[0], corner[0], dilation[0]) for oh in range(output[0])]
    taps = [tap_range(ow, size[1], kernel[1], strides[1], corner[1], dilation[1]) for ow in range(output[1])]
    ct, xt = tile_shape(filters, output[1], vectors.registers)
    starts, columns = split(filters, ct), split(output[1], xt)
    tiles = np.zeros((2, len(starts) - 1, len(columns) - 1), np.int64)
    for masked in (0, 1):
        for i, j in np.ndindex(*tiles.shape[1:]) if kinds[masked] else ():
            seen = tuple(taps[columns[j] : columns[j + 1]])
            tile = Tile(starts[i + 1] - starts[i], seen, kernel[1], strides[1], dilation[1])
            tiles[masked, i, j] = _tile_address(tile, vectors, bool(masked))
    return Plan(tiles, np.array(starts), np.array(columns), np.array(rows))
