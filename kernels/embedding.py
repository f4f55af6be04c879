"""Rows of a table, looked up by integers.

    y[n, ..., :] = table[ids[n, ...], :],      dtable[v, :] = sum of g[n, ..., :] where ids[n, ...] = v

An id that is read several times receives the sum of its gradients, in double precision and always added in
the same order: a thread owns columns of the table, and goes through all ids for each.
"""

import math

import numpy as np

from . import elementwise
from .common import Array, aligned, batch_last, empty, is_on_gpu, operation, parallel, prange, xp

OUT_OF_RANGE = "embedding: an id is not one of the table's rows, 0 to their number minus one"


@operation("numpy", family="embedding")
def embedding(table: Array, ids: Array) -> Array:
    """table (V, D), ids (N, ...) integers -> (N, ..., D); raises IndexError for an id outside 0 .. V - 1.

    On a GPU, where looking at the ids would wait for it, such an id gives NaN.
    """
    if is_on_gpu(table):
        known = (ids >= 0) & (ids < table.shape[0])
        return xp(table).where(known[..., None], table[xp(table).where(known, ids, 0)], np.nan)
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < table.shape[0]:
        raise IndexError(OUT_OF_RANGE)
    return table[ids]


@embedding.implementation("numba")
def _(table: np.ndarray, ids: np.ndarray) -> np.ndarray:
    y = empty(table, (*ids.shape, table.shape[1]))
    rows, places = by_place(y, ids)
    _embedding(rows, table, places)
    return y


@parallel
def _embedding(y, table, ids):  # type: ignore[no-untyped-def]
    """y (T, D, N), table (V, D), ids (T, N)"""
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            if ids[t, n] < 0 or ids[t, n] >= table.shape[0]:
                raise IndexError(OUT_OF_RANGE)
    for task in prange(y.shape[0] * y.shape[1]):
        t, d = task // y.shape[1], task % y.shape[1]
        for n in range(y.shape[2]):
            y[t, d, n] = table[ids[t, n], d]


@operation("numpy", family="embedding")
def embedding_grad(g: Array, ids: Array, *, rows: int) -> Array:
    """g (N, ..., D), ids (N, ...) -> dtable (rows, D)."""
    xp_ = xp(g)
    dtable = xp_.zeros((rows, g.shape[-1]), np.float64)
    xp_.add.at(dtable, ids, g.astype(np.float64))
    return dtable.astype(g.dtype)


@embedding_grad.implementation("numba")
def _(g: np.ndarray, ids: np.ndarray, *, rows: int) -> np.ndarray:
    dtable = aligned((rows, g.shape[-1]), g.dtype)
    _embedding_grad(dtable, *by_place(g, ids))
    return dtable


@parallel
def _embedding_grad(dtable, g, ids):  # type: ignore[no-untyped-def]
    """dtable (V, D), g (T, D, N), ids (T, N)"""
    for d in prange(dtable.shape[1]):
        column = np.zeros(dtable.shape[0])
        for t in range(ids.shape[0]):
            for n in range(ids.shape[1]):
                column[ids[t, n]] += g[t, d, n]
        for v in range(dtable.shape[0]):
            dtable[v, d] = column[v]


def by_place(x: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (N, ..., D) as (T, D, N) and ids (N, ...) as (T, N), where T counts the places of a sample."""
    places = math.prod(ids.shape[1:])
    whole = batch_last(elementwise.cast(ids, np.dtype(np.int64))).reshape(places, ids.shape[0])
    return batch_last(x).reshape(places, x.shape[-1], x.shape[0]), whole
