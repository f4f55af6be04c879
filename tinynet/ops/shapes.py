"""Changing the shape: a view wherever NumPy can make one,
also of batch-last images as long as the batch axis is kept.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, array_primitive, basics
from tinynet.backend.number_format import as_array
from tinynet.kernels import padding
from tinynet.ops.indexing import getitem
from tinynet.ops.methods import Value, method
from tinynet.ops.settings import choice, existing, existing_axes, integer, integers


def reshape(x: Value, newshape: Any) -> Value:
    """The same elements of x in C order of the axes; of the sizes in `newshape` one may be -1.

    >>> ops.reshape(np.arange(6), (2, -1))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    return basics.reshape(as_array(x), shape=integers("reshape", "newshape", newshape))


def flatten(x: Value) -> Value:
    """All elements of x in one axis."""
    return basics.reshape(as_array(x), shape=(-1,))


def broadcast_to(x: Value, shape: Sequence[int]) -> Value:
    """x repeated to `shape` by NumPy's rules, as a view.
    Raises ValueError for a shape that x cannot be repeated to.

    >>> ops.broadcast_to([1, 2], (2, 2))
    array([[1, 2],
           [1, 2]])
    """
    x, sizes = as_array(x), integers("broadcast_to", "shape", shape)
    last = sizes[len(sizes) - x.ndim :] if x.ndim else ()
    if (
        len(sizes) < x.ndim
        or min(sizes, default=0) < 0
        or any(n not in (1, m) for n, m in zip(x.shape, last, strict=True))
    ):
        raise ValueError(
            f"broadcast_to: an array of shape {tuple(x.shape)} cannot be repeated to the shape {sizes}"
        )
    return basics.broadcast_to(x, shape=sizes)


def expand_dims(x: Value, axis: int | Sequence[int]) -> Value:
    """x with an axis of length 1 at the place `axis` of the result, or at several.

    Raises ValueError for a place out of range.

    >>> ops.expand_dims([1, 2], 1).shape
    (2, 1)
    """
    x = as_array(x)
    axes = integers("expand_dims", "axis", axis)
    ndim, sizes = x.ndim + len(axes), iter(x.shape)
    if any(not -ndim <= a < ndim for a in axes) or len(new := {a % ndim for a in axes}) < len(axes):
        raise ValueError(f"expand_dims: axis {axis} is out of range for an array of shape {x.shape}")
    return basics.reshape(x, shape=tuple([1 if i in new else next(sizes) for i in range(ndim)]))


def squeeze(x: Value, axis: int | tuple[int, ...] | None = None) -> Value:
    """x without axes of length 1: all of them, or the `axis` (or several) given;
    raises ValueError if one given is longer.

    >>> ops.squeeze(np.ones((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    x = as_array(x)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else integers("squeeze", "axis", axis)
    axes = existing_axes("squeeze", axes, x)
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} is not of length 1")
    return basics.reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


@array_primitive
def permute(x, *, axes):
    """x with its axes in the order `axes`, as a view."""
    return x.transpose(axes)


@permute.vjp("x")
def _(grad, axes):
    # the inverse permutation
    return permute(grad, axes=tuple(sorted(range(len(axes)), key=lambda i: axes[i])))


def transpose(x: Value, axes: Any = None) -> Value:
    """x with its axes in the order `axes`, reversed if none is given;
    raises ValueError for what is no order of them.

    >>> ops.transpose(np.ones((2, 3, 4)), (1, 2, 0)).shape
    (3, 4, 2)
    """
    x = as_array(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else integers("transpose", "axes", axes)
    order = existing_axes("transpose", order, x, "axes")
    if len(order) != x.ndim:
        raise ValueError(f"transpose: axes {order} is not an order of the axes of shape {tuple(x.shape)}")
    return permute(x, axes=order)


def moveaxis(x: Value, source: int | Sequence[int], destination: int | Sequence[int]) -> Value:
    """x with the axis `source` moved to position `destination`, or several moved at once.

    >>> ops.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_array(x)
    several = [axes if isinstance(axes, list | tuple) else (axes,) for axes in (source, destination)]
    sources, places = (existing_axes("moveaxis", axes, x) for axes in several)
    if len(sources) != len(places):
        raise ValueError(
            f"moveaxis: expected a place for each axis, got axes {source} and places {destination}"
        )
    order = [i for i in range(x.ndim) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return permute(x, axes=tuple(order))


def swapaxes(x: Value, axis1: int, axis2: int) -> Value:
    """x with the axes `axis1` and `axis2` exchanged.

    >>> ops.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = as_array(x)
    order = list(range(x.ndim))
    a, b = existing("swapaxes", axis1, x, "axis1"), existing("swapaxes", axis2, x, "axis2")
    order[a], order[b] = order[b], order[a]
    return permute(x, axes=tuple(order))


@array_primitive
def pad_constant(x, *, widths, value):
    """x framed by `value`: widths ((before, after), ...) for every axis."""
    return padding.pad(x, widths=widths, value=value)


@pad_constant.vjp("x")
def _(grad, x_shape, widths):
    inside = tuple(slice(before, before + n) for n, (before, _) in zip(x_shape, widths, strict=True))
    return getitem(grad, index=inside)


def pad(x: Value, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Value:
    """x framed by `constant_values` (0); pad_width: a number, a pair (before, after), or one for each axis.

    With mode "reflect" or "symmetric" the frame is x mirrored at its outermost elements, or at its edges;
    "edge" repeats the outermost elements, "wrap" begins again from the other side. Raises ValueError for
    another mode or widths that do not fit.

    >>> ops.pad([1, 2, 3], (1, 2))
    array([0, 1, 2, 3, 0, 0])
    >>> ops.pad([1, 2, 3], (0, 2), "reflect")
    array([1, 2, 3, 2, 1])
    """
    x = as_array(x)
    choice("pad", "mode", mode, ("constant", "reflect", "symmetric", "edge", "wrap"))
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values goes with mode='constant', got mode={mode!r}")
    widths = _widths(pad_width, x)
    if mode == "constant":
        return pad_constant(x, widths=widths, value=0.0 if constant_values is None else constant_values)
    for axis, pair in enumerate(widths):
        if any(pair):
            places = np.pad(np.arange(x.shape[axis]), pair, mode)  # type: ignore[call-overload]
            x = getitem(x, (slice(None),) * axis + (places,))
    return x


def _widths(pad_width: Any, x: Value) -> tuple[tuple[int, int], ...]:
    """One pair for each axis of x."""
    pairs = pad_width if isinstance(pad_width, list | tuple) else ((pad_width, pad_width),)
    pairs = [tuple(pair) if isinstance(pair, list | tuple) else pair for pair in pairs]
    pairs = [tuple(pairs)] if not any(isinstance(pair, tuple) for pair in pairs) else pairs
    pairs = pairs * x.ndim if len(pairs) == 1 else pairs
    if len(pairs) != x.ndim or any(not isinstance(pair, tuple) or len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"pad: expected one pair of widths for each axis of shape {tuple(x.shape)}, got {pad_width}"
        )
    return tuple([(integer("pad", "pad_width", m, 0), integer("pad", "pad_width", n, 0)) for m, n in pairs])


for _function in (flatten, squeeze, swapaxes):
    method(_function.__name__, _function)
# as NumPy has it: t.reshape(2, 3)
method("reshape", lambda x, *shape: reshape(x, shape[0] if len(shape) == 1 else shape))
method(
    "transpose",
    lambda x, *axes: transpose(
        x, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
    ),
)
Tensor.T = property(transpose, doc="The axes in reverse order.")  # type: ignore[method-assign, assignment]
