"""Joining and splitting along an axis."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import as_array
from tinynet.kernels.common import is_on_gpu, launch, xp
from tinynet.kernels.devices import check_together
from tinynet.kernels.elementwise import inverse, like, memory_order
from tinynet.ops.indexing import getitem
from tinynet.ops.methods import Value
from tinynet.ops.settings import existing, in_one_format, integer
from tinynet.ops.shapes import expand_dims


@array_primitive
def join(*xs, axis):
    """Arrays one after the other along `axis`."""
    if {type(x) for x in xs} != {np.ndarray}:
        return _joined_elsewhere(xs, axis)
    first = xs[0].shape
    shape = (*first[:axis], sum([x.shape[axis] for x in xs]), *first[axis + 1 :])
    y = like(xs[0], shape, np.result_type(*xs))
    launch(_join, y, axis, *xs)
    return y


def _joined_elsewhere(xs, axis):
    """The same of arrays that are not NumPy's; of CuPy's in the memory order of the first one."""
    check_together("concatenate", xs)
    if not is_on_gpu(xs[0]):
        return xp(xs[0]).concatenate(xs, axis=axis)
    order = memory_order(xs[0])
    turned = xp(xs[0]).concatenate([x.transpose(order) for x in xs], axis=order.index(axis))
    return turned.transpose(inverse(order))


def _join(y, axis, *xs):
    np.concatenate(xs, axis, y)


@join.joint_vjp
def _(grad, shapes, needs, axis):
    ends = list(accumulate(shape[axis] for shape in shapes))
    starts = [0, *ends[:-1]]
    pieces = zip(starts, ends, needs, strict=True)
    return tuple(
        getitem(grad, index=_along(axis, start, end)) if need else None for start, end, need in pieces
    )


def concatenate(xs: Sequence[Value], axis: int = 0) -> Value:
    """The arrays of the list xs, equal in all axes but `axis`, joined along it.
    Raises ValueError where they are not.

    >>> ops.concatenate([[1, 2], [3]])
    array([1, 2, 3])
    """
    xs = in_one_format(*xs)
    shapes = [tuple(x.shape) for x in xs]
    axis = axis if type(axis) is int else integer("concatenate", "axis", axis)
    rank = len(shapes[0]) if shapes else 0
    if {len(s) for s in shapes} != {rank} or not -rank <= axis < rank:
        raise ValueError(f"concatenate: expected arrays of one rank with an axis {axis}, got shapes {shapes}")
    axis %= rank
    if len({s[:axis] + s[axis + 1 :] for s in shapes}) > 1:
        raise ValueError(f"concatenate: the shapes must be equal but along axis {axis}, got {shapes}")
    return join(*xs, axis=axis)


def stack(x: Sequence[Value], axis: int = 0) -> Value:
    """The arrays of the list x, all of one shape, joined along a new `axis`.
    Raises ValueError where they are not.

    >>> ops.stack([[1, 2], [3, 4]], axis=1)
    array([[1, 3],
           [2, 4]])
    """
    xs, axis = [as_array(one) for one in x], integer("stack", "axis", axis)
    if xs and not -xs[0].ndim - 1 <= axis <= xs[0].ndim:
        raise ValueError(f"stack: axis {axis} is out of range for arrays of shape {tuple(xs[0].shape)}")
    return concatenate([expand_dims(one, axis) for one in xs], axis)


def split(x: Value, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """x cut along `axis` into equal pieces, `indices_or_sections` of them,
    or before the positions that it lists.

    Raises ValueError where the axis does not divide into so many, or the positions do not rise.

    >>> ops.split(np.arange(6), [1, 4])
    [array([0]), array([1, 2, 3]), array([4, 5])]
    """
    x, parts = as_array(x), indices_or_sections
    axis = existing("split", axis, x)
    length = x.shape[axis]
    if np.ndim(parts):
        cuts = [0, *[integer("split", "indices_or_sections", cut) for cut in parts], length]  # type: ignore[union-attr]
        if cuts != sorted(cuts):
            raise ValueError(
                f"split: indices_or_sections must rise from 0 to {length}, "
                f"the size of axis {axis}, got {parts}"
            )
    else:
        count = integer("split", "indices_or_sections", parts, least=1)
        if length % count:
            raise ValueError(
                f"split: axis {axis} of shape {x.shape} does not divide into {parts} equal parts"
            )
        cuts = [i * (length // count) for i in range(count + 1)]
    return [getitem(x, index=_along(axis, a, b)) for a, b in pairwise(cuts)]


def _along(axis: int, start: int, end: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, end),)
