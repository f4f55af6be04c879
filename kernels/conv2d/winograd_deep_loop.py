"""The loops of Winograd's convolution where there are many channels: U, V and M are larger than the caches.

    U, shared among the threads
    task = a tile, for a part of the images:
        for up to eight vectors of images at a time:
            input tiles
            for each place, each piece of the filters, each two vectors: product tile
            output tiles

In winograd_loop.py, all of V is read for each piece of the filters, and all of U for each two vectors. Here V
is read once: at one place it fits the caches. And what is loaded of U serves four pairs of vectors.
"""

import numpy as np
from numba import get_thread_id

from ..common import parallel, prange, serial
from ..emit import call_kernel
from .forward_loop import Places
from .geometry import Steps
from .winograd_loop import WinogradLoop, from_products, to_products, transform_weights
from .winograd_product import ProductCall
from .winograd_tiles import VECTORS

PAIRS = 4  # of vectors of images, for which U is loaded once
WEIGHT_PIECES = 16  # into which the transform of the weights is divided


@parallel
def run_deep_winograd(loop, places, x_strides, y_strides, u, scratch):
    """Runs the tiles; `u` is memory for U, and thread i has its row of `scratch`."""
    loop = WinogradLoop(*loop)
    at = Places(*places)
    x_step = Steps(*x_strides)
    y_step = Steps(*y_strides)
    for i in prange(WEIGHT_PIECES):
        transform_weights(loop, at.w, u.ctypes.data, i, WEIGHT_PIECES)
    columns = loop.columns.shape[0]
    for task in prange(loop.rows.shape[0] * columns * loop.chunks):
        thread = get_thread_id()
        own = scratch[thread] if thread < scratch.shape[0] else np.empty(scratch.shape[1], np.uint8)
        v = (own.ctypes.data + 63) // 64 * 64
        chunk, tile = task // (loop.rows.shape[0] * columns), task % (loop.rows.shape[0] * columns)
        deep_task(tile // columns, tile % columns, chunk, loop, at, x_step, y_step, u.ctypes.data, v)
        own[0] = own[0]  # it is held until here


@serial
def deep_task(r, j, chunk, loop, at, x_step, y_step, u, v):  # type: ignore[no-untyped-def]
    """Tile (r, j), for one of `chunks` of the batch."""
    row, column, together = loop.rows[r], loop.columns[j], VECTORS * loop.lanes
    pairs = (loop.images + together - 1) // together
    first, end = pairs * chunk // loop.chunks, pairs * (chunk + 1) // loop.chunks
    x = at.x + row[2] * x_step.row + column[2] * x_step.column
    y = at.y + row[1] * y_step.row + column[1] * y_step.column
    filters = loop.filters[loop.filters.size - 1]
    for start in range(first, end, PAIRS):
        stop = min(start + PAIRS, end)
        for pair in range(start, stop):
            image = pair * together
            images = min(loop.images - image, together)
            own = v + (pair - start) * loop.pair
            pixels = x + image * loop.itemsize
            to_products(row[0], column[0], images, loop.channels, loop, pixels, x_step, own)
        multiply_places(start, stop, loop, u, v)
        for pair in range(start, stop):
            image = pair * together
            images = min(loop.images - image, together)
            m = v + (pair - start) * loop.pair + loop.m_offset - loop.v_offset
            target = y + image * loop.itemsize
            from_products(row[0], column[0], images, filters, loop, m, at.b, target, y_step)


@serial
def multiply_places(start, stop, loop, u, v):  # type: ignore[no-untyped-def]
    """M of some pairs of vectors, place by place. Nothing is left to prefetch: as x and y the tile gets V."""
    pieces, together = loop.filters.size - 1, VECTORS * loop.lanes
    for turn in range(loop.ahead.shape[2] * pieces):
        t, i = turn // pieces, turn % pieces
        f = loop.filters[i]
        for pair in range(start, stop):
            images = min(loop.images - pair * together, together)
            own = v + (pair - start) * loop.pair
            call_kernel(
                loop.products[(images - 1) // loop.lanes, i],
                ProductCall(
                    v=own + t * loop.v_place, u=u + t * loop.u_place + f * loop.u_filter,
                    m=own + loop.m_offset - loop.v_offset + t * loop.m_place + f * together * loop.itemsize,
                    channels=loop.channels, places=1, u_place=0, u_channel=loop.u_channel,
                    table=loop.ahead.ctypes.data + t * 16, x=own, x_channel=0, y=own, y_channel=0,
                ),
            )  # fmt: skip
