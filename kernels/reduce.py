"""Sum over axes.

    y = sum over `axis` of x

A running sum of n float32 numbers is wrong by up to n / 2**24 of itself, and NumPy's is one wherever the axis
does not lie together in memory. So sums of more than a FEW terms run in double precision, in an order that
depends on the shape alone (sums.py). The compiled loops see an array as it lies in memory, with neighbouring
axes of a kind as one:

    (kept, reduced, kept, reduced), each of which may be 1
"""

import math
from functools import cache
from typing import Any

import numpy as np

from .common import Array, aligned, empty, launch, operation, parallel, prange, serial, xp
from .elementwise import memory_order
from .sums import add, add_four, add_stretch, clear, fold

PIECE = 4096  # numbers of one piece of a sum over everything
LANES = 64  # running sums of one result, at most
# sums that a thread has under way at a time, where the numbers that lie together belong to different ones
COLUMNS = 1024
PART = 1 << 16  # numbers of a part of the rows that are worth a task of their own
MIN_TASKS = 64  # that such parts are made for
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
    axes, order, blocks, (sizes, places), few = plan(x.shape, x.strides, x.itemsize, axis)
    if few or blocks is None:
        return _reduce_as_numpy(np.add.reduce if few else _add_in_double, x, axes, keepdims)
    rows = x.transpose(order).reshape(blocks)
    total = aligned(blocks[0:3:2], x.dtype)
    if blocks[0] == blocks[2] == 1:
        _sum_all(total.reshape(-1), rows.reshape(-1))
    elif blocks[3] == 1:
        _sum_columns(total, rows[:, :, :, 0], _partials(blocks))
    else:
        _sum_rows(total, rows)
    shaped = total.reshape(sizes).transpose(places)
    return shaped.reshape([1 if a in axes else n for a, n in enumerate(x.shape)]) if keepdims else shaped


@cache
def plan(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, axis: Axis) -> tuple[Any, ...]:
    """How to sum an array that lies so in memory: (axes, order, blocks, kept, few).

    order: the axes from the slowest in memory to the fastest; blocks: in this order, as (kept, reduced, kept,
    reduced), or None if they change their kind more often, or if the numbers do not lie together; kept: the
    sizes of the kept axes in memory, and how to transpose them into x's order; few: whether NumPy may add,
    because there are few terms (but not those of a batch that lies together).
    """
    x = np.lib.stride_tricks.as_strided(np.empty(0, np.dtype(f"V{itemsize}")), shape, strides)
    axes, order = _normalised(axis, x.ndim), memory_order(x)
    # from the fastest axis in memory to the slowest: whether it is reduced, size
    groups: list[tuple[bool, int]] = []
    for a in reversed(order):
        if shape[a] != 1:
            if groups and groups[-1][0] == (a in axes):
                groups[-1] = (groups[-1][0], groups[-1][1] * shape[a])
            else:
                groups.append((a in axes, shape[a]))
    if groups and not groups[0][0]:
        groups.insert(0, (True, 1))
    sizes = [size for _, size in groups]
    blocks = tuple(reversed([*sizes, *[1] * (4 - len(sizes))])) if len(sizes) <= 4 else None
    kept = [a for a in order if a not in axes]
    few = math.prod([shape[a] for a in axes]) <= FEW and not (
        blocks and 0 in axes and blocks[0] == 1 < blocks[3]
    )
    together = x.size > 0 and x.transpose(order).flags.c_contiguous
    places = tuple(kept.index(a) for a in sorted(kept))
    return axes, order, blocks if together else None, ([shape[a] for a in kept], places), few


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


def _add_in_double(
    x: np.ndarray, axes: tuple[int, ...], dtype: None, out: np.ndarray, keepdims: bool
) -> None:
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
                    add_stretch(lanes, x[a, r, k])
            else:
                _add_rows(lanes, x[a].reshape(x.shape[1], -1), 0, x.shape[1], k * x.shape[3])
            total[a, k] = fold(lanes)


@parallel
def _sum_all(total, x):  # type: ignore[no-untyped-def]
    pieces = (x.size + PIECE - 1) // PIECE
    parts = np.empty(pieces)
    for i in prange(pieces):
        piece = x[i * PIECE : (i + 1) * PIECE]
        lanes = np.zeros(min(piece.size, LANES))
        add_stretch(lanes, piece)
        parts[i] = fold(lanes)
    total[0] = fold(parts)


@serial
def _add_rows(lanes, x, begin, end, first):  # type: ignore[no-untyped-def]
    """lanes += the rows x[begin:end] of x (R, K), from the column `first` on."""
    last = first + lanes.size
    fours = end - (end - begin) % 4
    for r in range(begin, fours, 4):
        add_four(lanes, x[r, first:last], x[r + 1, first:last], x[r + 2, first:last], x[r + 3, first:last])
    for r in range(fours, end):
        add(lanes, x[r, first:last], 0.0)


def _partials(blocks: tuple[int, ...]) -> np.ndarray:
    """Room for the sums of each part of the rows (parts, A, K):
    as many parts as give all threads something to do.
    """
    a, rows, columns, _ = blocks
    parts = min(-(-rows * columns // PART), -(-MIN_TASKS // (a * -(-columns // COLUMNS))), rows)
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
        if 2 * columns > COLUMNS:
            clear(out)
            _add_rows(out, x[a], begin, end, first)
        else:
            _sum_narrow(out, x[a, begin:end])
    sums = partials.reshape(parts, -1)
    for part in range(1, parts):
        add(sums[0], sums[part], 0.0)
    for a in range(outer):
        for k in range(columns):
            total[a, k] = sums[0, a * columns + k]


@serial
def _sum_narrow(out, x):  # type: ignore[no-untyped-def]
    """out (K,) = sum of the rows of x (R, K), several rows at a time,
    so that vectors are full where K is small.
    """
    flat = x.reshape(-1)
    together = max(1, min(COLUMNS, flat.size) // out.size) * out.size
    lanes = np.zeros(together)
    add_stretch(lanes, flat)
    clear(out)
    for i in range(0, together, out.size):
        for k in range(out.size):
            out[k] += lanes[i + k]
