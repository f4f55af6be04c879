"""Which forward tile (forward.py) runs where: the plan of a convolution, and the loops that follow it.

A plan depends on shapes only; it is made once and kept in a cache. The compiled loop gets its numbers as a
ForwardLoop, by name, and besides them the addresses of the arrays and their steps.
"""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..common import Array, parallel, prange, serial
from ..emit import Vectors, call_kernel
from .forward import ForwardCall, Tile, split, tile_address
from .forward_alone import alone_address
from .forward_few import FewImages, few_address, shape_of_tile
from .geometry import Pair, Steps, Window, tap_ranges

# Fewer multiply-adds stay on one thread: it has finished them before another one is awake.
MAX_MULTIPLY_ADDS_ALONE = 1 << 19
# Rows are divided by filters, and then by images, until there are about this many pieces of work.
MIN_TASKS = 16
# Weights of a tile that lie further apart than this share a few sets of the cache: they are copied together
# first.
MAX_CHANNEL_STRIDE_BYTES = 512
# Where a tile reads more bytes of x than this for all images, it takes some images at a time: they stay in
# the cache.
MAX_WINDOW_BYTES = 1 << 19
# Numbers this many bytes apart, or a multiple of it, share a few sets of the caches and evict each other.
ALIAS_BYTES = 256
# From this many multiply-adds with each number of x on, it pays to copy x to where its numbers lie together.
MIN_MULTIPLY_ADDS_FOR_COPY = 512


class ForwardLoop(NamedTuple):
    """How a convolution is divided into tiles, and these into `chunks` of the
    batch and `parts` of the filters (or groups).
    """

    tiles: Array  # addresses [filter tile, column tile]
    filters: Array  # where the filter tiles start
    columns: Array  # where the column tiles start
    taps: Array  # (first, end) of the kernel rows that an output row sees
    parts: int
    chunks: int
    groups: int
    w_tile: int  # tile i, from filter f on, reads w from i * w_tile + f * w_filter on
    w_filter: int
    w_row: int
    w_channel: int
    images: int
    lanes: int
    itemsize: int
    channels: int  # of a group
    row_stride: int  # output row o sees input rows from o * row_stride - top on, every row_dilation of them
    column_stride: int
    top: int
    left: int
    row_dilation: int


class Plan(NamedTuple):
    loop: tuple[Any, ...]  # a ForwardLoop, as a plain tuple
    filters: Array  # where the filter tiles start
    # shape of the copied weights (tiles, KH, KW, C, CT), where they are copied
    packed: tuple[int, ...] | None
    spread: int  # images to leave free between the channels of a copy of x, where it is copied


