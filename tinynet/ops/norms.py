"""Lengths and spreads, made of primitives so that they have every derivative;
numbers near the ends of the range are safe.

At 0, or where all numbers are equal, their derivative does not exist; it is taken as 0.
"""

import numbers

import numpy as np

from tinynet.autograd import as_raw, composition
from tinynet.autograd.basics import axes_of
from tinynet.backend import config
from tinynet.backend.number_format import as_array, to_float
from tinynet.kernels.common import Array, aligned, launch, xp
from tinynet.ops.elementary import abs, square
from tinynet.ops.methods import Value
from tinynet.ops.reduction import max, mean, sum, var
from tinynet.ops.selection import maximum, where
from tinynet.ops.settings import Axis, floats, number, reduced_axes
from tinynet.ops.shapes import squeeze


def std(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Standard deviation of x over `axis`, by the biased variance; axis and keepdims are as in `sum`.

    >>> ops.std([1.0, 3.0])
    array(1., dtype=float32)
    """
    x = as_array(x)
    return root(var(x, reduced_axes("std", axis, x), keepdims))


def moments(x: Value, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Value, Value]:
    """(mean, biased variance) of x over `axes`, which stay with size 1 with `keepdims`.
    `synchronized` has no effect here.

    >>> ops.moments([[1.0, 3.0], [5.0, 5.0]], axes=1)
    (array([2., 5.], dtype=float32), array([1., 0.], dtype=float32))
    """
    x = as_array(x)
    axes = reduced_axes("moments", axes, x, "axes")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@composition
def norm(x: Value, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Value:
    """(sum |x|^ord)^(1/ord), by default with ord 2: the Euclidean length of vectors along `axis`.

    Over several axes the root of the sum of squares alone, without `ord`: what that means for matrices is not
    here. The derivative at 0 is taken as 0. `keepdims` leaves the axes with size 1. Raises ValueError for
    another `ord` than a positive number, 'euclidean' or 'fro'.

    >>> ops.norm([[3.0, 4.0], [0.0, 2.0]], axis=1)
    array([5., 2.], dtype=float32)
    """
    (x,) = floats(x)
    axis = reduced_axes("norm", axis, x)
    axes = axes_of(axis, x.ndim)
    if len(axes) > 1 and ord not in (None, "euclidean", "fro"):
        raise ValueError(
            f"norm: ord={ord!r} is for vectors: give their axis; matrices have the norm 'fro' alone"
        )
    if ord in (None, "euclidean", "fro"):
        ord = 2
    if isinstance(ord, bool | str) or not isinstance(ord, numbers.Real) or not 0 < ord < float("inf"):
        raise ValueError(f"norm: ord must be a positive number or 'euclidean', got {ord!r}")
    if ord == 1:
        return sum(abs(x), axis, keepdims)
    scale = power_of_two(x, axis)  # powers must stay within the range of x's number format
    y = x / scale
    if ord == 2:
        length = root(sum(square(y), axis, keepdims=True))
    else:
        length = root(sum(abs(y) ** ord, axis, keepdims=True), 1.0 / ord)
    length = length * scale
    return length if keepdims else squeeze(length, axes)


@composition
def root(x: Value, exponent: float = 0.5) -> Value:
    """x**exponent for x >= 0, with derivative 0 at 0: for sums of powers,
    which are 0 only where each of them is least.
    """
    zero = x == 0
    return where(zero, 0.0, where(zero, 1.0, x) ** exponent)


def power_of_two(x: Value, axis: Axis) -> Array | float:
    """The power of two at or below the largest |x| along `axis` (1 where that is 0,
    infinite or no number): a constant.

    Dividing by it rounds nothing, and brings the largest number to 1 .. 2.
    """
    largest = to_float(max(abs(as_raw(x)), axis, keepdims=True)) if 0 not in x.shape else 1.0
    if type(largest) is not np.ndarray:
        return largest if isinstance(largest, float) else _power_of_two(largest)
    out = aligned(largest.shape, largest.dtype)
    launch(_power_of_two_into, out, largest)
    return out


def _power_of_two_into(out: np.ndarray, largest: np.ndarray) -> None:
    out[...] = _power_of_two(largest)


def _power_of_two(largest: Array) -> Array:
    xp_ = xp(largest)
    usable = xp_.isfinite(largest) & (largest > 0)
    exponent = xp_.floor(xp_.log2(xp_.where(usable, largest, xp_.ones_like(largest))))
    return xp_.exp2(xp_.clip(exponent, -126.0, 126.0))


@composition
def normalize(x: Value, axis: Axis = -1, order: float = 2, epsilon: float | None = None) -> Value:
    """x / max(norm of x along `axis`, epsilon).

    order     of the norm, a positive number; 2: Euclidean length;  epsilon   None: `config.epsilon()`

    >>> ops.normalize([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    """
    axis = reduced_axes("normalize", axis, x)
    number("normalize", "order", order, np.finfo(float).tiny, np.finfo(float).max)
    epsilon = config.epsilon() if epsilon is None else number("normalize", "epsilon", epsilon, 0)
    return x / maximum(norm(x, None if order == 2 else order, axis, keepdims=True), epsilon)
