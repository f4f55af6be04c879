"""Sum over axes.

    y = sum over `axis` of x

A running sum of n float32 numbers is wrong by up to n / 2**24 of itself, and NumPy's is one wherever the axis does not lie
together in memory. So sums of more than a FEW terms run in double precision, in an order that depends on the shape alone
(sums.py). The compiled loops see an array as it lies in memory, with neighbouring axes of a kind as one:

    (kept, reduced, kept, reduced), each of which may be 1
"""

import math
from functools import cache
from typing import Any

import numpy as np

from .common import Array, aligned, empty, launch, operation, parallel, prange, serial, xp
from .elementwise import memory_order
from .sums import add, clear, fold

PIECE = 4096  # numbers of one piece of a sum over everything
LANES = 512  # running sums of one result, at most
COLUMNS = 1024  # sums that a thread has under way at a time, where the numbers that lie together belong to different ones
PART = 1 << 16  # numbers of a part of the rows that are worth a task of their own
TASKS = 64  # that such parts are made for
FEW = 32  # terms that float32 adds without harm: the error is at most that of two roundings of the result

Axis = int | tuple[int, ...] | None


@operation("numpy", family="sum")
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum of x over `axis`: all axes (None), one or several -> an array of x's dtype."""
    return in_double(x, axis, keepdims)


def in_double(x: Array, axis: Axis, keepdims: bool = False) -> Array:
    """The sum by the array module of x, in double precision where x is float32; of x's dtype."""
    if x.dtype == np.float32:
        return xp(x).sum(x, axis=axis, keepdims=keepdims, dtype=np.float64).astype(x.dtype)
    return xp(x).sum(x, axis=axis, keepdims=keepdims)


