"""The forward tile for a single image: its lanes are filters.

    for each kernel column, of one kernel row and one channel:
        acc[f, j] += w[kw, f] * x[column(j, kw)]      for vectors of filters f, and columns j of the tile

The filters of a pixel are neighbours in w, in b and, as there are no other images, in y. Each output is made
by the same operations in the same order as in forward.py's tile, and has the same bits.
"""

from functools import cache

from ..emit import VectorFunction, Vectors
from ..emit import address as compiled
from .forward import ForwardCall, Tile, activated, columns_read, width, write_loops


def alone_tile(tile: Tile, vectors: Vectors) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, ForwardCall)
    filters = range(width(tile.filters, (1, vectors.lanes)))
    acc = {(v, j): k.variable(k.zero) for v in filters for j in range(len(tile.columns))}
    offsets = {i: k.mul("%x_column", i) for i in columns_read(tile)}

    def begin(b: str) -> None:
        for (v, _), slot in acc.items():
            k.set(slot, _only(k, tile, v).load(k.move(b, v * vectors.bytes)))

    def multiply_adds(x: str, w: str) -> None:
        for kw in range(tile.kernel_width):
            tap = k.move(w, kw * tile.w_steps[0])
            weights = [_only(k, tile, v).load(k.move(tap, v * vectors.bytes)) for v in filters]
            for j, (first, end) in enumerate(tile.columns):
                if first <= kw < end:
                    pixel = k.splat(k.move(x, offsets[j * tile.stride + kw * tile.dilation]))
                    for v, weight in enumerate(weights):
                        k.set(acc[v, j], k.multiply_add(weight, pixel, k.get(acc[v, j])))

    def store_sums(y: str) -> None:
        for (v, j), slot in acc.items():
            place = k.move(y, k.mul("%y_column", j), v * vectors.bytes)
            _only(k, tile, v).store(activated(k, slot, tile.activation), place)

    write_loops(k, tile, begin, multiply_adds, store_sums)
    return k


def _only(k: VectorFunction, tile: Tile, v: int) -> VectorFunction:
    """`k`, which from here on reads and writes the filters of vector v."""
    lanes = k.vectors.lanes
    k.only(range(min(lanes, tile.filters - v * lanes)))
    return k


@cache
def alone_address(tile: Tile, vectors: Vectors) -> int:
    return compiled(alone_tile(tile, vectors))
