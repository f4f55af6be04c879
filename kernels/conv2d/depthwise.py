"""The weight gradient of a depthwise convolution: every group has one channel.

    for each group, each vector of images:
        acc[group, kh, kw] += g[row, column j, f] * x[row(kh), column(j, kw), group]     for some columns j of one output row
    dw[kh, kw, 0, f] = sum of the lanes of acc[group, kh, kw]

With one channel and one filter, few products are made of each number that is read. So a tile takes some columns at once,
whose windows overlap: seven columns of a 3x3 kernel read 27 pixels for 63 products. And the groups are the inner loop, because
the channels of a pixel are neighbours in memory: a tile that went over the map for one channel, then for the next, met a new
memory page at each pixel and took three times as long. The sums, a vector for each weight, wait in memory meanwhile.

The work is divided into pieces, a band of rows for some of the groups and images each. Their sums are added in order.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import common
from ..common import Array, parallel, prange, serial
from ..emit import VectorFunction, Vectors, call_kernel, vectors
from ..emit import address as compiled
from ..sums import add, clear
from .forward import split
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE, MAX_WINDOW_BYTES, MIN_TASKS
from .geometry import Pair, Steps, Window, tap_range

MAX_SUMS = 24  # of a tile
MAX_COLUMNS = 8  # of a tile
MIN_PARTS = 4  # of the groups: they need no addition, as bands of rows do


class Tile(NamedTuple):
    """What a tile is made for: the kernel rows that meet the map, and for each column of output the kernel columns."""

    rows: Pair
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int


class DepthwiseCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    x: int
    g: int
    acc: int
    blocks: int  # vectors of images
    groups: int
    x_row: int  # from tap to tap
    x_column: int
    x_group: int
    g_column: int
    g_group: int
    acc_group: int
    live: int  # images of the vector at the end


def depthwise_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, DepthwiseCall, masked=masked)
    # Input columns that are read, counted from the one under tap 0 of the first output, and the products made of each.
    products: dict[int, list[Pair]] = {}
    for j, taps in enumerate(tile.columns):
        for kw in range(*taps):
            products.setdefault(j * tile.stride + kw * tile.dilation, []).append((j, kw))
    taps_seen = sorted({kw for pairs in products.values() for _, kw in pairs})
    sums = {(kh, kw): k.variable(k.zero) for kh in range(*tile.rows) for kw in taps_seen}
    image, gradient, acc = k.pointer("%x"), k.pointer("%g"), k.pointer("%acc")
    columns = {i: k.mul("%x_column", i) for i in sorted(products)}
    upstream_at = [k.mul("%g_column", j) for j in range(len(tile.columns))]
    with k.loop(0, "%groups") as group:
        x, g, own = (
            k.move(p, k.mul(f"%{n}_group", group)) for p, n in ((image, "x"), (gradient, "g"), (acc, "acc"))
        )
        places = {(kh, kw): k.move(own, (kh * tile.kernel_width + kw) * vectors.bytes) for kh, kw in sums}
        for tap, slot in sums.items():
            k.set(slot, k.load(places[tap], whole=True))
        with k.loop(0, "%blocks") as block:
            step = k.mul(vectors.bytes, block)
            g_block, x_block = k.move(g, step), k.move(x, step)
            upstream = [k.load(k.move(g_block, offset)) for offset in upstream_at]
            for kh in range(*tile.rows):
                row = k.move(x_block, k.mul("%x_row", kh))
                for i, pairs in sorted(products.items()):
                    pixel = k.load(k.move(row, columns[i]))
                    for j, kw in pairs:
                        k.set(sums[kh, kw], k.multiply_add(upstream[j], pixel, k.get(sums[kh, kw])))
        for tap, slot in sums.items():
            k.store(k.get(slot), places[tap], whole=True)
    return k


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return compiled(depthwise_tile(tile, vectors, masked))


class DepthwiseLoop(NamedTuple):
    """What the compiled loop reads."""

    tiles: Array  # addresses [masked, kind of row, column tile, piece of the kernel rows], 0 where nothing is to do
    kinds: Array  # of each output row
    columns: Array  # where the column tiles start
    bands: Array  # where the bands of rows start
    parts: int  # of the groups
    chunks: int  # of the batch
    groups: int
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
    size: tuple[int, int, int], output: Pair, kernel: Pair, groups: int, window: Window, vectors: Vectors
) -> Plan:
    """Plan for images (N, H, W) of `groups` channels and maps (OH, OW) of output."""
    strides, corner, dilation = window
    rows = [tap_range(oh, size[1], kernel[0], strides[0], corner[0], dilation[0]) for oh in range(output[0])]
    taps = [tap_range(ow, size[2], kernel[1], strides[1], corner[1], dilation[1]) for ow in range(output[1])]
    kinds = sorted(set(rows))
    height = max(1, min(MAX_SUMS, vectors.registers - 6) // kernel[1])  # kernel rows whose sums fit the registers
    heights = split(kernel[0], height)
    spare = vectors.registers - min(height, kernel[0]) * kernel[1] - 2
    columns = split(output[1], max(1, min(MAX_COLUMNS, spare)))
    tiles = np.zeros((2, len(kinds), len(columns) - 1, len(heights) - 1), np.int64)
    blocks, rest = divmod(size[0], vectors.lanes)
    for masked, kind, j, piece in np.ndindex(*tiles.shape):
        seen = max(kinds[kind][0], heights[piece]), min(kinds[kind][1], heights[piece + 1])
        if seen[0] < seen[1] and (rest if masked else blocks):
            tile = Tile(seen, tuple(taps[columns[j] : columns[j + 1]]), kernel[1], strides[1], dilation[1])
            tiles[masked, kind, j, piece] = _tile_address(tile, vectors, bool(masked))
    window_bytes = kernel[0] * size[2] * groups * size[0] * vectors.itemsize
    parts = min(groups, max(MIN_PARTS, -(-window_bytes // MAX_WINDOW_BYTES)))
    count = min(output[0], -(-MIN_TASKS // parts))
    bands = split(output[0], -(-output[0] // count))
    chunks = max(1, min(blocks, -(-MIN_TASKS // (parts * count))))
    loop = DepthwiseLoop(
        tiles=tiles, kinds=np.array([kinds.index(row) for row in rows]), columns=np.array(columns), bands=np.array(bands),
        parts=parts, chunks=chunks, groups=groups, images=size[0], lanes=vectors.lanes,
        itemsize=vectors.itemsize, row_stride=strides[0], column_stride=strides[1], top=corner[0], left=corner[1],
        row_dilation=dilation[0],
    )
    return Plan(tuple(loop), (len(bands) - 1) * chunks)


class DepthwisePlaces(NamedTuple):
    x: int
    g: int


def correlate_depthwise(x: Array, g: Array, dw: Array, window: Window) -> None:
    """dw (KH, KW, 1, F), from batch-last x (N, H, W, C) and g (N, OH, OW, F), where F is a multiple of C."""
    v, filters = vectors(x.dtype), g.shape[3]
    plan = depthwise_plan(x.shape[:3], g.shape[1:3], dw.shape[:2], x.shape[3], window, v)
    acc = common.aligned((plan.pieces, filters, dw.shape[0] * dw.shape[1], v.lanes), x.dtype)
    places = DepthwisePlaces(x=common.address(x), g=common.address(g))
    alone = g.size * dw[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    run = _run_depthwise.compiled  # type: ignore[attr-defined]
    flat = dw.reshape(-1, filters)  # (KH KW, F)
    common.launch(run, plan.loop, tuple(places), x.strides[1:], g.strides[1:], acc, flat, alone=alone)


@parallel
def _run_depthwise(loop, places, x_strides, g_strides, acc, dw):
    """Every tile on every piece; then the pieces, and the lanes, of each sum are added. Addresses and steps are in bytes."""
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
    each = acc.shape[1] // loop.groups  # filters of a group
    clear(acc[piece, group * each : end_group * each].reshape(-1))
    filter_bytes = acc.shape[2] * acc.shape[3] * loop.itemsize
    place = acc.ctypes.data + (piece * acc.shape[1] + group * each) * filter_bytes
    for row in range(loop.bands[band], loop.bands[band + 1]):
        x_row = at.x + (row * loop.row_stride - loop.top) * x_step.row - loop.left * x_step.column + group * x_step.channel
        g_row = at.g + row * g_step.row + group * each * g_step.channel
        for masked in range(2):  # the whole blocks, and the partial one at the end
            blocks = loop.images // loop.lanes
            first = blocks if masked else blocks * chunk // loop.chunks
            end = (loop.images + loop.lanes - 1) // loop.lanes if masked else blocks * (chunk + 1) // loop.chunks
            if first == end or (masked and chunk < loop.chunks - 1):
                continue
            image = first * loop.lanes * loop.itemsize
            for j in range(loop.tiles.shape[2]):
                for i in range(loop.tiles.shape[3]):
                    tile = loop.tiles[masked, loop.kinds[row], j, i]
                    for f in range(each if tile else 0):
                        call_kernel(
                            tile,
                            DepthwiseCall(
                                x=x_row + loop.columns[j] * loop.column_stride * x_step.column + image,
                                g=g_row + loop.columns[j] * g_step.column + f * g_step.channel + image,
                                acc=place + f * filter_bytes,
                                blocks=end - first,
                                groups=end_group - group,
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
    """dw[tap, f] = the sum of acc[piece, f, tap, lane] over pieces and lanes, for the filters first, ..., end - 1."""
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
