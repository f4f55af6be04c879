"""Which tile of wide.py runs where: the plan of a weight gradient of many filters,
and the loops that follow it.
"""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import get_thread_id

from ..common import Array, parallel, prange, serial
from ..emit import Vectors, call_kernel
from .forward import split
from .geometry import KernelSteps, Pair, Steps, Window
from .weight_loop import WeightPlaces, add_results
from .wide import TransposeCall, WideCall, tile_address, transpose_address

# A band of transposed g has at most so many bytes: with its x, it stays in the second-level cache.
MAX_BAND_BYTES = 1 << 19
# The rows are divided until there are about this many pieces of work to share,
MIN_TASKS = 8
# of at least so many multiply-adds.
MIN_MULTIPLY_ADDS = 1 << 21


class WideLoop(NamedTuple):
    """What the compiled loop reads."""

    tiles: Array  # [group of filters, piece of the channels, (address, first channel)]
    # [first filter, filters, addresses that transpose a whole vector, the last; for partial images: the same]
    groups: Array
    bands: Array  # [first row, end, first image, end]
    piece_bands: Array  # the first band of each piece, and their number
    rows: Array  # [kernel tap, outputs (first, end) that meet it]
    columns: Array
    packed_row: int  # steps of a transposed band, in bytes
    packed_column: int
    packed_image: int
    lanes: int
    itemsize: int
    row_stride: int  # tap kh of output row o meets input row o * row_stride + kh * row_dilation - top
    column_stride: int
    top: int
    left: int
    row_dilation: int
    column_dilation: int


class PackedSteps(NamedTuple):
    """Bytes from a vector of filters to the next one, of g with its filters side by side."""

    row: int
    column: int
    image: int


class Plan(NamedTuple):
    loop: tuple[Any, ...]  # a WideLoop, as a plain tuple
    pieces: int
    band_bytes: int  # of transposed g


