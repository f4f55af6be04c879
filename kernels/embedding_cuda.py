"""Embedding on a GPU: launches of the kernels in embedding.cu.

Gradients that meet in one row of the table are sorted by their rows and added in the order of their places:
no atomics, the same bits every time.
"""

from .common import Array, empty, in_c_order, xp
from .cuda import FLOATS, Kernel, blocks
from .embedding import by_place, embedding, embedding_grad

THREADS = 256

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
    dtable, (whole, places) = in_c_order(g, (rows, g.shape[-1])), by_place(g, ids)
    xp_, flat = xp(g), places.reshape(-1)
    order = xp_.argsort(flat, kind="stable")
    first = xp_.searchsorted(flat[order], xp_.arange(rows + 1, dtype=flat.dtype))
    sizes = g.shape[-1], max(ids.shape[0], 1), dtable.size
    grid = (blocks(dtable.size, THREADS),)
    _embedding_grad[g.dtype](grid, (THREADS,), dtable, whole, order, first, *sizes)
    return dtable