@sum.implementation("numba")
def _(x: np.ndarray, *, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    axes = _normalised(axis, x.ndim)
    order = memory_order(x)
    blocks, kept, few = _plan(x.shape, order, axes)
    if few or blocks is None or not (x.size and x.transpose(order).flags.c_contiguous):
        return _reduce_as_numpy(np.add.reduce if few else _add_in_double, x, axes, keepdims)
    rows = x.transpose(order).reshape(blocks)
    total = aligned(blocks[0:3:2], x.dtype)
    if blocks[0] == blocks[2] == 1:
        _sum_all(total.reshape(-1), rows.reshape(-1))
    elif blocks[3] == 1:
        _sum_columns(total, rows[:, :, :, 0], _partials(blocks))
    else:
        _sum_rows(total, rows)
    sizes, places = kept
    shaped = total.reshape(sizes).transpose(places)
    return shaped.reshape([1 if a in axes else n for a, n in enumerate(x.shape)]) if keepdims else shaped


@cache
def _plan(shape: tuple[int, ...], order: tuple[int, ...], axes: frozenset[int]) -> tuple[Any, Any, bool]:
    """How to sum an array whose axes lie in memory in `order`: (blocks, kept, few).

    blocks: the axes as (kept, reduced, kept, reduced), or None if they change their kind more often; kept: the sizes of the
    kept axes in memory, and how to transpose them into x's order; few: whether NumPy may add, because there are few terms
    (but not those of a batch that lies together).
    """
    groups: list[tuple[bool, int]] = []  # from the fastest axis in memory to the slowest: whether it is reduced, size
    for axis in reversed(order):
        if shape[axis] != 1:
            if groups and groups[-1][0] == (axis in axes):
                groups[-1] = (groups[-1][0], groups[-1][1] * shape[axis])
            else:
                groups.append((axis in axes, shape[axis]))
    if groups and not groups[0][0]:
        groups.insert(0, (True, 1))
    sizes = [size for _, size in groups]
    blocks = tuple(reversed([*sizes, *[1] * (4 - len(sizes))])) if len(sizes) <= 4 else None
    kept = [axis for axis in order if axis not in axes]
    places = tuple(kept.index(axis) for axis in sorted(kept))
    few = math.prod([shape[axis] for axis in axes]) <= FEW and not (blocks and 0 in axes and blocks[0] == 1 < blocks[3])
    return blocks, ([shape[axis] for axis in kept], places), few


def extreme(ufunc: Any, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Largest (np.maximum) or smallest (np.minimum) element over `axis`."""
    if not isinstance(x, np.ndarray):
        return (xp(x).max if ufunc is np.maximum else xp(x).min)(x, axis=axis, keepdims=keepdims)
    return _reduce_as_numpy(ufunc.reduce, x, _normalised(axis, x.ndim), keepdims)


def _reduce_as_numpy(reduce: Any, x: np.ndarray, axes: frozenset[int], keepdims: bool) -> np.ndarray:
    shape = tuple(1 if a in axes else size for a, size in enumerate(x.shape) if keepdims or a not in axes)
    total = aligned(shape, x.dtype) if 0 in axes else empty(x, shape)
    launch(reduce, x, tuple(axes), None, total, keepdims)
    return total


def _add_in_double(x: np.ndarray, axes: tuple[int, ...], dtype: None, out: np.ndarray, keepdims: bool) -> None:
    out[...] = x.sum(axes, np.float64, keepdims=keepdims)


def _normalised(axis: Axis, ndim: int) -> frozenset[int]:
    """Axes to sum over, counted from 0."""
    if axis is None:
        return frozenset(range(ndim))
    return frozenset([a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))])


@parallel
def _sum_rows(total, x):  # type: ignore[no-untyped-def]
    """total (A, K), x (A, R, K, N): sums of R stretches of N numbers."""
    kept = x.shape[0] * x.shape[2]
    some = max(1, PIECE // (x.shape[1] * x.shape[3]))
    for task in prange((kept + some - 1) // some):
        lanes = np.empty(min(x.shape[3], LANES))
        for i in range(task * some, min(task * some + some, kept)):
            a, k = i // x.shape[2], i % x.shape[2]
            clear(lanes)
            if x.shape[3] > lanes.size:
                for r in range(x.shape[1]):
                    _add_stretch(lanes, x[a, r, k])
            else:
                for r in range(x.shape[1]):
                    add(lanes, x[a, r, k], 0.0)
            total[a, k] = fold(lanes)


@parallel
def _sum_all(total, x):  # type: ignore[no-untyped-def]
    pieces = (x.size + PIECE - 1) // PIECE
    parts = np.empty(pieces)
    for i in prange(pieces):
        piece = x[i * PIECE : (i + 1) * PIECE]
        lanes = np.zeros(min(piece.size, LANES))
        _add_stretch(lanes, piece)
        parts[i] = fold(lanes)
    total[0] = fold(parts)


@serial
def _add_stretch(lanes, x):  # type: ignore[no-untyped-def]
    for n in range(0, x.size, lanes.size):
        add(lanes, x[n : n + lanes.size], 0.0)


def _partials(blocks: tuple[int, ...]) -> np.ndarray:
    """Room for the sums of each part of the rows (parts, A, K): as many parts as give all threads something to do."""
    a, rows, columns, _ = blocks
    parts = min(-(-rows * columns // PART), -(-TASKS // (a * -(-columns // COLUMNS))), rows)
    return aligned((parts, a, columns), np.float64)


@parallel
def _sum_columns(total, x, partials):  # type: ignore[no-untyped-def]
    """total (A, K), x (A, R, K): sums of the columns, part of the rows by part."""
    parts, (outer, rows, columns) = len(partials), x.shape
    chunks = (columns + COLUMNS - 1) // COLUMNS
    for task in prange(outer * parts * chunks):
        a, part, first = task // (parts * chunks), task // chunks % parts, task % chunks * COLUMNS
        begin, end = rows * part // parts, rows * (part + 1) // parts
        out = partials[part, a, first : first + COLUMNS]
        if chunks == 1:
            _sum_narrow(out, x[a, begin:end])
        else:
            clear(out)
            for r in range(begin, end):
                add(out, x[a, r, first : first + out.size], 0.0)
    for a in range(outer):
        for k in range(columns):
            whole = 0.0
            for part in range(parts):
                whole += partials[part, a, k]
            total[a, k] = whole


@serial
def _sum_narrow(out, x):  # type: ignore[no-untyped-def]
    """out (K,) = sum of the rows of x (R, K), several rows at a time, so that vectors are full where K is small."""
    flat = x.reshape(-1)
    together = max(1, min(COLUMNS, flat.size) // out.size) * out.size
    lanes = np.zeros(together)
    for i in range(0, flat.size, together):
        add(lanes, flat[i : i + together], 0.0)
    clear(out)
    for i in range(0, together, out.size):
        for k in range(out.size):
            out[k] += lanes[i + k]
