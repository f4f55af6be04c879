"""Which depthwise tile (depthwise.py) runs where: the plan of a gradient, and the loops that follow it.

The work is divided into pieces, a band of rows for some of the groups and images each.
Their sums are added in order.
"""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .. import common
from ..common import Array, parallel, prange, serial
from ..emit import Vectors, call_kernel, vectors
from ..sums import add, clear
from .depthwise import DepthwiseCall, Tile, tile_address
from .forward import split
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE, MAX_WINDOW_BYTES, MIN_TASKS
from .geometry import Pair, Steps, Window, tap_ranges

MAX_SUMS = 24  # of a tile
MAX_COLUMNS = 8  # of a tile
MIN_PARTS = 4  # of the groups: they need no addition, as bands of rows do


class DepthwiseLoop(NamedTuple):
    """What the compiled loop reads."""

    # addresses [masked, kind of row, column tile, piece of the kernel rows], 0 where nothing is to do
    tiles: Array
    kinds: Array  # of each output row
    columns: Array  # where the column tiles start
    bands: Array  # where the bands of rows start
    parts: int  # of the groups
    chunks: int  # of the batch
    groups: int
    filters: int
    filter_bytes: int  # of the sums of a filter: a vector for each of its weights
    images: int
    lanes: int
    itemsize: int
    row_stride: int  # output row o sees input rows from o * row_stride - top on, every row_dilation of them
    column_stride: int
    top: int
    left: int
    row_dilation: int


class Plan(NamedTuple):
    loop: tuple[Any, ...]  # a DepthwiseLoop, as a plain tuple
    pieces: int


