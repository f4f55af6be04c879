"""The loops of Winograd's weight gradient where there are many channels: dU is as large as the caches.

    for some units, each a tile and two vectors of images:
        task = a unit, a share of the channels, a piece of the filters:     V and Z, which the threads share
        task = a place, a piece of the filters:                             dU[t] += V[t] Z[t] of these units
    then for each channel: dw

In winograd_weight_loop.py all of dU is read and written for each two vectors of images, and each part of the
work has its own. Here there is one: a place of it is read and written once for several units, and what the
products then need, V and Z of that place and a piece of the filters, fits the caches.
"""

import numpy as np
from numba import get_thread_id

from ..common import parallel, prange, serial
from ..emit import call_kernel
from .geometry import KernelSteps, Steps
from .weight_loop import WeightPlaces
from .winograd_loop import to_products
from .winograd_tiles import VECTORS
from .winograd_weight import OuterCall
from .winograd_weight_loop import WinogradWeightLoop, invert_channel, to_sums


@parallel
def run_deep_weight(loop, places, x_strides, g_strides, dw_strides, sums, scratch, shared):
    """dw, by way of `shared`, memory for the units, and of `sums` (1, places, channels, filters)."""
    loop = WinogradWeightLoop(*loop)
    at = WeightPlaces(*places)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    dw_step = KernelSteps(*dw_strides)
    pieces = loop.filter_pieces.size - 1
    for s in range(loop.steps.shape[0]):
        first, end, images = loop.steps[s]
        for task in prange((end - first) * pieces):
            thread = get_thread_id()
            own = scratch[thread] if thread < scratch.shape[0] else np.empty(scratch.shape[1], np.uint8)
            turned, v = (own.ctypes.data + 63) // 64 * 64, shared.ctypes.data + task // pieces * loop.unit
            transform_unit(first + task // pieces, task % pieces, loop, at, x_step, g_step, v, turned)
            own[0] = own[0]  # it is held until here
        for task in prange(loop.places * pieces):
            t, piece = task // pieces, task % pieces
            multiply_place(t, piece, end - first, images, s == 0, loop, shared.ctypes.data, sums[0, t])
    for channel in prange(sums.shape[2]):
        invert_channel(channel, loop, at, dw_step, sums)


@serial
def transform_unit(unit, piece, loop, at, x_step, g_step, v, turned):  # type: ignore[no-untyped-def]
    """V of a share of the channels, Z of a piece of the filters, which lies together."""
    columns, together = loop.columns.shape[0], VECTORS * loop.lanes
    tiles = loop.rows.shape[0] * columns
    row, column = loop.rows[unit % tiles // columns], loop.columns[unit % tiles % columns]
    image, pieces = unit // tiles * together, loop.filter_pieces.size - 1
    count = min(loop.images - image, together)
    c, end = loop.channels * piece // pieces, loop.channels * (piece + 1) // pieces
    x = at.x + row[2] * x_step.row + column[2] * x_step.column + c * x_step.channel + image * loop.itemsize
    to_products(row[0], column[0], count, end - c, loop, x, x_step, v + c * loop.v_channel)
    g = at.g + row[1] * g_step.row + column[1] * g_step.column + image * loop.itemsize
    f = loop.filter_pieces[piece], loop.filter_pieces[piece + 1]
    z = v + loop.z_offset + f[0] * loop.lanes * loop.itemsize * together
    to_sums(row[0], column[0], count, f, loop, g, g_step, turned, z)


@serial
def multiply_place(t, piece, units, images, begins, loop, v, sums):  # type: ignore[no-untyped-def]
    """dU[t] += V[t] Z[t] of a piece of the filters; `begins` with 0."""
    vector = loop.lanes * loop.itemsize
    f, end = loop.filter_pieces[piece], loop.filter_pieces[piece + 1]
    if begins:
        sums[:, f * loop.lanes : end * loop.lanes] = 0
    z = v + loop.z_offset + t * loop.z_place + f * vector * VECTORS * loop.lanes
    for i in range(loop.outers.shape[0]):
        c = loop.channel_pieces[i]
        call_kernel(
            loop.outers[i, piece],
            OuterCall(
                v=v + t * loop.v_place + c * loop.v_channel, z=z,
                u=sums.ctypes.data + c * loop.u_channel + f * vector, places=1, units=units, images=images,
                v_unit=loop.unit, v_place=0, v_channel=loop.v_channel, z_unit=loop.unit, z_place=0,
                z_image=(end - f) * vector, u_place=0, u_channel=loop.u_channel,
            ),
        )  # fmt: skip
