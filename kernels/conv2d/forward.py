"""The forward tile: CT filters x XT output columns of one output row, for one vector of images after the other.

    for each vector of images:
        acc[f, j] = b[f]
        for kh in the kernel rows that meet the map:
            for c in channels:
                for kw in kernel columns:
                    acc[f, j] += w[kh, kw, c, f] * x[row(kh), column(j, kw), c]      for all f, j of the tile
        y[row, column j, f] = activation(acc[f, j])

Columns outside the map are known when the tile is written, and their multiply-adds are left out: the left and right
borders are tiles of their own. Rows are limited by the two numbers first_tap and end_tap at run time. So no padded
copy of the image is ever made. Weights are read where they lie: the two steps of w that the innermost code takes are
written into the tile as numbers. Input gradients are forward convolutions of another view of w and run through the same
tiles.

A tile walks over the images because neighbouring vectors of the batch are neighbours in memory. One vector of every
pixel, then the next, would touch the same memory pages again and again, at a third of the speed (measured: 18 GB/s
against 60). For the same reason all filters of some columns come before the next columns: what they read is still in the
second-level cache.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..common import Array, parallel, prange, serial
from ..emit import Value, VectorFunction, Vectors, address, call_kernel
from .geometry import Pair, tap_range

SMALL_WORK = 1 << 19  # multiply-adds that one thread is done with before another one is awake
TASKS = 16  # rows are divided by filters, and then by images, until there are about this many pieces of work
FAR = 512  # bytes from one channel of w to the next beyond which a tile's weights are copied together: they share cache sets
WINDOW = 1 << 19  # bytes of x under a tile, for all images, beyond which the second-level cache wants fewer images at a time
ALIASED = 256  # bytes: numbers so many apart, or a multiple, lie in a few sets of the caches and drive each other out
WORTH = 512  # multiply-adds with each number of x that are worth a copy of x in which they do not


class Tile(NamedTuple):
    """What a forward tile is made for: its filters, and for each column the kernel columns that meet the map."""

    filters: int
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int
    w_steps: Pair  # bytes from one (kernel column, filter) to the next in w
    activation: str | None
    grouped: bool = False  # goes over groups of channels and filters, all with the same shapes: grouped.py


def forward_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes: x_row from tap to tap, x_column from column to column, and so on."""
    arguments = "x w b y blocks channels first_tap end_tap x_row x_column x_channel w_row w_channel y_column y_channel live"
    each = " groups x_group w_group b_group y_group" if tile.grouped else ""
    k = VectorFunction(vectors, arguments + each, masked=masked)
    filters, columns = range(tile.filters), range(len(tile.columns))
    bias, weights, image, output = k.pointer("%b"), k.pointer("%w"), k.pointer("%x"), k.pointer("%y")
    acc = {(f, j): k.variable(k.zero) for f in filters for j in columns}
    # Input columns the tile reads, counted from the one under tap 0 of its first output.
    reads = {j * tile.stride + kw * tile.dilation for j, taps in enumerate(tile.columns) for kw in range(*taps)}
    offsets = {i: k.mul("%x_column", i) for i in sorted(reads)}
    places = {(f, j): k.add(k.mul("%y_column", j), k.mul("%y_channel", f)) for j in columns for f in filters}

    with k.loop(0, "%groups" if tile.grouped else 1) as group:
        own_x, own_w = k.move(image, k.mul("%x_group", group)), k.move(weights, k.mul("%w_group", group))
        own_b, own_y = k.move(bias, k.mul("%b_group", group)), k.move(output, k.mul("%y_group", group))
        with k.loop(0, "%blocks") as block:
            step = k.mul(vectors.bytes, block)
            x_block, y_block = k.move(own_x, step), k.move(own_y, step)
            for f, j in acc:
                k.set(acc[f, j], k.splat(k.move(own_b, f * vectors.itemsize)))
            with k.loop("%first_tap", "%end_tap") as kh:
                x_row, w_row = k.move(x_block, k.mul("%x_row", kh)), k.move(own_w, k.mul("%w_row", kh))
                with k.loop(0, "%channels") as c:
                    x, w = k.move(x_row, k.mul("%x_channel", c)), k.move(w_row, k.mul("%w_channel", c))
                    _multiply_adds(k, tile, acc, x, offsets, w)
            for place, offset in places.items():
                y = k.get(acc[place])
                k.store(k.maximum(k.zero, y) if tile.activation == "relu" else y, k.move(y_block, offset))
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
            weight = k.splat(k.move(w, kw * tile.w_steps[0] + f * tile.w_steps[1]))
            for j in present:
                k.set(acc[f, j], k.multiply_add(weight, pixels[column[j]], k.get(acc[f, j])))


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(forward_tile(tile, vectors, masked))


