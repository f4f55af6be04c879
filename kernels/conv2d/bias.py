"""The bias-gradient tile: the derivative of the convolution's activation and the sum over pixels and images, in one pass.

    for each output row, each output column, each of the tile's filters, each vector of images:
        dz[row, column, f] = g[row, column, f] * activation'(y[row, column, f])
        acc[f] += dz[row, column, f]
    db[f] = sum of the lanes of acc[f]

That is the order in which the numbers lie in memory. Without an activation dz is g, and is not written again.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..common import Array, serial
from ..emit import VectorFunction, Vectors, address, call_kernel
from .forward import split
from .geometry import Shape

FILTERS = 8  # of a tile, at most: as many sums as are added to in the time that one addition takes
BAND_BYTES = 1 << 17  # a band of rows that is worth a piece of work of its own


def bias_tile(filters: int, activation: str | None, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes; `db` has a place for each filter."""
    k = VectorFunction(
        vectors,
        "g y dz db rows columns blocks g_row g_column g_filter y_row y_column y_filter dz_row dz_column dz_filter live",
        masked=masked,
    )
    acc = [k.variable(k.zero) for _ in range(filters)]
    names = ("g",) if activation is None else ("g", "y", "dz")
    start = {name: k.pointer(f"%{name}") for name in names}
    with k.loop(0, "%rows") as r:
        row = {name: k.move(start[name], k.mul(f"%{name}_row", r)) for name in names}
        with k.loop(0, "%columns") as c:
            pixel = {name: k.move(row[name], k.mul(f"%{name}_column", c)) for name in names}
            for f in range(filters):
                place = {name: k.move(pixel[name], k.mul(f"%{name}_filter", f)) for name in names}
                with k.loop(0, 1 if masked else "%blocks") as block:
                    at = {name: k.move(place[name], k.mul(vectors.bytes, block)) for name in names}
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
def _tile_address(filters: int, activation: str | None, vectors: Vectors, masked: bool) -> int:
    return address(bias_tile(filters, activation, vectors, masked))


class Plan(NamedTuple):
    """tiles: [full address, masked address, filter]; pieces: [first row, rows, first block, blocks, masked]."""

    tiles: Array
    pieces: Array


@cache
def bias_plan(shape: Shape, activation: str | None, vectors: Vectors) -> Plan:
    """Plan for an output of `shape` (N, OH, OW, F). It depends on nothing else, so the sums have the same bits anywhere."""
    images, rows, columns, filters = shape
    blocks, rest = divmod(images, vectors.lanes)
    edges = split(filters, FILTERS)
    sizes = [end - first for first, end in pairwise(edges)]
    full = [_tile_address(size, activation, vectors, False) if blocks else 0 for size in sizes]
    masked = [_tile_address(size, activation, vectors, True) if rest else 0 for size in sizes]
    row_bytes = max(1, images * columns * filters * vectors.itemsize)
    pieces = []
    for first, end in pairwise(split(rows, max(1, BAND_BYTES // row_bytes))):
        if blocks:
            pieces.append((first, end - first, 0, blocks, 0))
        if rest:
            pieces.append((first, end - first, blocks, 1, 1))
    tiles = np.array(list(zip(full, masked, edges[:-1], strict=True)), np.int64).reshape(-1, 3)
    return Plan(tiles, np.array(pieces, np.int64).reshape(-1, 5))


@serial
def bias_piece(tiles, piece, g, y, dz, sums, columns, live, vector_bytes, itemsize, g_steps, y_steps, dz_steps):  # type: ignore[no-untyped-def]
    """Runs every tile on one piece. g, y, dz and sums are addresses; steps are (row, column, filter) in bytes."""
    row, rows, image, blocks, masked = piece[0], piece[1], piece[2] * vector_bytes, piece[3], piece[4]
    for i in range(tiles.shape[0]):
        f = tiles[i, 2]
        call_kernel(  # type: ignore[call-arg]
            tiles[i, masked],
            (
                g + row * g_steps[0] + f * g_steps[2] + image,
                y + row * y_steps[0] + f * y_steps[2] + image,
                dz + row * dz_steps[0] + f * dz_steps[2] + image,
                sums + f * itemsize, rows, columns, blocks, g_steps[0], g_steps[1], g_steps[2],
                y_steps[0], y_steps[1], y_steps[2], dz_steps[0], dz_steps[1], dz_steps[2], live,
            ),
        )
