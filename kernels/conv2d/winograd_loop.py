"""The loops of Winograd's convolution, which call its tiles (winograd_tiles.py) as a plan (winograd_plan.py)
says.

    task = a row of tiles, for a part of the images:
        the first of a thread: U, in its own memory
        for each tile of the row, for each two vectors of images:
            input tile, then for each piece of the filters: product tile, output tile

U is small, and all need it. If one thread made it, the others would fetch it from that core's cache: so each
makes its own.
"""

from typing import NamedTuple

import numpy as np
from numba import get_thread_id

from ..common import Array, parallel, prange, serial
from ..emit import call_kernel
from .forward_loop import Places
from .geometry import Steps
from .winograd_product import ProductCall
from .winograd_tiles import VECTORS, InputCall, OutputCall, WeightCall


class WinogradLoop(NamedTuple):
    """How a convolution is divided into tiles, and their rows into `chunks` of the batch."""

    rows: Array  # of each row of tiles (kind, first output, first input)
    columns: Array
    inputs: Array  # addresses [whether the last vector is partial, kind of row, kind of column]
    outputs: Array
    products: Array  # addresses [vectors - 1, piece of the filters]
    weights: int  # an address
    filters: Array  # where the pieces begin
    ahead: Array  # offsets to ask for [kind of row, kind of column, place, (x, y)]
    chunks: int
    images: int
    lanes: int
    itemsize: int
    channels: int
    u_place: int
    u_channel: int
    u_filter: int
    w_row: int
    w_column: int
    v_offset: int  # in a thread's scratch, which begins with U
    m_offset: int
    v_place: int
    m_place: int
    pair: int  # bytes of V and M for two vectors of images


@parallel
def run_winograd(loop, places, x_strides, y_strides, begun, scratch):
    """Runs the tiles. Thread i works in its row of `scratch`; begun[i] says that U is there."""
    loop = WinogradLoop(*loop)
    at = Places(*places)
    x_step = Steps(*x_strides)
    y_step = Steps(*y_strides)
    begun[:] = 0
    for task in prange(loop.rows.shape[0] * loop.chunks):
        thread = get_thread_id()
        late = thread >= scratch.shape[0]
        own = np.empty(scratch.shape[1], np.uint8) if late else scratch[thread]
        u = (own.ctypes.data + 63) // 64 * 64
        if late or begun[thread] == 0:
            transform_weights(loop, at.w, u, 0, 1)
            if not late:
                begun[thread] = 1
        winograd_task(task, loop, at, x_step, y_step, u)
        own[0] = own[0]  # it is held until here


@serial
def transform_weights(loop, w, u, i, pieces):  # type: ignore[no-untyped-def]
    """Piece i of U: whole vectors of weights, and in the last piece the rest."""
    weights, vector = loop.u_place // loop.itemsize, loop.lanes * loop.itemsize
    blocks = weights // loop.lanes
    first, end = blocks * i // pieces, blocks * (i + 1) // pieces
    # of taps in the reverse order, the first is the last in memory
    start = w if loop.w_row > 0 else w - 2 * (loop.w_row + loop.w_column)
    call_kernel(
        loop.weights,
        WeightCall(
            w=start + first * vector, u=u + first * vector, u_place=loop.u_place, w_row=loop.w_row,
            w_column=loop.w_column, blocks=end - first,
            live=weights % loop.lanes if i == pieces - 1 else 0,
        ),
    )  # fmt: skip


@serial
def winograd_task(task, loop, at, x_step, y_step, u):  # type: ignore[no-untyped-def]
    """One row of tiles, for one of `chunks` of the batch."""
    rows, columns = loop.rows, loop.columns
    chunk, r = task // rows.shape[0], task % rows.shape[0]
    pairs = (loop.images + VECTORS * loop.lanes - 1) // (VECTORS * loop.lanes)
    first, end = pairs * chunk // loop.chunks, pairs * (chunk + 1) // loop.chunks
    x_row, y_row = at.x + rows[r, 2] * x_step.row, at.y + rows[r, 1] * y_step.row
    for j in range(columns.shape[0]):
        for pair in range(first, end):
            image = pair * VECTORS * loop.lanes * loop.itemsize
            # the tile after this one: of the same pixels, or of the next ones
            after = columns[min(j + (pair + 1) // end, columns.shape[0] - 1), 2]
            next_image = (pair + 1 if pair + 1 < end else first) * VECTORS * loop.lanes * loop.itemsize
            place = Places(
                x=x_row + columns[j, 2] * x_step.column + image, w=u, b=at.b,
                y=y_row + columns[j, 1] * y_step.column + image,
            )  # fmt: skip
            images = min(loop.images - pair * VECTORS * loop.lanes, VECTORS * loop.lanes)
            winograd_tile(
                rows[r, 0], columns[j, 0], images, loop, place, x_step, y_step,
                x_row + after * x_step.column + next_image,
            )  # fmt: skip


@serial
def winograd_tile(row, column, images, loop, at, x_step, y_step, next_x):  # type: ignore[no-untyped-def]
    """A tile of a kind (row, column), for up to two vectors of images. at.w is the scratch."""
    v, m = at.w + loop.v_offset, at.w + loop.m_offset
    to_products(row, column, images, loop.channels, loop, at.x, x_step, v)
    kind = (row * loop.ahead.shape[1] + column) * loop.ahead.shape[2]
    for i in range(loop.filters.size - 1):
        f, y = loop.filters[i], at.y + loop.filters[i] * y_step.channel
        call_kernel(
            loop.products[(images - 1) // loop.lanes, i],
            ProductCall(
                v=v, u=at.w + f * loop.u_filter, m=m, channels=loop.channels, places=loop.ahead.shape[2],
                u_place=loop.u_place, u_channel=loop.u_channel, table=loop.ahead.ctypes.data + kind * 16,
                x=next_x, x_channel=x_step.channel, y=y, y_channel=y_step.channel,
            ),
        )  # fmt: skip
        b, filters = at.b + f * loop.itemsize, loop.filters[i + 1] - f
        from_products(row, column, images, filters, loop, m, b, y, y_step)


@serial
def to_products(row, column, images, channels, loop, x, x_step, v):  # type: ignore[no-untyped-def]
    """V of a tile, of so many channels."""
    call_kernel(
        loop.inputs[1 if images % loop.lanes else 0, row, column],
        InputCall(
            x=x, v=v, channels=channels, blocks=images // loop.lanes, x_row=x_step.row,
            x_column=x_step.column, x_channel=x_step.channel, live=images % loop.lanes,
        ),
    )  # fmt: skip


@serial
def from_products(row, column, images, filters, loop, m, b, y, y_step):  # type: ignore[no-untyped-def]
    """y of a tile, of so many filters."""
    call_kernel(
        loop.outputs[1 if images % loop.lanes else 0, row, column],
        OutputCall(
            m=m, b=b, y=y, filters=filters, blocks=images // loop.lanes, y_row=y_step.row,
            y_column=y_step.column, y_channel=y_step.channel, live=images % loop.lanes,
        ),
    )  # fmt: skip
