"""Sum over axes.

    y = sum over `axis` of x

The compiled version takes batch-last arrays whose batch is summed too (gradients of biases, losses): there every
running sum goes over contiguous memory, in double precision and in the order of sums.py.
"""

import math

import numpy as np

from .common import Array, batch_last, is_batch_last, operation, parallel, prange, serial, xp
from .sums import add, fold

PIECE = 4096  # numbers of one piece of a sum over everything


@operation("numpy", family="sum")
def sum(x: Array, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """Sum of x over `axis`: all axes (None), one or several -> an array of x's dtype."""
    return xp(x).sum(x, axis=axis, keepdims=keepdims)


@sum.implementation("numba")
def _(x: np.ndarray, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> np.ndarray:
    axes = _normalised(axis, x.ndim)
    kept = [a for a in range(1, x.ndim) if a not in axes]
    if 0 not in axes or not _consecutive(kept) or not x.size or not is_batch_last(x):
        return np.sum(x, axis=axis, keepdims=keepdims)
    # Batch-last axes are (before, kept, after and batch): three stretches.
    before = x.shape[1 : kept[0]] if kept else ()
    middle = [x.shape[a] for a in kept]
    rows = batch_last(x).reshape(math.prod(before), math.prod(middle), -1)
    total = np.empty(rows.shape[1], x.dtype)
    if kept:
        _sum_rows(total, rows)
    else:
        total[0] = _sum_all(rows.reshape(-1))
    shape = [1 if a in axes else size for a, size in enumerate(x.shape)] if keepdims else middle
    return total.reshape(shape)


def _normalised(axis: int | tuple[int, ...] | None, ndim: int) -> set[int]:
    """Axes to sum over, counted from 0."""
    if axis is None:
        return set(range(ndim))
    return {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}


def _consecutive(axes: list[int]) -> bool:
    return not axes or axes[-1] - axes[0] == len(axes) - 1


@parallel
def _sum_rows(total, x):  # type: ignore[no-untyped-def]
    for k in prange(x.shape[1]):
        total[k] = sum_channel(x, k)


@serial
def sum_channel(x, k):  # type: ignore[no-untyped-def]
    """Sum of x[:, k] for x (P, K, N)."""
    lanes = np.zeros(x.shape[2])
    for p in range(x.shape[0]):
        add(lanes, x[p, k], 0.0)
    return fold(lanes)


@parallel
def _sum_all(x):  # type: ignore[no-untyped-def]
    pieces = (x.size + PIECE - 1) // PIECE
    parts = np.empty(pieces)
    for i in prange(pieces):
        piece = x[i * PIECE : (i + 1) * PIECE]
        lanes = np.zeros(piece.size)
        add(lanes, piece, 0.0)
        parts[i] = fold(lanes)
    return fold(parts)
