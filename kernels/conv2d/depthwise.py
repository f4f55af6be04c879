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
from typing import NamedTuple

import numpy as np

from .. import common
from ..common import Array, parallel, prange, serial
from ..emit import VectorFunction, Vectors, call_kernel, vectors
from ..emit import address as compiled
from ..sums import add, clear
from .forward import SMALL_WORK, TASKS, WINDOW, split
from .geometry import Pair, tap_range

SUMS = 24  # of a tile, at most
COLUMNS = 8  # of a tile, at most
PARTS = 4  # of the groups, at least: they need no addition, as bands of rows do


class Tile(NamedTuple):
    """What a tile is made for: the kernel rows that meet the map, and for each column of output the kernel columns."""

    rows: Pair
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int


def depthwise_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes: x_row from tap to tap, x_column from column to column, *_group to the next group."""
    k = VectorFunction(
        vectors, "x g acc blocks groups x_row x_column x_group g_column g_group acc_group live", masked=masked
    )
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


class Plan(NamedTuple):
    """tiles: addresses [masked, kind of row, column tile, piece of the kernel rows], 0 where nothing is to do."""

    tiles: Array
    kinds: Array  # of each output row
    columns: Array  # where the column tiles start
    bands: Array  # where the bands of rows start
    parts: int  # of the groups
    chunks: int  # of the batch


@cache
def depthwise_plan(
    size: tuple[int, int, int], output: Pair, kernel: Pair, groups: int, strides: Pair, corner: Pair, dilation: Pair,
    vectors: Vectors,
) -> Plan:
    """Plan for images (N, H, W) of `groups` channels and maps (OH, OW) of output."""
    rows = [tap_range(oh, size[1], kernel[0], strides[0], corner[0], dilation[0]) for oh in range(output[0])]
    taps = [tap_range(ow, size[2], kernel[1], strides[1], corner[1], dilation[1]) for ow in range(output[1])]
    kinds = sorted(set(rows))
    height = max(1, min(SUMS, vectors.registers - 6) // kernel[1])  # kernel rows whose sums fit the registers
    heights = split(kernel[0], height)
    spare = vectors.registers - min(height, kernel[0]) * kernel[1] - 2
    columns = split(output[1], max(1, min(COLUMNS, spare)))
    tiles = np.zeros((2, len(kinds), len(columns) - 1, len(heights) - 1), np.int64)
    blocks, rest = divmod(size[0], vectors.lanes)
    for masked, kind, j, piece in np.ndindex(*tiles.shape):
        seen = max(kinds[kind][0], heights[piece]), min(kinds[kind][1], heights[piece + 1])
        if seen[0] < seen[1] and (rest if masked else blocks):
            tile = Tile(seen, tuple(taps[columns[j] : columns[j + 1]]), kernel[1], strides[1], dilation[1])
            tiles[masked, kind, j, piece] = _tile_address(tile, vectors, bool(masked))
    window = kernel[0] * size[2] * groups * size[0] * vectors.itemsize
    parts = min(groups, max(PARTS, -(-window // WINDOW)))
    bands = min(output[0], -(-TASKS // parts))
    chunks = max(1, min(blocks, -(-TASKS // (parts * bands))))
    tables = (tiles, np.array([kinds.index(row) for row in rows]), np.array(columns))
    return Plan(*tables, np.array(split(output[0], -(-output[0] // bands))), parts, chunks)


def correlate_depthwise(x: Array, g: Array, dw: Array, strides: Pair, corner: Pair, dilation: Pair) -> None:
    """dw (KH, KW, 1, F), from batch-last x (N, H, W, C) and g (N, OH, OW, F), where F is a multiple of C."""
    v, groups, filters = vectors(x.dtype), x.shape[3], g.shape[3]
    plan = depthwise_plan(x.shape[:3], g.shape[1:3], dw.shape[:2], groups, strides, corner, dilation, v)
    pieces = (len(plan.bands) - 1) * plan.chunks
    acc = common.aligned((pieces, filters, dw.shape[0] * dw.shape[1], v.lanes), x.dtype)
    common.launch(
        _run_depthwise.compiled,  # type: ignore[attr-defined]
        *plan, common.address(x), common.address(g), x.shape[0], groups, v.itemsize, x.strides[1:], g.strides[1:],
        strides, corner, dilation, acc, dw.reshape(-1, filters), alone=g.size * dw[..., 0].size < SMALL_WORK,
    )


@parallel
def _run_depthwise(tiles, kinds, columns, bands, parts, chunks, x, g, images, groups, itemsize, x_steps, g_steps, strides,
                   corner, dilation, acc, dw):
    """Every tile on every piece; then the pieces, and the lanes, of each sum are added. Addresses and steps are in bytes."""
    lanes, each = acc.shape[3], acc.shape[1] // groups
    blocks, acc_filter = images // lanes, acc.shape[2] * acc.shape[3] * itemsize
    for task in prange(acc.shape[0] * parts):
        piece, part = task // parts, task % parts
        band, chunk = piece // chunks, piece % chunks
        group, end_group = groups * part // parts, groups * (part + 1) // parts
        clear(acc[piece, group * each : end_group * each].reshape(-1))
        place = acc.ctypes.data + (piece * acc.shape[1] + group * each) * acc_filter
        for row in range(bands[band], bands[band + 1]):
            x_row = x + (row * strides[0] - corner[0]) * x_steps[0] - corner[1] * x_steps[1] + group * x_steps[2]
            g_row = g + row * g_steps[0] + group * each * g_steps[2]
            for masked in range(2):  # the whole blocks, and the partial one at the end
                first = blocks if masked else blocks * chunk // chunks
                end = (images + lanes - 1) // lanes if masked else blocks * (chunk + 1) // chunks
                if first == end or (masked and chunk < chunks - 1):
                    continue
                image = first * lanes * itemsize
                for j in range(tiles.shape[2]):
                    for i in range(tiles.shape[3]):
                        if tiles[masked, kinds[row], j, i] == 0:
                            continue
                        for f in range(each):
                            call_kernel(  # type: ignore[call-arg]
                                tiles[masked, kinds[row], j, i],
                                (
                                    x_row + columns[j] * strides[1] * x_steps[1] + image,
                                    g_row + columns[j] * g_steps[1] + f * g_steps[2] + image,
                                    place + f * acc_filter, end - first, end_group - group,
                                    x_steps[0] * dilation[0], x_steps[1], x_steps[2],
                                    g_steps[1], each * g_steps[2], each * acc_filter, images % lanes,
                                ),
                            )
    for part in prange(parts):
        _add_pieces(dw, acc, acc.shape[1] * part // parts, acc.shape[1] * (part + 1) // parts)


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
