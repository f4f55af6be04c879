"""The primitives that backward itself needs: gradients are added,
and summed to the shape of what was broadcast.

`ops` stands above the tape and is not imported here. Its `add` does more: it brings what meets into one
format. Two gradients of one value have that value's format already.
"""

from typing import Any

import numpy as np

from tinynet.autograd.primitives import array_primitive
from tinynet.kernels import common, elementwise, reduce


@array_primitive
def add(a, b):
    """a + b, broadcast."""
    return elementwise.apply(np.add, a, b)


@add.vjp("a", "b")
def _(grad):
    return grad


@array_primitive
def copy(x):
    """x in memory of its own."""
    return elementwise.apply(np.positive, x)


@copy.vjp("x")
def _(grad):
    return grad


@array_primitive
def sum(x, *, axis=None, keepdims=False):
    """Sum over `axis`: an int, a tuple, or None for all."""
    return reduce.sum(x, axis=axis, keepdims=keepdims)


@sum.vjp("x")
def _(grad, x_shape, axis):
    return broadcast_to(reshape(grad, shape=reduced_shape(x_shape, axis)), shape=x_shape)


@array_primitive
def reshape(x, *, shape):
    """The same elements, in C order of the logical axes, in another shape."""
    return elementwise.reshaped(x, shape)


@reshape.vjp("x")
def _(grad, x_shape):
    return reshape(grad, shape=x_shape)


@array_primitive
def broadcast_to(x, *, shape):
    """`x` repeated to `shape`, as a view."""
    return common.xp(x).broadcast_to(x, shape)


@broadcast_to.vjp("x")
def _(grad):
    return grad  # the engine sums it to the shape of x


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that `axis` means: all `ndim` for None, one integer, or several in a tuple."""
    if axis is None:
        return tuple(range(ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def reduced_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """`shape` with 1 at the reduced axes."""
    reduced = {a % len(shape) for a in axes_of(axis, len(shape))}
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum of `grad` over the axes along which an input of `shape` was repeated.

    ValueError if `shape` does not broadcast to the shape of grad: from zip if grad has too few axes, from
    reshape if a size other than 1 was summed.
    """
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (n, wide) in enumerate(zip(padded, grad.shape, strict=True)) if n != wide)
    return reshape(sum(grad, axis=axes) if axes else grad, shape=shape)