@cache
def depthwise_plan(
    size: tuple[int, int, int],
    output: Pair,
    kernel: Pair,
    groups: int,
    filters: int,
    window: Window,
    vectors: Vectors,
) -> Plan:
    """Plan for images (N, H, W) of `groups` channels and maps (OH, OW) of `filters`."""
    strides, corner, dilation = window
    rows, taps = (tap_ranges(axis, (size[1], size[2]), kernel, output, window) for axis in (0, 1))
    kinds = sorted(set(rows))
    height, width = _tile_size(kernel, vectors.registers)
    heights, columns = split(kernel[0], height), split(output[1], width)
    like = Tile((0, 0), (), kernel[1], strides[1], dilation[1])
    tiles = _addresses(
        like, kinds, [tuple(taps[a:b]) for a, b in pairwise(columns)], heights, size[0], vectors
    )
    parts = _parts(kernel[0] * size[2] * groups * size[0] * vectors.itemsize, groups)
    count = min(output[0], -(-MIN_TASKS // parts))
    bands = split(output[0], -(-output[0] // count))
    chunks = max(1, min(size[0] // vectors.lanes, -(-MIN_TASKS // (parts * count))))
    loop = DepthwiseLoop(
        tiles=tiles,
        kinds=np.array([kinds.index(row) for row in rows]),
        columns=np.array(columns),
        bands=np.array(bands),
        parts=parts,
        chunks=chunks,
        groups=groups,
        filters=filters,
        filter_bytes=kernel[0] * kernel[1] * vectors.bytes,
        images=size[0],
        lanes=vectors.lanes,
        itemsize=vectors.itemsize,
        row_stride=strides[0],
        column_stride=strides[1],
        top=corner[0],
        left=corner[1],
        row_dilation=dilation[0],
    )
    return Plan(tuple(loop), (len(bands) - 1) * chunks)


def _parts(window_bytes: int, groups: int) -> int:
    """Of the groups: enough for what a kernel's rows see of each to fit the second-level cache."""
    return min(groups, max(MIN_PARTS, -(-window_bytes // MAX_WINDOW_BYTES)))


def _tile_size(kernel: Pair, registers: int) -> Pair:
    """(kernel rows, columns) of a tile, whose sums, gradients and one pixel fit the registers."""
    height = max(1, min(MAX_SUMS, registers - 6) // kernel[1])
    spare = registers - min(height, kernel[0]) * kernel[1] - 2
    return height, max(1, min(MAX_COLUMNS, spare))


def _addresses(
    like: Tile,
    kinds: list[Pair],
    seen: list[tuple[Pair, ...]],
    heights: list[int],
    images: int,
    vectors: Vectors,
) -> Array:
    """DepthwiseLoop.tiles: for kinds of rows, column tiles that see these taps,
    and pieces of the kernel rows.
    """
    tiles = np.zeros((2, len(kinds), len(seen), len(heights) - 1), np.int64)
    needed = divmod(images, vectors.lanes)
    for masked, kind, j, piece in np.ndindex(*tiles.shape):
        rows = max(kinds[kind][0], heights[piece]), min(kinds[kind][1], heights[piece + 1])
        if rows[0] < rows[1] and needed[masked]:
            tile = like._replace(rows=rows, columns=seen[j])
            tiles[masked, kind, j, piece] = tile_address(tile, vectors, bool(masked))
    return tiles


class DepthwisePlaces(NamedTuple):
    x: int
    g: int


def correlate_depthwise(x: Array, g: Array, dw: Array, window: Window) -> None:
    """dw (KH, KW, 1, F), from batch-last x (N, H, W, C) and g (N, OH, OW, F), where F is a multiple of C."""
    v, filters = vectors(x.dtype), g.shape[3]
    plan = depthwise_plan(x.shape[:3], g.shape[1:3], dw.shape[:2], x.shape[3], filters, window, v)
    acc = common.aligned((plan.pieces, filters, dw.shape[0] * dw.shape[1], v.lanes), x.dtype)
    places = DepthwisePlaces(x=common.address(x), g=common.address(g))
    alone = g.size * dw[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    run = _run_depthwise.compiled  # type: ignore[attr-defined]
    flat = dw.reshape(-1, filters)  # (KH KW, F)
    common.launch(run, plan.loop, tuple(places), x.strides[1:], g.strides[1:], acc, flat, alone=alone)


@parallel
def _run_depthwise(loop, places, x_strides, g_strides, acc, dw):
    """Every tile on every piece; then the pieces, and the lanes, of each sum are added.
    Addresses and steps are in bytes.
    """
    loop = DepthwiseLoop(*loop)
    at = DepthwisePlaces(*places)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    for task in prange(acc.shape[0] * loop.parts):
        _depthwise_task(task, loop, at, x_step, g_step, acc)
    for part in prange(loop.parts):
        _add_pieces(dw, acc, acc.shape[1] * part // loop.parts, acc.shape[1] * (part + 1) // loop.parts)


@serial
def _depthwise_task(task, loop, at, x_step, g_step, acc):
    """The rows of one band, for one chunk of the batch and one part of the groups: sums of its own in acc."""
    piece, part = task // loop.parts, task % loop.parts
    band, chunk = piece // loop.chunks, piece % loop.chunks
    group, end_group = loop.groups * part // loop.parts, loop.groups * (part + 1) // loop.parts
    each = loop.filters // loop.groups
    clear(acc[piece, group * each : end_group * each].reshape(-1))
    place = acc.ctypes.data + (piece * loop.filters + group * each) * loop.filter_bytes
    for row in range(loop.bands[band], loop.bands[band + 1]):
        x_row = (
            at.x
            + (row * loop.row_stride - loop.top) * x_step.row
            - loop.left * x_step.column
            + group * x_step.channel
        )
        g_row = at.g + row * g_step.row + group * each * g_step.channel
        for masked in range(2):  # the whole blocks, and the partial one at the end
            first, end = blocks_of(loop.images, loop.lanes, chunk, loop.chunks, masked)
            if first == end:
                continue
            image = first * loop.lanes * loop.itemsize
            here = DepthwisePlaces(x=x_row + image, g=g_row + image)
            _row_tiles(
                loop.tiles[masked, loop.kinds[row]],
                loop,
                here,
                x_step,
                g_step,
                place,
                end - first,
                end_group - group,
            )


@serial
def _row_tiles(tiles, loop, at, x_step, g_step, acc, blocks, groups):
    """Adds one output row, of some blocks of images and some groups, to the sums at `acc`."""
    each, filter_bytes = loop.filters // loop.groups, loop.filter_bytes
    for j in range(tiles.shape[0]):
        for i in range(tiles.shape[1]):
            for f in range(each if tiles[j, i] else 0):
                call_kernel(
                    tiles[j, i],
                    DepthwiseCall(
                        x=at.x + loop.columns[j] * loop.column_stride * x_step.column,
                        g=at.g + loop.columns[j] * g_step.column + f * g_step.channel,
                        acc=acc + f * filter_bytes,
                        blocks=blocks,
                        groups=groups,
                        x_row=x_step.row * loop.row_dilation,
                        x_column=x_step.column,
                        x_group=x_step.channel,
                        g_column=g_step.column,
                        g_group=each * g_step.channel,
                        acc_group=each * filter_bytes,
                        live=loop.images % loop.lanes,
                    ),
                )


@serial
def _add_pieces(dw, acc, first, end):
    """dw[tap, f] = the sum of acc[piece, f, tap, lane] over pieces and lanes,
    for the filters first, ..., end - 1.
    """
    taps, lanes = acc.shape[2], acc.shape[3]
    total = acc[0, first:end].reshape(-1)
    for piece in range(1, acc.shape[0]):
        add(total, acc[piece, first:end].reshape(-1), 0)
    half = lanes // 2
    while half:  # the upper half of the lanes is added to the lower half until one is left
        for i in range(0, total.size, lanes):
            for lane in range(half):
                total[i + lane] += total[i + half + lane]
        half //= 2
    for f in range(first, end):
        for tap in range(taps):
            dw[tap, f] = total[((f - first) * taps + tap) * lanes]


@serial
def blocks_of(images, lanes, chunk, chunks, masked):
    """(first, end) of the vectors of images in a chunk of the batch; if masked,
    of the partial one in the last chunk.
    """
    blocks = images // lanes
    if masked:
        partial = 1 if blocks * lanes < images and chunk == chunks - 1 else 0
        return blocks, blocks + partial
    return blocks * chunk // chunks, blocks * (chunk + 1) // chunks
