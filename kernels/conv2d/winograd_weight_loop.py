"""The plan and the loops of Winograd's weight gradient (winograd_weight.py).

    task = a part: a band of the rows of tiles, a chunk of the images
        for each tile of the band, for each two vectors of images of the chunk: its sums, into dU of the part
    then for each channel: dw, from all parts in their order

How many parts there are is a matter of the shapes, so that the bits do not depend on the threads.
"""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import get_thread_id

from ..common import Array, parallel, prange, serial
from ..emit import Vectors, call_kernel
from ..launches import CACHE_LINE
from .forward import lengths, split
from .geometry import KernelSteps, Pair, Steps
from .weight_loop import WeightPlaces
from .wide import TransposeCall, transpose_address
from .winograd import TAPS, tile_length
from .winograd_loop import to_products
from .winograd_plan import axis_tiles, input_addresses, odd_lines
from .winograd_tiles import VECTORS, Span, beside
from .winograd_weight import (
    InverseCall,
    OuterCall,
    SpreadCall,
    inverse_address,
    outer_address,
    spread_address,
)

SUMS, SUMS_OF_16 = 28, 12  # of an outer tile, in 32 registers and in 16
MAX_CHUNKS = 4  # of the images; each has a dU of its own
MIN_PARTS = 8  # about as many as threads that find work


class WinogradWeightLoop(NamedTuple):
    rows: Array  # of each row of tiles (kind, first output, first input)
    columns: Array
    inputs: Array  # addresses [whether the last vector is partial, kind of row, kind of column]
    transposes: Array  # addresses [images of a vector that is partial, vector of filters]
    spreads: Array  # addresses [kind of row, kind of column]
    spans: Array  # (rows, columns) of the tile that are in the map [kind of row, kind of column]
    outers: Array  # addresses [piece of the channels, piece of the filters]
    inverse: int
    channel_pieces: Array  # where they begin
    filter_pieces: Array  # in vectors
    bands: int
    chunks: int
    images: int
    lanes: int
    itemsize: int
    channels: int
    filters: int
    places: int
    v_place: int
    v_channel: int
    z_place: int
    z_image: int
    z_offset: int  # in a thread's scratch, which begins with V
    g_offset: int


class WinogradWeightPlan(NamedTuple):
    loop: tuple[Any, ...]  # a WinogradWeightLoop, as a plain tuple
    scratch: int  # bytes for each thread
    sums: tuple[int, int, int, int]  # dU (parts, places, channels, filters in whole vectors)