def split(length: int, most: int) -> list[int]:
    """Starts and end of the fewest equal pieces (give or take one) of at most `most`: split(7, 3) = [0, 3, 5, 7]."""
    pieces = -(-length // most)
    return [-(-length * i // max(pieces, 1)) for i in range(pieces + 1)]


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
    """How a convolution is divided into tiles, and these into `chunks` parts of the batch and `groups` of the filters."""

    tiles: Array  # addresses [masked, filter tile, column tile]
    filters: Array  # where the filter tiles start
    columns: Array  # where the column tiles start
    taps: Array  # (first, end) of the kernel rows that an output row sees
    chunks: int
    groups: int
    w_steps: tuple[int, int, int, int]  # (tile, filter, row, channel): tile i, from filter f on, is i * tile + f * filter on
    packed: tuple[int, ...] | None  # shape of the copied weights (tiles, KH, KW, C, CT), where they are copied
    spread: int  # images to leave free between the channels of a copy of x, where it is copied


@cache
def forward_plan(
    size: tuple[int, int, int], output: Pair, w_shape: tuple[int, ...], w_strides: tuple[int, ...], strides: Pair,
    corner: Pair, dilation: Pair, activation: str | None, vectors: Vectors, grouped: bool = False,
) -> Plan:
    """Plan for images (N, H, W) and maps (OH, OW) of output; `grouped`: for one group, and tiles that go over all of them."""
    kh, kw, channels, filters = w_shape
    rows = [tap_range(oh, size[1], kh, strides[0], corner[0], dilation[0]) for oh in range(output[0])]
    taps = [tap_range(ow, size[2], kw, strides[1], corner[1], dilation[1]) for ow in range(output[1])]
    ct, xt = tile_shape(filters, output[1], vectors.registers)
    starts, columns = split(filters, ct), split(output[1], xt)
    packed, w_steps, near = None, (0, w_strides[3], w_strides[0], w_strides[2]), (w_strides[1], w_strides[3])
    if abs(w_strides[2]) > FAR and not grouped:
        channel = ct * vectors.itemsize
        row = kw * channels * channel
        packed, w_steps = (len(starts) - 1, kh, kw, channels, ct), (kh * row, 0, row, channel)
        near = (channels * channel, vectors.itemsize)
    tiles = np.zeros((2, len(starts) - 1, len(columns) - 1), np.int64)
    blocks, rest = divmod(size[0], vectors.lanes)
    for masked, needed in enumerate((blocks, rest)):
        for i, j in np.ndindex(*tiles.shape[1:]) if needed else ():
            seen = tuple(taps[columns[j] : columns[j + 1]])
            tile = Tile(starts[i + 1] - starts[i], seen, kw, strides[1], dilation[1], near, activation, grouped)
            tiles[masked, i, j] = _tile_address(tile, vectors, bool(masked))
    groups = min(len(starts) - 1, -(-TASKS // output[0]))
    seen_columns = min(size[2], (xt - 1) * strides[1] + (kw - 1) * dilation[1] + 1)
    window = kh * seen_columns * channels * size[0] * vectors.itemsize
    chunks = max(1, min(blocks, max(-(-TASKS // (output[0] * groups)), -(-window // WINDOW))))
    spread = window > WINDOW and kh * kw * filters >= WORTH and size[0] * vectors.itemsize % ALIASED == 0
    tables = (tiles, np.array(starts), np.array(columns), np.array(rows))
    return Plan(*tables, chunks, groups, w_steps, packed, vectors.lanes if spread else 0)


# The compiled loops. Addresses and steps are in bytes.


@parallel
def pack(packed, w, starts):
    """packed[i, kh, kw, c] = the filters of tile i in w[kh, kw, c]."""
    tiles, rows, columns, channels, _ = packed.shape
    for task in prange(tiles * rows):
        i, kh = task // rows, task % rows
        first, filters = starts[i], starts[i + 1] - starts[i]
        for kw in range(columns):
            for c in range(channels):
                for f in range(filters):
                    packed[i, kh, kw, c, f] = w[kh, kw, c, first + f]


@parallel
def spread(copy, x):
    """copy = x, both (H, W, C, N)."""
    for task in prange(x.shape[0] * x.shape[1]):
        row, column = task // x.shape[1], task % x.shape[1]
        for c in range(x.shape[2]):
            for n in range(x.shape[3]):
                copy[row, column, c, n] = x[row, column, c, n]


@serial
def forward_task(task, tiles, filters, columns, taps, chunks, groups, w_steps, x, w, b, y, images, lanes, itemsize, channels,
                 x_steps, y_steps, strides, corner, dilation):
    """One output row, for one of `groups` parts of the filters and one of `chunks` parts of the batch.

    x, w, b, y are addresses; steps of x and y are (row, column, channel).
    """
    pieces, rows, blocks = tiles.shape[1], taps.shape[0], images // lanes
    chunk, row, group = task // (groups * rows), task // groups % rows, task % groups
    x_row = x + (row * strides[0] - corner[0]) * x_steps[0] - corner[1] * x_steps[1]
    y_row = y + row * y_steps[0]
    for masked in range(2):  # the whole blocks, and the partial one at the end
        first = blocks if masked else blocks * chunk // chunks
        end = (images + lanes - 1) // lanes if masked else blocks * (chunk + 1) // chunks
        if first == end or (masked and chunk < chunks - 1):
            continue
        image = first * lanes * itemsize
        for j in range(tiles.shape[2]):
            x_tile = x_row + columns[j] * strides[1] * x_steps[1] + image
            y_tile = y_row + columns[j] * y_steps[1] + image
            for i in range(pieces * group // groups, pieces * (group + 1) // groups):
                f = filters[i]
                call_kernel(  # type: ignore[call-arg]
                    tiles[masked, i, j],
                    (
                        x_tile, w + i * w_steps[0] + f * w_steps[1], b + f * itemsize, y_tile + f * y_steps[2],
                        end - first, channels, taps[row, 0], taps[row, 1],
                        x_steps[0] * dilation[0], x_steps[1], x_steps[2], w_steps[2], w_steps[3],
                        y_steps[1], y_steps[2], images % lanes,
                    ),
                )
