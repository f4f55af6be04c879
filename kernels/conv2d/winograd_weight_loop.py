"""The loops of Winograd's weight gradient (winograd_weight.py), as a plan (winograd_weight_plan.py) says.

    task = a part: a band of the rows of tiles, a chunk of the images
        for each tile of the band, for each two vectors of images of the chunk: its sums, into dU of the part
    then for each channel: dw, from all parts in their order

How many parts there are is a matter of the shapes, so that the bits do not depend on the threads.
"""

from typing import NamedTuple

import numpy as np
from numba import get_thread_id

from ..common import Array, parallel, prange, serial
from ..emit import call_kernel
from .geometry import KernelSteps, Steps
from .weight_loop import WeightPlaces
from .wide import TransposeCall
from .winograd_loop import to_products
from .winograd_tiles import VECTORS
from .winograd_weight import InverseCall, OuterCall, SpreadCall


class WinogradWeightLoop(NamedTuple):
    """A unit is V and Z of a tile and two vectors of images."""

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
    steps: Array  # (first unit, end, images of each) of winograd_weight_deep_loop.py
    images: int
    lanes: int
    itemsize: int
    channels: int
    filters: int
    places: int
    v_place: int
    v_channel: int
    z_place: int
    z_offset: int  # in a unit, which begins with V
    unit: int  # bytes
    u_channel: int  # bytes of all filters, in whole vectors


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
    x = at.x + row[2] * x_step.row + column[2] * x_step.column + image * loop.itemsize
    to_products(row[0], column[0], count, loop.channels, loop, x, x_step, v)
    g = at.g + row[1] * g_step.row + column[1] * g_step.column + image * loop.itemsize
    every = 0, loop.transposes.shape[1]
    to_sums(row[0], column[0], count, every, loop, g, g_step, v + loop.unit, v + loop.z_offset)
    multiply_images(count, loop, v, v + loop.z_offset, sums)


@serial
def to_sums(row, column, count, pieces, loop, g, g_step, turned, z):  # type: ignore[no-untyped-def]
    """Z of a tile, of so many images, of the vectors of filters from pieces[0] to pieces[1]; by way of
    `turned`.
    """
    span, vectors = loop.spans[row, column], pieces[1] - pieces[0]
    images = (count + loop.lanes - 1) // loop.lanes * loop.lanes
    turn(span, count, pieces, loop, g, g_step, turned, images)
    each = images * vectors * loop.lanes * loop.itemsize
    call_kernel(
        loop.spreads[row, column],
        SpreadCall(g=turned, z=z, vectors=images * vectors, g_column=each, g_row=span[1] * each),
    )


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
                    u=sums.ctypes.data + c * loop.u_channel + f * loop.itemsize, places=loop.places,
                    units=1, images=images, v_unit=0, v_place=loop.v_place, v_channel=loop.v_channel,
                    z_unit=0, z_place=loop.z_place, z_image=loop.u_channel,
                    u_place=loop.channels * loop.u_channel, u_channel=loop.u_channel,
                ),
            )  # fmt: skip


@serial
def turn(span, count, pieces, loop, g, g_step, turned, images):  # type: ignore[no-untyped-def]
    """turned (row, column, image, filter) = g of a tile; the images from `count` to `images` are 0."""
    vector = loop.lanes * loop.itemsize
    image_bytes = (pieces[1] - pieces[0]) * vector
    for partial in range(2):
        blocks, first = count // loop.lanes, 0
        if partial:
            blocks, first = min(count % loop.lanes, 1), count // loop.lanes * loop.lanes
        for j in range(pieces[0], pieces[1] if blocks else 0):
            call_kernel(
                loop.transposes[partial, j],
                TransposeCall(
                    g=g + j * loop.lanes * g_step.channel + first * loop.itemsize,
                    packed=turned + (j - pieces[0]) * vector + first * image_bytes,
                    rows=span[0], columns=span[1], blocks=blocks, g_row=g_step.row, g_column=g_step.column,
                    g_filter=g_step.channel, packed_row=span[1] * images * image_bytes,
                    packed_column=images * image_bytes, packed_image=image_bytes, live=count % loop.lanes,
                ),
            )  # fmt: skip


@serial
def invert_channel(channel, loop, at, dw_step, sums):  # type: ignore[no-untyped-def]
    """dw of one channel."""
    call_kernel(
        loop.inverse,
        InverseCall(
            u=sums.ctypes.data + channel * loop.u_channel, dw=at.target + channel * dw_step.channel,
            parts=sums.shape[0], u_part=loop.places * loop.channels * loop.u_channel,
            u_place=loop.channels * loop.u_channel, dw_row=dw_step.row, dw_column=dw_step.column,
            blocks=loop.filters // loop.lanes, live=loop.filters % loop.lanes,
        ),
    )  # fmt: skip
