"""The bias-gradient tile: the derivative of the convolution's activation and the sum over pixels and images,
in one pass.

    for each output row, each output column, each of the tile's filters, each vector of images:
        dz[row, column, f] = g[row, column, f] * activation'(y[row, column, f])
        acc[f] += dz[row, column, f]
    db[f] = sum of the lanes of acc[f]

That is the order in which the numbers lie in memory. Without an activation dz is g, and is not written again.
The images that fill no vector are the last vector of their pixel and filter: a pass of their own would take
as long as that over all the others.
"""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..common import Array, parallel, prange, serial
from ..emit import VectorFunction, Vectors, address, call_kernel, vectors_of
from .forward import split
from .geometry import Shape, Steps
from .weight_loop import add_results

# Filters of a tile, at most: as many sums as are added to in the time that one addition takes.
MAX_FILTERS = 8
# A band of rows of so many bytes is worth a piece of work of its own.
MIN_BAND_BYTES = 1 << 17


class BiasCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    g: int
    y: int
    dz: int
    db: int  # a place for each filter
    rows: int
    columns: int
    blocks: int  # whole vectors of images
    g_row: int
    g_column: int
    g_filter: int
    y_row: int
    y_column: int
    y_filter: int
    dz_row: int
    dz_column: int
    dz_filter: int
    live: int  # images in the one after them


def bias_tile(
    filters: int, activation: str | None, vectors: Vectors, whole: bool, partial: bool
) -> VectorFunction:
    """Writes the tile, for `whole` vectors of images, a `partial` one, or both."""
    k = VectorFunction(vectors, BiasCall)
    acc = [k.variable(k.zero) for _ in range(filters)]
    names = ("g",) if activation is None else ("g", "y", "dz")
    start = {name: k.pointer(f"%{name}") for name in names}
    with k.loop(0, "%rows") as r:
        row = {name: k.move(start[name], k.mul(f"%{name}_row", r)) for name in names}
        with k.loop(0, "%columns") as c:
            pixel = {name: k.move(row[name], k.mul(f"%{name}_column", c)) for name in names}
            for f in range(filters):
                place = {name: k.move(pixel[name], k.mul(f"%{name}_filter", f)) for name in names}
                for step in vectors_of(k, partial, whole):
                    at = {name: k.move(place[name], step) for name in names}
                    dz = k.load(at["g"])
                    if activation == "relu":
                        dz = k.where_positive(k.load(at["y"]), dz, k.zero)
                        k.store(dz, at["dz"])
                    k.set(acc[f], k.add_vectors(k.get(acc[f]), dz))
    db = k.pointer("%db")
    for f, total in enumerate(k.lane_sums([k.get(slot) for slot in acc])):
        k.store_scalar(total, k.move(db, f * vectors.itemsize))
    return k


@cache
def _tile_address(filters: int, activation: str | None, vectors: Vectors, whole: bool, partial: bool) -> int:
    return address(bias_tile(filters, activation, vectors, whole, partial))


class BiasLoop(NamedTuple):
    """What the compiled loop reads."""

    tiles: Array  # [address, filter]
    pieces: Array  # [first row, rows]
    columns: int
    blocks: int  # whole vectors of images
    live: int  # images of the one after them
    itemsize: int


class Plan(NamedTuple):
    loop: tuple[Any, ...]  # a BiasLoop, as a plain tuple
    pieces: int


@cache
def bias_plan(shape: Shape, activation: str | None, vectors: Vectors) -> Plan:
    """Plan for an output of `shape` (N, OH, OW, F). It depends on nothing else,
    so the sums have the same bits anywhere.
    """
    images, rows, columns, filters = shape
    blocks, rest = divmod(images, vectors.lanes)
    tiles = [
        (_tile_address(end - first, activation, vectors, blocks > 0, rest > 0), first)
        for first, end in pairwise(split(filters, MAX_FILTERS))
    ]
    row_bytes = max(1, images * columns * filters * vectors.itemsize)
    pieces = [
        (first, end - first) for first, end in pairwise(split(rows, max(1, MIN_BAND_BYTES // row_bytes)))
    ]
    table = np.array(pieces if images else [], np.int64).reshape(-1, 2)
    loop = BiasLoop(np.array(tiles, np.int64).reshape(-1, 2), table, columns, blocks, rest, vectors.itemsize)
    return Plan(tuple(loop), len(table))


class BiasPlaces(NamedTuple):
    """Addresses of the arrays, and of db for the first piece; the next piece's follows it."""

    g: int
    y: int
    dz: int
    db: int


@serial
def bias_piece(i, loop, at, g_step, y_step, dz_step, filters):  # type: ignore[no-untyped-def]
    """Runs every tile on piece number i."""
    row, rows = loop.pieces[i, 0], loop.pieces[i, 1]
    for t in range(loop.tiles.shape[0]):
        f = loop.tiles[t, 1]
        call_kernel(
            loop.tiles[t, 0],
            BiasCall(
                g=at.g + row * g_step.row + f * g_step.channel,
                y=at.y + row * y_step.row + f * y_step.channel,
                dz=at.dz + row * dz_step.row + f * dz_step.channel,
                db=at.db + (i * filters + f) * loop.itemsize,
                rows=rows,
                columns=loop.columns,
                blocks=loop.blocks,
                g_row=g_step.row,
                g_column=g_step.column,
                g_filter=g_step.channel,
                y_row=y_step.row,
                y_column=y_step.column,
                y_filter=y_step.channel,
                dz_row=dz_step.row,
                dz_column=dz_step.column,
                dz_filter=dz_step.channel,
                live=loop.live,
            ),
        )


@parallel
def run_bias(loop, places, g_strides, y_strides, dz_strides, results, db):
    """Runs the tiles on every piece, whose sums are then added."""
    loop = BiasLoop(*loop)
    at = BiasPlaces(*places)
    g_step = Steps(*g_strides)
    y_step = Steps(*y_strides)
    dz_step = Steps(*dz_strides)
    for i in prange(loop.pieces.shape[0]):
        bias_piece(i, loop, at, g_step, y_step, dz_step, db.size)
    add_results(db, results.reshape(-1), loop.pieces.shape[0], 0, db.size, db.size)