@cache
def forward_plan(
    size: tuple[int, int, int],
    output: Pair,
    w_shape: tuple[int, ...],
    w_strides: tuple[int, ...],
    window: Window,
    activation: str | None,
    vectors: Vectors,
    groups: int = 1,
    few: FewImages | None = None,
) -> Plan:
    """Plan for images (N, H, W) and maps (OH, OW) of output; w is the kernel of one group,
    and tiles go over all `groups`. `few`: which have other tiles.
    """
    strides, corner, dilation = window
    kh, kw, channels, filters = w_shape
    rows, taps = (tap_ranges(axis, size[1:], w_shape, output, window) for axis in (0, 1))
    ct, xt = shape_of_tile(filters, output, few, vectors)
    starts, columns = split(filters, ct), split(output[1], xt)
    weights = _weights(w_shape, w_strides, len(starts) - 1, ct, vectors, groups)
    kind = Tile(0, (), kw, strides[1], dilation[1], weights.near, activation, groups > 1)
    tiles = _addresses(kind, starts, [tuple(taps[a:b]) for a, b in pairwise(columns)], size[0], vectors, few)
    window_bytes = _window_numbers(size, w_shape, xt, window, groups) * vectors.itemsize
    parts, chunks = _shares(output[0], len(starts) - 1, groups, size[0] // vectors.lanes, window_bytes)
    loop = ForwardLoop(
        tiles=tiles,
        filters=np.array(starts),
        columns=np.array(columns),
        taps=np.array(rows),
        parts=parts,
        chunks=chunks,
        groups=groups,
        w_tile=weights.tile,
        w_filter=weights.filter,
        w_row=weights.row,
        w_channel=weights.channel,
        images=size[0],
        lanes=vectors.lanes,
        itemsize=vectors.itemsize,
        channels=channels,
        row_stride=strides[0],
        column_stride=strides[1],
        top=corner[0],
        left=corner[1],
        row_dilation=dilation[0],
    )
    spreads = groups == 1 and _worth_spreading(window_bytes, kh * kw * filters, size[0] * vectors.itemsize)
    return Plan(tuple(loop), loop.filters, weights.packed, vectors.lanes if spreads else 0)


def _window_numbers(
    size: tuple[int, int, int], w_shape: tuple[int, ...], columns: int, window: Window, groups: int
) -> int:
    """Numbers of x under a tile of so many columns of output, for all images;
    over groups it goes from end to end.
    """
    seen = (columns - 1) * window.strides[1] + (w_shape[1] - 1) * window.dilation[1] + 1
    width = size[2] if groups > 1 else min(size[2], seen)
    return w_shape[0] * width * w_shape[2] * groups * size[0]


def _worth_spreading(window_bytes: int, multiply_adds: int, batch_bytes: int) -> bool:
    """Whether x is copied with room between its channels,
    whose numbers otherwise lie in a few sets of the caches.
    """
    large = window_bytes > MAX_WINDOW_BYTES and multiply_adds >= MIN_MULTIPLY_ADDS_FOR_COPY
    return large and batch_bytes % ALIAS_BYTES == 0


def _addresses(
    kind: Tile,
    starts: list[int],
    seen: list[tuple[Pair, ...]],
    images: int,
    vectors: Vectors,
    few: FewImages | None,
) -> Array:
    """Addresses [filter tile, column tile] of tiles of a kind;
    filters from `starts` on, columns with these taps.
    """
    tiles = np.zeros((len(starts) - 1, len(seen)), np.int64)
    for i, j in np.ndindex(*tiles.shape) if images else ():
        tile = kind._replace(filters=starts[i + 1] - starts[i], columns=seen[j])
        if few is None:
            tiles[i, j] = tile_address(tile, vectors, images < vectors.lanes)
        elif few.alone:
            tiles[i, j] = alone_address(tile, vectors)
        else:
            tiles[i, j] = few_address(tile, images, vectors)
    return tiles


class _Weights(NamedTuple):
    """How tiles read w: where tile i begins, from filter f on, is i * tile + f * filter;
    the rest are steps. All in bytes.
    """

    tile: int
    filter: int
    row: int
    channel: int
    near: Pair  # steps that are written into the tile: (kernel column, filter)
    # shape of the copied weights (tiles, KH, KW, C, CT), where they are copied
    packed: tuple[int, ...] | None


def _weights(
    shape: tuple[int, ...], strides: tuple[int, ...], tiles: int, ct: int, vectors: Vectors, groups: int
) -> _Weights:
    """w where it lies, or, in the weights of one group with far channels, copied:
    the filters of a tile side by side.
    """
    kh, kw, channels, _ = shape
    if abs(strides[2]) <= MAX_CHANNEL_STRIDE_BYTES or groups > 1:
        return _Weights(0, strides[3], strides[0], strides[2], (strides[1], strides[3]), None)
    channel = ct * vectors.itemsize
    column = channels * channel
    row = kw * column
    return _Weights(kh * row, 0, row, channel, (column, vectors.itemsize), (tiles, kh, kw, channels, ct))


def _shares(rows: int, filter_tiles: int, groups: int, blocks: int, window_bytes: int) -> Pair:
    """(parts of the filters or groups, chunks of the batch): enough pieces of work,
    whose pixels fit the cache.
    """
    tasks, windows = -(-MIN_TASKS // rows), -(-window_bytes // MAX_WINDOW_BYTES)
    if groups > 1:
        parts = min(groups, max(tasks, windows))
        return parts, max(1, min(blocks, -(-MIN_TASKS // (rows * parts))))
    parts = min(filter_tiles, tasks)
    return parts, max(1, min(blocks, max(-(-MIN_TASKS // (rows * parts)), windows)))


# The compiled loops. Addresses and steps are in bytes; what comes as a plain tuple gets its names back.


class Places(NamedTuple):
    """The addresses of a convolution's arrays, or of a part of each."""

    x: int
    w: int
    b: int
    y: int


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


@parallel
def run_forward(loop, places, x_strides, y_strides):
    """Runs the tiles."""
    loop = ForwardLoop(*loop)
    at = Places(*places)
    x_step = Steps(*x_strides)
    y_step = Steps(*y_strides)
    for task in prange(loop.taps.shape[0] * loop.chunks * loop.parts):
        forward_task(task, loop, at, x_step, y_step)


@serial
def forward_task(task, loop, at, x_step, y_step):
    """One output row, for one of `parts` of the filters and one of `chunks` of the batch."""
    rows, filter_tiles = loop.taps.shape[0], loop.tiles.shape[0]
    chunk, row, part = task // (loop.parts * rows), task // loop.parts % rows, task % loop.parts
    first, end = filter_tiles * part // loop.parts, filter_tiles * (part + 1) // loop.parts
    forward_row(row, chunk, first, end, loop, at, x_step, y_step, 1, Places(x=0, w=0, b=0, y=0))


@serial
def forward_row(row, chunk, first_tile, end_tile, loop, at, x_step, y_step, groups, group_step):
    """Output row `row` for the filter tiles from first_tile to end_tile,
    one chunk of the batch, and `groups` from `at` on.
    """
    x_row = at.x + (row * loop.row_stride - loop.top) * x_step.row - loop.left * x_step.column
    y_row = at.y + row * y_step.row
    blocks = (loop.images + loop.lanes - 1) // loop.lanes
    first, end = blocks * chunk // loop.chunks, blocks * (chunk + 1) // loop.chunks
    image = first * loop.lanes * loop.itemsize
    for j in range(loop.tiles.shape[1] if first < end else 0):
        x_tile = x_row + loop.columns[j] * loop.column_stride * x_step.column + image
        y_tile = y_row + loop.columns[j] * y_step.column + image
        for i in range(first_tile, end_tile):
            f = loop.filters[i]
            call_kernel(
                loop.tiles[i, j],
                ForwardCall(
                    x=x_tile,
                    w=at.w + i * loop.w_tile + f * loop.w_filter,
                    b=at.b + f * loop.itemsize,
                    y=y_tile + f * y_step.channel,
                    blocks=end - first,
                    last=(max(loop.images, loop.lanes) - loop.lanes) * loop.itemsize - image,
                    channels=loop.channels,
                    first_tap=loop.taps[row, 0],
                    end_tap=loop.taps[row, 1],
                    x_row=x_step.row * loop.row_dilation,
                    x_column=x_step.column,
                    x_channel=x_step.channel,
                    w_row=loop.w_row,
                    w_channel=loop.w_channel,
                    y_column=y_step.column,
                    y_channel=y_step.channel,
                    live=loop.images % loop.lanes,
                    groups=groups,
                    x_group=group_step.x,
                    w_group=group_step.w,
                    b_group=group_step.b,
                    y_group=group_step.y,
                ),
            )
