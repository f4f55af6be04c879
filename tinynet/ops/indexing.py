"""Indexing: x[index] with integers, slices, None, ..., boolean masks and integer arrays, as NumPy has it.

An element that is read several times (repeated indices) receives the sum of the gradients.
"""

import math
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, array_primitive, as_raw
from tinynet.backend import device
from tinynet.backend.number_format import as_array
from tinynet.kernels import common
from tinynet.kernels.common import xp
from tinynet.kernels.embedding import embedding_grad
from tinynet.ops.methods import Value, method


@array_primitive
def subscript(x, *, index):
    """x[index], for an index without Tensors."""
    y = x[index]
    if not isinstance(y, np.generic) and (is_basic(index) or type(y) is not np.ndarray):
        return y  # a view; of one element NumPy makes a number, and an array without axes is made here
    out = common.aligned(y.shape, y.dtype)
    common.launch(_take, out, x, index)
    return out


def _take(y, x, index):
    y[...] = x[index]


@subscript.vjp("x")
def _(grad, x_shape, index):
    return scatter(grad, shape=x_shape, index=index)


@array_primitive
def scatter(x, *, shape, index):
    """Zeros of `shape` with x added at `index`: the adjoint of subscript."""
    y = common.empty(x, shape)
    if type(y) is np.ndarray:
        common.launch(_scatter, y, x, index)
    else:
        _scatter(y, x, index)
    return y


def _scatter(y, x, index):
    if is_basic(index):
        y[...] = 0
        y[index] = x
        return
    if common.is_on_gpu(x) and (sums := _summed_by_rows(x, y.shape, index)) is not None:
        y[...] = sums
        return
    total = xp(x).zeros(y.shape, np.float64 if y.dtype == np.float32 else y.dtype)
    xp(x).add.at(total, index, x.astype(total.dtype))  # unlike total[index] += x it counts repeated indices
    y[...] = total


@scatter.vjp("x")
def _(grad, index):
    return subscript(grad, index=index)


def _summed_by_rows(x, shape, index):
    """The same on a GPU for integer arrays side by side, with all of the other axes; None for another index.

    What an element receives is added in the order of the places that read it; CuPy's add.at adds by atomics,
    in another order each time. The arrays become one, ids of the rows of a table.
    """
    parts = index if isinstance(index, tuple) else (index,)
    whole = [isinstance(part, slice) and part == slice(None) for part in parts]
    before = whole.index(False)
    arrays = parts[before : len(whole) - whole[::-1].index(False)]
    if any(getattr(i, "ndim", 0) == 0 or i.dtype.kind not in "iu" for i in arrays):
        return None
    after = before + len(arrays)
    ids: Any = 0
    for i, size in zip(arrays, shape[before:after], strict=True):
        i = i.astype(np.int64)
        ids = ids * size + xp(x).where(i < 0, i + size, i)
    others = (*shape[:before], *shape[after:])
    gradients = _moved(x, before, ids.ndim, 0).reshape(*ids.shape, math.prod(others))
    table = embedding_grad(gradients, ids, rows=math.prod(shape[before:after]))
    return _moved(table.reshape(*shape[before:after], *others), 0, len(arrays), before)


def _moved(x, start, count, to):
    """`x` with `count` neighbouring axes from `start` on moved to where `to` is."""
    moved, others = range(start, start + count), [a for a in range(x.ndim) if not start <= a < start + count]
    return x.transpose(*others[:to], *moved, *others[to:])


def is_basic(index: Any) -> bool:
    """Whether `index` has only integers, slices, None and ..., which never read an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = (slice, int, np.integer, type(None), type(...))
    return all(isinstance(part, plain) and not isinstance(part, bool) for part in parts)


def getitem(x: Value, index: Any) -> Value:
    """x[index]; a view for integers and slices, a copy for masks and integer arrays.

    >>> ops.getitem(np.arange(5), slice(1, 3))
    array([1, 2])
    """
    x = x if isinstance(x, Tensor) else as_array(x)
    index = tuple(map(constant, index)) if isinstance(index, tuple) else constant(index)
    return subscript(x, index=index if type(as_raw(x)) is np.ndarray else _there(index, as_raw(x)))


method("__getitem__", getitem)


def _there(index: Any, x: Any) -> Any:
    """An index whose arrays lie where x does."""
    if isinstance(index, tuple):
        return tuple([_there(part, x) for part in index])
    return device.beside(index, x) if isinstance(index, np.ndarray) else index


def constant(part: Any) -> Any:
    """A Tensor or a list in an index as an array that nobody else can change:
    the derivative reads the elements read now.
    """
    if isinstance(part, list | tuple):
        return np.asarray(part) if np.size(part) else np.asarray(part, np.intp)
    if not isinstance(part, Tensor):
        return part
    if type(part.data) is not np.ndarray:
        return part.data.copy()
    own = common.aligned(part.shape, part.dtype)
    common.launch(np.copyto, own, part.data)
    return own
