"""Embedding on a GPU: launches of the kernels in embedding.cu.

Gradients that meet in one row of the table are added in the order of their places: no atomics, the same bits
every time. And nothing is sorted, for which CuPy would wait.
"""

from .common import Array, empty, in_c_order, xp
from .cuda import FLOATS, Kernel, add_parts, blocks, parts_for
from .embedding import by_place, embedding, embedding_grad

THREADS = 256
WARP, WARPS = 32, 4
PLACES = 256  # that are worth a part of their own

_embedding = Kernel(__file__, "embedding.cu", "embedding", T=FLOATS)
_embedding_grad = Kernel(__file__, "embedding.cu", "embedding_grad", T=FLOATS)


@embedding.implementation("cuda")
def _(table: Array, ids: Array) -> Array:
    rows, columns = table.shape
    y = empty(table, (*ids.shape, columns))
    whole, places = by_place(y, ids)
    sizes = rows, columns, max(ids.shape[0], 1), y.size
    grid = (blocks(y.size, THREADS),)
    _embedding[table.dtype](grid, (THREADS,), whole, xp(table).ascontiguousarray(table), places, *sizes)
    return y


@embedding_grad.implementation("cuda")
def _(g: Array, ids: Array, *, rows: int) -> Array:
    columns = g.shape[-1]
    dtable, (whole, places) = in_c_order(g, (rows, columns)), by_place(g, ids)
    grid = blocks(rows, WARP * WARPS), blocks(columns, WARP)
    parts = parts_for(grid[0] * grid[1], blocks(places.size, PLACES))
    partial = in_c_order(g, (parts, rows, columns), "float64") if parts > 1 else None
    sizes = rows, columns, max(ids.shape[0], 1), places.size
    _embedding_grad[g.dtype]((*grid, parts), (WARP, WARPS), dtable, partial, whole, places, *sizes)
    if partial is not None:
        add_parts(dtable, partial)
    return dtable
