"""Reductions: sum, mean, var, max, min, logsumexp, over an axis, several (a tuple) or all (None).

`max` and `min` share the gradient equally among equal extremes. `var` is biased (divided by the count).
"""

import math
from typing import Any

import numpy as np

from tinynet.autograd import array_primitive, as_raw, basics, composition
from tinynet.autograd.basics import axes_of, reduced_shape
from tinynet.backend import config
from tinynet.backend.number_format import as_array, to_float
from tinynet.kernels import reduce
from tinynet.kernels.common import aligned, launch, xp
from tinynet.ops.elementary import cast, exp, square
from tinynet.ops.methods import Value, method
from tinynet.ops.selection import maximum, minimum, where
from tinynet.ops.settings import Axis, floats, reduced_axes


def sum(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Sum of x over `axis`: an axis, several in a tuple, or None for all;
    with `keepdims` they stay, with size 1.

    Integers and booleans are summed in 64 bits, as NumPy has it, so that it does not overflow. Raises
    ValueError for an axis that x does not have.

    >>> ops.sum([[1, 2], [3, 4]], axis=0)
    array([4, 6])
    """
    x = as_array(x)
    x = cast(x, dtype=config.floatx()) if x.dtype == np.float16 else x
    return basics.sum(x, axis=reduced_axes("sum", axis, x), keepdims=keepdims)


@composition
def mean(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Sum of x over `axis`, divided by the number of elements summed; axis and keepdims as in `sum`.

    >>> ops.mean([[1, 2], [3, 4]], axis=1, keepdims=True)
    array([[1.5],
           [3.5]], dtype=float32)
    """
    axis = reduced_axes("mean", axis, x)
    return sum(x, axis, keepdims) / _count(x, axis)


@composition
def var(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Biased variance: mean((x - mean(x))**2), in two passes,
    of the differences from the first of the numbers.

    So the variance of equal numbers is exactly 0, and numbers that are alike do not lose the digits in which
    they differ. axis and keepdims are as in `sum`.

    >>> ops.var([1.0, 3.0])
    array(1., dtype=float32)
    """
    (x,) = floats(x)
    axis = reduced_axes("var", axis, x)
    reduced = axes_of(axis, x.ndim)
    x = x - as_raw(x)[tuple([slice(0, 1) if i in reduced else slice(None) for i in range(x.ndim)])]
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


@composition
def max(x: Value, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Value:
    """Largest element of x over `axis`, and no less than `initial`; axis and keepdims as in `sum`.

    >>> ops.max([[1, 5], [3, 4]], axis=0)
    array([3, 5])
    """
    return _extreme("max", amax, maximum, x, axis, keepdims, initial)


@composition
def min(x: Value, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Value:
    """Smallest element of x over `axis`, and no more than `initial`; axis and keepdims as in `sum`.

    >>> ops.min([[1, 5], [3, 4]], axis=0)
    array([1, 4])
    """
    return _extreme("min", amin, minimum, x, axis, keepdims, initial)


def _extreme(
    name: str, reduced: Any, larger: Any, x: Value, axis: Axis, keepdims: bool, initial: Any
) -> Value:
    axis = reduced_axes(name, axis, x)
    if initial is None:
        return reduced(x, axis=axis, keepdims=keepdims)
    if not x.size:  # the sum of nothing is 0
        return sum(x, axis, keepdims) + initial
    return larger(reduced(x, axis=axis, keepdims=keepdims), initial)


def logsumexp(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """log(sum(exp(x))) over `axis` without overflow; -inf where all elements are -inf,
    with derivative 0 there.

    axis and keepdims are as in `sum`.

    >>> ops.logsumexp([[1000.0, 1000.0]], axis=1).round(2)
    array([1000.69], dtype=float32)
    """
    x = as_array(x)
    return log_sum_exp(x, axis=reduced_axes("logsumexp", axis, x), keepdims=keepdims)


@array_primitive
def amax(x, *, axis, keepdims=False):
    """Largest element over `axis`."""
    return reduce.extreme(np.maximum, x, axis, keepdims)


@amax.vjp("x")
def _(grad, x, y, axis):
    return _share_among_equals(grad, x, y, axis)


@array_primitive
def amin(x, *, axis, keepdims=False):
    """Smallest element over `axis`."""
    return reduce.extreme(np.minimum, x, axis, keepdims)


@amin.vjp("x")
def _(grad, x, y, axis):
    return _share_among_equals(grad, x, y, axis)


def _share_among_equals(grad, x, y, axis):
    shape = reduced_shape(x.shape, axis)
    # The gradient of each largest (or smallest) element is g / n, where n of them are equal;
    # of all others it is 0.
    chosen = cast(x == basics.reshape(y, shape=shape), dtype=x.dtype)
    return basics.reshape(grad, shape=shape) * (chosen / sum(chosen, axis, keepdims=True))


@array_primitive
def log_sum_exp(x, *, axis, keepdims=False):
    """m + log(sum(exp(x - m))) with m = max(x), taken as 0 where it is infinite."""
    x = to_float(x)
    if type(x) is not np.ndarray:
        return _log_sum_exp(x, axis, keepdims)
    reduced = reduced_shape(x.shape, axis)
    y = aligned(reduced, x.dtype)
    launch(_log_sum_exp_into, y, x, axis)
    return y if keepdims else np.squeeze(y, axis=axes_of(axis, x.ndim))


def _log_sum_exp_into(y, x, axis):
    y[...] = _log_sum_exp(x, axis, True)


def _log_sum_exp(x, axis, keepdims):
    xp_ = xp(x)
    m = xp_.max(x, axis=axis, keepdims=True)
    m = xp_.where(xp_.isfinite(m), m, xp_.zeros_like(m))
    total = reduce.in_double(xp_.exp(x - m), axis, keepdims=True)
    empty = total == 0  # every element is -inf
    y = m + xp_.where(empty, xp_.full_like(m, -math.inf), xp_.log(xp_.where(empty, xp_.ones_like(m), total)))
    return y if keepdims else xp_.squeeze(y, axis=axes_of(axis, x.ndim))


@log_sum_exp.vjp("x")
def _(grad, x, y, axis):
    shape = reduced_shape(x.shape, axis)  # dy/dx = e^x / sum e^x = e^(x - y)
    y = basics.reshape(where(y == -math.inf, 0.0, y), shape=shape)
    return basics.reshape(grad, shape=shape) * exp(x - y)


for _function in (sum, mean, var, max, min):
    method(_function.__name__, _function)


def _count(x: Value, axis: Axis) -> int:
    return math.prod([x.shape[a] for a in axes_of(axis, x.ndim)])
