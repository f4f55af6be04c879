"""Sum over axes.

    y = sum over `axis` of x

The compiled version takes batch-last arrays whose batch is summed too (gradients of biases, losses): there every
running sum goes over contiguous memory, in double precision and in the order of sums.py.
"""

import math
from typing import Any

import numpy as np

from .common import Array, aligned, batch_last, empty, is_batch_last, launch, operation, parallel, prange, serial, xp
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
        return _reduce_as_numpy(np.add, x, axes, keepdims)
    # Batch-last axes are (before, kept, after and batch): three stretches.
    before = x.shape[1 : kept[0]] if kept else ()
    middle = [x.shape[a] for a in kept]
    rows = batch_last(x).reshape(math.prod(before), math.prod(middle), -1)
    total = aligned(rows.shape[1:2], x.dtype)
    if kept:
        _sum_rows(total, rows)
    else:
        _sum_all(total, rows.reshape(-1))
    shape = [1 if a in axes else size for a, size in enumerate(x.shape)] if keepdims else middle
    return total.reshape(shape)


def extreme(ufunc: Any, x: Array, axis: int | tuple[int, ...] | None, keepdims: bool) -> Array:
    """Largest (np.maximum) or smallest (np.minimum) element over `axis`."""
    if not isinstance(x, np.ndarray):
        return (xp(x).max if ufunc is np.maximum else xp(x).min)(x, axis=axis, keepdims=keepdims)
    return _reduce_as_numpy(ufunc, x, _normalised(axis, x.ndim), keepdims)


def _reduce_as_numpy(ufunc: Any, x: np.ndarray, axes: set[int], keepdims: bool) -> np.ndarray:
    shape = tuple(1 if a in axes else size for a, size in enumerate(x.shape) if keepdims or a not in axes)
    total = aligned(shape, x.dtype) if 0 in axes else empty(x, shape)
    launch(ufunc.reduce, x, tuple(axes), None, total, keepdims)
    return total


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
def _sum_all(total, x):  # type: ignore[no-untyped-def]
    pieces = (x.size + PIECE - 1) // PIECE
    parts = np.empty(pieces)
    for i in prange(pieces):
        piece = x[i * PIECE : (i + 1) * PIECE]
        lanes = np.zeros(piece.size)
        add(lanes, piece, 0.0)
        parts[i] = fold(lanes)
    total[0] = fold(parts)
