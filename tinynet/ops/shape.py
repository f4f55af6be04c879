"""Changing the shape: a view wherever NumPy can make one, also of batch-last images as long as the batch axis is kept."""

from collections.abc import Sequence
from typing import Any

from tinynet.autograd import Tensor, basics, primitive
from tinynet.kernels import padding
from tinynet.ops.attach import Value, method
from tinynet.ops.indexing import getitem
from tinynet.ops.settings import existing


def reshape(x: Value, *shape: Any) -> Value:
    """The same elements in C order of the axes; shape as a tuple or as numbers, one of which may be -1."""
    return basics.reshape(x, shape=_tuple(shape))


def flatten(x: Value) -> Value:
    """All elements in one axis."""
    return basics.reshape(x, shape=(-1,))


def broadcast_to(x: Value, shape: Sequence[int]) -> Value:
    """x repeated to `shape` by NumPy's rules, as a view."""
    return basics.broadcast_to(x, shape=tuple(shape))


def expand_dims(x: Value, axis: int) -> Value:
    """x with an axis of length 1 inserted before `axis`."""
    if not -x.ndim - 1 <= axis <= x.ndim:
        raise ValueError(f"expand_dims: axis {axis} is out of range for an array of shape {x.shape}")
    axis %= x.ndim + 1
    return basics.reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))


def squeeze(x: Value, axis: int | tuple[int, ...] | None = None) -> Value:
    """x without axes of length 1: all of them, or those given; raises ValueError if one given is longer."""
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else [axis] if isinstance(axis, int) else axis
    axes = [existing("squeeze", a, x) for a in axes]
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} is not of length 1")
    return basics.reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


@primitive
def permute(x, *, axes):
    """x with its axes in the order `axes`, as a view."""
    return x.transpose(axes)


@permute.vjp
def _(grad, axes):
    return permute(grad, axes=tuple(sorted(range(len(axes)), key=lambda i: axes[i])))  # the inverse permutation


def transpose(x: Value, *axes: Any) -> Value:
    """x with its axes in the given order, reversed if none is given."""
    order = _tuple(axes) if axes and axes[0] is not None else tuple(reversed(range(x.ndim)))
    if sorted(a % max(x.ndim, 1) for a in order) != list(range(x.ndim)):
        raise ValueError(f"transpose: {order} is not an order of the axes of shape {x.shape}")
    return permute(x, axes=tuple(a % x.ndim for a in order))


def moveaxis(x: Value, source: int, destination: int) -> Value:
    """x with the axis `source` moved to position `destination`."""
    source, destination = existing("moveaxis", source, x), existing("moveaxis", destination, x)
    order = [i for i in range(x.ndim) if i != source]
    order.insert(destination, source)
    return permute(x, axes=tuple(order))


def swapaxes(x: Value, a: int, b: int) -> Value:
    """x with two axes exchanged."""
    order = list(range(x.ndim))
    a, b = existing("swapaxes", a, x), existing("swapaxes", b, x)
    order[a], order[b] = order[b], order[a]
    return permute(x, axes=tuple(order))


@primitive
def pad_constant(x, *, widths, value):
    """x framed by `value`: widths ((before, after), ...) for every axis."""
    return padding.pad(x, widths=widths, value=value)


@pad_constant.vjp
def _(grad, x_shape, widths):
    inside = tuple(slice(before, before + n) for n, (before, _) in zip(x_shape, widths, strict=True))
    return getitem(grad, index=inside)


def pad(x: Value, widths: Any, value: float = 0.0) -> Value:
    """x framed by `value`; widths as a number, a pair (before, after) for all axes, or one pair for each axis."""
    pairs = [(widths, widths)] if isinstance(widths, int) else [widths] if isinstance(widths[0], int) else list(widths)
    pairs = pairs * x.ndim if len(pairs) == 1 else pairs
    if len(pairs) != x.ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"pad: expected one pair of widths >= 0 for each axis of shape {x.shape}, got {widths}")
    return pad_constant(x, widths=tuple((int(before), int(after)) for before, after in pairs), value=value)


def _tuple(values: tuple[Any, ...]) -> tuple[int, ...]:
    """f(x, 2, 3) and f(x, (2, 3)) alike."""
    return tuple(int(n) for n in (values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values))


for _function in (reshape, flatten, squeeze, transpose, swapaxes):
    method(_function.__name__, _function)
Tensor.T = property(transpose, doc="The axes in reverse order.")  # type: ignore[attr-defined]