@cache
def winograd_weight_plan(
    size: tuple[int, int, int], output: Pair, channels: int, filters: int, corner: Pair, vectors: Vectors
) -> WinogradWeightPlan:
    """Plan for images (N, H, W) of so many channels, and maps (OH, OW) of so many filters."""
    m, lanes = tile_length(output), vectors.lanes
    places, width = (m + TAPS - 1) ** 2, -(-filters // lanes)
    rows, columns = (axis_tiles(m, size[1 + i], output[i], corner[i]) for i in (0, 1))
    z_image = width * vectors.bytes
    v_place, z_place = odd_lines(channels * beside(vectors)), VECTORS * lanes * z_image + CACHE_LINE
    channel_pieces, filter_pieces, outers = _outers(channels, width, vectors)
    bands, chunks = _parts(len(rows.table), -(-size[0] // (VECTORS * lanes)))
    loop = WinogradWeightLoop(
        rows=rows.table,
        columns=columns.table,
        inputs=input_addresses(m, size[0], rows.kinds, columns.kinds, v_place, vectors),
        transposes=_transposes(filters, vectors),
        spreads=_spreads(m, rows.kinds, columns.kinds, z_place, vectors),
        spans=np.array([[(r.outputs, c.outputs) for c in columns.kinds] for r in rows.kinds]),
        outers=outers,
        inverse=inverse_address(m, vectors),
        channel_pieces=np.array(channel_pieces),
        filter_pieces=np.array(filter_pieces),
        bands=bands,
        chunks=chunks,
        images=size[0],
        lanes=lanes,
        itemsize=vectors.itemsize,
        channels=channels,
        filters=filters,
        places=places,
        v_place=v_place,
        v_channel=beside(vectors),
        z_place=z_place,
        z_image=z_image,
        z_offset=places * v_place,
        g_offset=places * (v_place + z_place),
    )
    scratch = loop.g_offset + m * m * VECTORS * lanes * z_image + CACHE_LINE
    return WinogradWeightPlan(tuple(loop), scratch, (bands * chunks, places, channels, width * lanes))


def _parts(rows: int, pairs: int) -> Pair:
    """(bands of the rows of tiles, chunks of the pairs of vectors of images)"""
    chunks = min(MAX_CHUNKS, pairs)
    return min(rows, -(-MIN_PARTS // chunks)), chunks


def _spreads(m: int, rows: list[Span], columns: list[Span], z_place: int, vectors: Vectors) -> Array:
    made = [[spread_address(m, r.outputs, c.outputs, z_place, vectors) for c in columns] for r in rows]
    return np.array(made)


def _outers(channels: int, width: int, vectors: Vectors) -> tuple[list[int], list[int], Array]:
    """Where pieces of the channels begin, and pieces of the vectors of filters; the tiles of each two."""
    many = vectors.registers == 32
    widest = 4 if many and width % 4 == 0 else 2
    filter_pieces = split(width, widest)
    channel_pieces = split(channels, (SUMS if many else SUMS_OF_16) // max(lengths(width, widest)))
    tiles = [
        [outer_address(b - a, d - c, vectors) for c, d in pairwise(filter_pieces)]
        for a, b in pairwise(channel_pieces)
    ]
    return channel_pieces, filter_pieces, np.array(tiles)


def _transposes(filters: int, vectors: Vectors) -> Array:
    """Tiles for vectors of images that are whole, and for one that is not."""
    widths = [min(vectors.lanes, filters - first) for first in range(0, filters, vectors.lanes)]
    return np.array([[transpose_address(n, vectors, masked) for n in widths] for masked in (False, True)])


@parallel
def run_winograd_weight(loop, places, x_strides, g_strides, dw_strides, sums, scratch):
    """dw, by way of `sums` (parts, places, channels, filters)."""
    loop = WinogradWeightLoop(*loop)
    at = WeightPlaces(*places)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    dw_step = KernelSteps(*dw_strides)
    for part in prange(sums.shape[0]):
        thread = get_thread_id()
        own = scratch[thread] if thread < scratch.shape[0] else np.empty(scratch.shape[1], np.uint8)
        v = (own.ctypes.data + 63) // 64 * 64
        sums[part] = 0
        add_part(part, loop, at, x_step, g_step, v, sums[part])
        own[0] = own[0]  # it is held until here
    for channel in prange(sums.shape[2]):
        invert_channel(channel, loop, at, dw_step, sums)


@serial
def add_part(part, loop, at, x_step, g_step, v, sums):  # type: ignore[no-untyped-def]
    """The sums of a band of tiles, of a chunk of the images."""
    band, chunk = part // loop.chunks, part % loop.chunks
    together = VECTORS * loop.lanes
    pairs = (loop.images + together - 1) // together
    rows = loop.rows.shape[0]
    for r in range(rows * band // loop.bands, rows * (band + 1) // loop.bands):
        for j in range(loop.columns.shape[0]):
            for pair in range(pairs * chunk // loop.chunks, pairs * (chunk + 1) // loop.chunks):
                image = pair * together
                add_tile(r, j, image, loop, at, x_step, g_step, v, sums)


@serial
def add_tile(r, j, image, loop, at, x_step, g_step, v, sums):  # type: ignore[no-untyped-def]
    """The sums of one tile, of up to two vectors of images from `image` on."""
    row, column = loop.rows[r], loop.columns[j]
    count = min(loop.images - image, VECTORS * loop.lanes)
    whole, live = count // loop.lanes, count % loop.lanes
    x = at.x + row[2] * x_step.row + column[2] * x_step.column + image * loop.itemsize
    to_products(row[0], column[0], count, loop, x, x_step, v)
    g = at.g + row[1] * g_step.row + column[1] * g_step.column + image * loop.itemsize
    span = loop.spans[row[0], column[0]]
    turned, z = v + loop.g_offset, v + loop.z_offset
    images = (whole + (1 if live else 0)) * loop.lanes
    turn(span, whole, live, loop, g, g_step, turned, images * loop.z_image)
    call_kernel(
        loop.spreads[row[0], column[0]],
        SpreadCall(
            g=turned, z=z, vectors=count * loop.transposes.shape[1], g_column=images * loop.z_image,
            g_row=span[1] * images * loop.z_image,
        ),
    )  # fmt: skip
    multiply_images(count, loop, v, z, sums)


@serial
def multiply_images(images, loop, v, z, sums):  # type: ignore[no-untyped-def]
    """dU += V times Z over these images, at all places."""
    for a in range(loop.outers.shape[0]):
        for b in range(loop.outers.shape[1]):
            c, f = loop.channel_pieces[a], loop.filter_pieces[b] * loop.lanes
            call_kernel(
                loop.outers[a, b],
                OuterCall(
                    v=v + c * loop.v_channel, z=z + f * loop.itemsize,
                    u=sums.ctypes.data + c * loop.z_image + f * loop.itemsize, places=loop.places,
                    images=images, v_place=loop.v_place, v_channel=loop.v_channel, z_place=loop.z_place,
                    z_image=loop.z_image, u_place=loop.channels * loop.z_image, u_channel=loop.z_image,
                ),
            )  # fmt: skip


@serial
def turn(span, whole, live, loop, g, g_step, turned, column):  # type: ignore[no-untyped-def]
    """turned (row, column, image, filter) = g of a tile; images beyond the last are 0."""
    for partial in range(2):
        blocks, first = whole, 0
        if partial:
            blocks, first = min(live, 1), whole * loop.lanes
        for j in range(loop.transposes.shape[1] if blocks else 0):
            call_kernel(
                loop.transposes[partial, j],
                TransposeCall(
                    g=g + j * loop.lanes * g_step.channel + first * loop.itemsize,
                    packed=turned + j * loop.lanes * loop.itemsize + first * loop.z_image,
                    rows=span[0], columns=span[1], blocks=blocks, g_row=g_step.row, g_column=g_step.column,
                    g_filter=g_step.channel, packed_row=span[1] * column, packed_column=column,
                    packed_image=loop.z_image, live=live,
                ),
            )  # fmt: skip


@serial
def invert_channel(channel, loop, at, dw_step, sums):  # type: ignore[no-untyped-def]
    """dw of one channel."""
    call_kernel(
        loop.inverse,
        InverseCall(
            u=sums.ctypes.data + channel * loop.z_image, dw=at.target + channel * dw_step.channel,
            parts=sums.shape[0], u_part=loop.places * loop.channels * loop.z_image,
            u_place=loop.channels * loop.z_image, dw_row=dw_step.row, dw_column=dw_step.column,
            blocks=loop.filters // loop.lanes, live=loop.filters % loop.lanes,
        ),
    )  # fmt: skip