@cache
def wide_plan(
    size: Pair,
    output: Pair,
    kernel: Pair,
    channels: int,
    filters: int,
    window: Window,
    vectors: Vectors,
    images: int,
) -> Plan:
    """Groups of filters times pieces of the rows. They depend on the shapes alone."""
    strides, corner, dilation = window
    tiles, groups = _filter_groups(channels, filters, vectors)
    work = images * output[0] * output[1] * kernel[0] * kernel[1] * channels * filters
    pieces = max(1, min(MIN_TASKS // len(groups), work // MIN_MULTIPLY_ADDS, output[0]))
    bands = _bands(output, images, pieces, vectors)
    taps = [
        [_outputs(k, size[i], output[i], strides[i], corner[i], dilation[i]) for k in range(kernel[i])]
        for i in (0, 1)
    ]
    loop = WideLoop(
        tiles=tiles,
        groups=groups,
        bands=bands.bands,
        piece_bands=bands.firsts,
        rows=np.array(taps[0]),
        columns=np.array(taps[1]),
        packed_row=bands.row_bytes,
        packed_column=bands.column_bytes,
        packed_image=bands.image_bytes,
        lanes=vectors.lanes,
        itemsize=vectors.itemsize,
        row_stride=strides[0],
        column_stride=strides[1],
        top=corner[0],
        left=corner[1],
        row_dilation=dilation[0],
        column_dilation=dilation[1],
    )
    return Plan(tuple(loop), pieces, bands.height * bands.row_bytes)


def _filter_groups(channels: int, filters: int, vectors: Vectors) -> tuple[Array, Array]:
    """The tables `tiles` and `groups`: one or two vectors of filters each,
    and tiles for some channels each.
    """
    lanes = vectors.lanes
    channel_edges = split(channels, 12 if vectors.registers >= 32 else 6)  # sums for two vectors of filters
    groups, tiles = [], []
    for first, end in pairwise(split(-(-filters // lanes), 2)):
        count = min(filters, end * lanes) - first * lanes
        last = count - (end - first - 1) * lanes
        transposing = (
            transpose_address(f, vectors, masked) for masked in (False, True) for f in (lanes, last)
        )
        groups.append((first * lanes, count, *transposing))
        width, partial = end - first, last < lanes
        tiles.append([(tile_address(b - a, width, vectors, partial), a) for a, b in pairwise(channel_edges)])
    return np.array(tiles), np.array(groups)


class _Bands(NamedTuple):
    bands: Array  # as WideLoop has them
    firsts: Array
    height: int  # rows, at most
    row_bytes: int
    column_bytes: int
    image_bytes: int


def _bands(output: Pair, images: int, pieces: int, vectors: Vectors) -> _Bands:
    """Bands of rows, of the images of which as many rows as there are fit MAX_BAND_BYTES;
    as many in each piece.
    """
    lanes, image_bytes = vectors.lanes, 2 * vectors.bytes
    fitting = MAX_BAND_BYTES // (output[1] * image_bytes) // lanes * lanes  # images of a row
    together = min(max(images, 1), max(lanes, fitting))
    column_bytes = -(-together // lanes) * lanes * image_bytes
    row_bytes = output[1] * column_bytes
    height = max(1, MAX_BAND_BYTES // row_bytes)
    steps = min(output[0], -(-output[0] // (height * pieces)) * pieces)
    edges = [output[0] * i // steps for i in range(steps + 1)]
    parts = [(first, min(first + together, images)) for first in range(0, images, together)]
    bands = [(*rows, *part) for rows in pairwise(edges) for part in parts]
    firsts = [len(parts) * (steps * i // pieces) for i in range(pieces + 1)]
    table = np.array(bands, np.int64).reshape(-1, 4)
    return _Bands(table, np.array(firsts), height, row_bytes, column_bytes, image_bytes)


def _outputs(tap: int, size: int, output: int, stride: int, padding: int, dilation: int) -> Pair:
    """(first, end) of the outputs o that meet `tap` inside the map:
    0 <= o * stride + tap * dilation - padding < size.
    """
    first = max(0, -((tap * dilation - padding) // stride))
    return first, max(first, min(output, (size - 1 + padding - tap * dilation) // stride + 1))


@parallel
def run_wide(loop, places, x_strides, g_strides, target_strides, results, dw, first_filter, scratch):
    """Adds up every piece. A thread transposes into its row of `scratch`,
    one that came later into new memory.
    """
    loop = WideLoop(*loop)
    at = WeightPlaces(*places)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    dw_step = KernelSteps(*target_strides)
    pieces, flat = loop.piece_bands.size - 1, results.reshape(-1)
    for task in prange(pieces * loop.groups.shape[0]):
        thread = get_thread_id()
        own = scratch[thread] if thread < scratch.shape[0] else np.empty(scratch.shape[1] + 64, np.uint8)
        packed = (own.ctypes.data + 63) // 64 * 64
        rows = dw.size // dw.shape[3]
        clear_result(task, loop.groups, flat, rows, results.shape[4], first_filter if pieces == 1 else 0)
        wide_task(task, loop, at, packed, x_step, g_step, dw_step)
        own[0] = 0  # it is held until here
    if pieces != 1:
        add_results(dw.reshape(-1), flat, pieces, first_filter, results.shape[4], dw.shape[3])


@serial
def wide_task(task, loop, at, packed, x_step, g_step, dw_step):  # type: ignore[no-untyped-def]
    """Adds the pixels of one piece to the result of one group of filters.
    `packed` is scratch of this thread. The filters of a single image are neighbours in g already.
    """
    piece, i = task // loop.groups.shape[0], task % loop.groups.shape[0]
    group = loop.groups[i]
    dw = at.target + piece * dw_step.piece + group[0] * loop.itemsize
    live = (group[1] - 1) % loop.lanes + 1
    for j in range(loop.piece_bands[piece], loop.piece_bands[piece + 1]):
        band, image = loop.bands[j], loop.bands[j, 2] * loop.itemsize
        source = at.g + band[0] * g_step.row + group[0] * g_step.channel + image
        if band[3] - band[2] == 1 and g_step.channel == loop.itemsize:
            lying, steps = source, PackedSteps(row=g_step.row, column=g_step.column, image=0)
        else:
            transpose_band(group, band, loop, source, packed, g_step)
            lying = packed
            steps = PackedSteps(row=loop.packed_row, column=loop.packed_column, image=loop.packed_image)
        multiply_band(loop.tiles[i], band, loop, at.x + image, lying, steps, dw, x_step, dw_step, live)


@serial
def clear_result(task, groups, results, rows, width, first_filter):  # type: ignore[no-untyped-def]
    """Results (pieces, rows, width) of one piece and one group of filters = 0."""
    piece, i = task // groups.shape[0], task % groups.shape[0]
    for row in range(rows):
        place = (piece * rows + row) * width + first_filter + groups[i, 0]
        for f in range(groups[i, 1]):
            results[place + f] = 0


@serial
def transpose_band(group, band, loop, g, packed, g_step):  # type: ignore[no-untyped-def]
    """Transposes the g of a band for a group of filters."""
    lanes = loop.lanes
    width, rows, images = (group[1] + lanes - 1) // lanes, band[1] - band[0], band[3] - band[2]
    for j in range(width):
        for partial in range(2):  # the whole vectors of images, and the partial one at the end
            blocks = 1 if partial else images // lanes
            first = images // lanes * lanes if partial else 0
            if blocks > 0 and first < images:
                call_kernel(
                    group[2 + 2 * partial + (1 if j == width - 1 else 0)],
                    TransposeCall(
                        g=g + j * lanes * g_step.channel + first * loop.itemsize,
                        packed=packed + j * lanes * loop.itemsize + first * loop.packed_image,
                        rows=rows,
                        columns=loop.packed_row // loop.packed_column,
                        blocks=blocks,
                        g_row=g_step.row,
                        g_column=g_step.column,
                        g_filter=g_step.channel,
                        packed_row=loop.packed_row,
                        packed_column=loop.packed_column,
                        packed_image=loop.packed_image,
                        live=images % lanes,
                    ),
                )


@serial
def multiply_band(tiles, band, loop, x, packed, steps, dw, x_step, dw_step, live):  # type: ignore[no-untyped-def]
    """dw += x times transposed g of a band, for every kernel tap and every channel."""
    for kh in range(loop.rows.shape[0]):
        top, bottom = max(loop.rows[kh, 0], band[0]), min(loop.rows[kh, 1], band[1])
        x_row = x + (top * loop.row_stride + kh * loop.row_dilation - loop.top) * x_step.row
        for kw in range(loop.columns.shape[0]):
            left, right = loop.columns[kw, 0], loop.columns[kw, 1]
            x_pixel = (
                x_row + (left * loop.column_stride + kw * loop.column_dilation - loop.left) * x_step.column
            )
            for i in range(tiles.shape[0] if top < bottom and left < right else 0):
                c = tiles[i, 1]
                call_kernel(
                    tiles[i, 0],
                    WideCall(
                        x=x_pixel + c * x_step.channel,
                        g=packed + (top - band[0]) * steps.row + left * steps.column,
                        dw=dw + kh * dw_step.row + kw * dw_step.column + c * dw_step.channel,
                        rows=bottom - top,
                        columns=right - left,
                        images=band[3] - band[2],
                        x_row=x_step.row * loop.row_stride,
                        x_column=x_step.column * loop.column_stride,
                        x_channel=x_step.channel,
                        g_row=steps.row,
                        g_column=steps.column,
                        g_image=steps.image,
                        dw_channel=dw_step.channel,
                        live=live,
                    ),
                )
