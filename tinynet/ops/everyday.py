"""Everyday functions of Keras's `ops` beside the primitives, made of them:
what layers, losses and metrics of one's own use.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import as_raw, composition
from tinynet.backend import device
from tinynet.backend.number_format import as_array
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.constants import settled
from tinynet.ops.constants import ndim
from tinynet.ops.elementary import sqrt
from tinynet.ops.indexing import constant, getitem
from tinynet.ops.joining import concatenate
from tinynet.ops.methods import Value
from tinynet.ops.settings import existing, existing_axes, in_one_format, integer
from tinynet.ops.shapes import moveaxis, reshape, squeeze


@composition
def reciprocal(x: Value) -> Value:
    """1 / x."""
    return 1.0 / x


@composition
def rsqrt(x: Value) -> Value:
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


@composition
def dot(x1: Value, x2: Value) -> Value:
    """x1 (..., K) and x2 (K,) or (..., K, M), summed over K: every row of x1 with every column of x2; or
    x1 * x2 with a number.

    Up to two axes that is the matrix product; where x2 has more, the axes of both stand in the result.

    >>> ops.dot([[1, 2], [3, 4]], [10, 1])
    array([12, 34])
    """
    if min(ndim(x1), ndim(x2)) == 0:
        return x1 * x2
    x1, x2 = in_one_format(x1, x2)
    if x2.ndim <= 2 or x1.shape[-1] != x2.shape[-2]:
        return x1 @ x2
    columns = moveaxis(x2, -2, 0)  # (..., K, M) -> (K, ..., M)
    y = reshape(x1, (-1, x1.shape[-1])) @ reshape(columns, (x1.shape[-1], -1))
    return reshape(y, (*x1.shape[:-1], *columns.shape[1:]))


def take(x: Value, indices: Any, axis: int | None = None) -> Value:
    """The elements at `indices` along `axis`; None: of x made flat.

    >>> ops.take([[1, 2, 3], [4, 5, 6]], [2, 0], axis=1)
    array([[3, 1],
           [6, 4]])
    """
    x = as_array(x)
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, existing("take", axis, x))
    index: list[Any] = [slice(None)] * x.ndim
    places = device.beside(constant(indices), as_raw(x))
    # True is the place 1, and no mask
    index[axis] = places.astype(np.intp) if places.dtype.kind == "b" else places
    return getitem(x, index=tuple(index))


def flip(x: Value, axis: int | Sequence[int] | None = None) -> Value:
    """The elements of x in reverse order along `axis`, along several, or along every axis.

    >>> ops.flip([1, 2, 3])
    array([3, 2, 1])
    """
    x = as_array(x)
    turned = (
        range(x.ndim)
        if axis is None
        else existing_axes("flip", axis if isinstance(axis, list | tuple) else (axis,), x)
    )
    return getitem(x, index=tuple(slice(None, None, -1 if i in turned else None) for i in range(x.ndim)))


def repeat(x: Value, repeats: Any, axis: int | None = None) -> Value:
    """Every element `repeats` times (or as often as a list says of each) along `axis`,
    or of x made flat: 1 1 2 2.

    >>> ops.repeat([1, 2], 2)
    array([1, 1, 2, 2])
    """
    x = as_array(x)
    x, axis = (ravel(x), 0) if axis is None else (x, existing("repeat", axis, x))
    for count in repeats if isinstance(repeats, list | tuple) else np.ravel(repeats):
        integer("repeat", "repeats", count, least=0)
    return take(x, settled(as_raw(x), np.repeat(np.arange(x.shape[axis]), repeats)), axis)


def tile(x: Value, repeats: int | Sequence[int]) -> Value:
    """x `repeats[i]` times along axis i: 1 2 1 2.

    >>> ops.tile([1, 2], 2)
    array([1, 2, 1, 2])
    """
    given = tuple(
        [
            integer("tile", "repeats", n, 0)
            for n in (repeats if isinstance(repeats, list | tuple) else (repeats,))
        ]
    )
    x = as_array(x)
    counts = (1,) * (x.ndim - len(given)) + given
    x = reshape(x, (1,) * (len(counts) - x.ndim) + tuple(x.shape))
    for axis, count in enumerate(counts):
        if count != 1:
            x = (
                concatenate([x] * count, axis=axis)
                if count
                else getitem(x, index=(slice(None),) * axis + (slice(0),))
            )
    return x


def ravel(x: Value) -> Value:
    """x as a vector."""
    return reshape(x, (-1,))


def unstack(x: Value, num: int | None = None, axis: int = 0) -> list[Value]:
    """The parts of x along `axis`, without that axis; raises ValueError unless there are `num`,
    if that is given.

    >>> a, b = ops.unstack([[1, 2], [3, 4]])
    >>> b
    array([3, 4])
    """
    x = as_array(x)
    axis = existing("unstack", axis, x)
    if num not in (None, x.shape[axis]):
        raise ValueError(f"unstack: axis {axis} of shape {tuple(x.shape)} has not {num} parts")
    if is_on_gpu(as_raw(x)):  # an index would be copied there
        return [squeeze(getitem(x, _slice(axis, i)), axis=axis) for i in range(x.shape[axis])]
    return [squeeze(take(x, [i], axis), axis=axis) for i in range(x.shape[axis])]


def _slice(axis: int, i: int) -> tuple[slice, ...]:
    """The index of part i along an axis."""
    return (*[slice(None)] * axis, slice(i, i + 1))
