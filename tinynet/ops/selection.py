"""Choosing among values: where, maximum, minimum, clip.

Conventions at ties: `maximum` and `minimum` of equal numbers give each half of the gradient
(so do the reductions `max` and `min`, among all that are equal); `clip` lets the gradient pass at its bounds.
"""

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend import device
from tinynet.backend.number_format import align, align_all, as_array
from tinynet.kernels import elementwise
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.kernels.elementwise import apply
from tinynet.ops.methods import method


@array_primitive
def where(condition, x1=None, x2=None):
    """x1 where `condition` holds, else x2; without the two where it holds:
    one array of indices for each axis.

    >>> ops.where([True, False], [1, 2], [10, 20])
    array([ 1, 20])
    """
    if not hasattr(condition, "dtype"):  # True, or a list
        condition = as_array(condition)
        if there := [x for x in (x1, x2) if is_on_gpu(x)]:
            condition = device.beside(condition, there[0])
    if condition.dtype.kind != "b":
        condition = elementwise.cast(condition, np.dtype(bool))
    if x1 is None or x2 is None:
        if x1 is not None or x2 is not None:
            raise ValueError(
                "where: x1 and x2 belong together; give both, or neither for the indices of what holds"
            )
        return tuple(xp(condition).nonzero(condition))
    return elementwise.where(condition, *align(x1, x2, condition))


@where.vjp("x1")
def _(grad, condition):
    return where(condition, grad, 0.0)


@where.vjp("x2")
def _(grad, condition):
    return where(condition, 0.0, grad)


def _to_the_larger(grad, a, b):
    """The gradient where a is larger than b, half of it where they are equal."""
    return where(a > b, grad, where(a == b, grad * 0.5, 0.0))


@array_primitive
def maximum(x1, x2):
    """The larger of x1 and x2."""
    return apply(np.maximum, *align(x1, x2))


@maximum.vjp("x1")
def _(grad, x1, x2):
    return _to_the_larger(grad, x1, x2)


@maximum.vjp("x2")
def _(grad, x1, x2):
    return _to_the_larger(grad, x2, x1)


@array_primitive
def minimum(x1, x2):
    """The smaller of x1 and x2."""
    return apply(np.minimum, *align(x1, x2))


@minimum.vjp("x1")
def _(grad, x1, x2):
    return _to_the_larger(grad, x2, x1)


@minimum.vjp("x2")
def _(grad, x1, x2):
    return _to_the_larger(grad, x1, x2)


@array_primitive
def clip(x, *, x_min, x_max):
    """x limited to x_min .. x_max; the derivative is 1 from bound to bound,
    the bounds included, and 0 outside.

    >>> ops.clip([-5.0, 0.5, 5.0], x_min=0.0, x_max=1.0)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    x, x_min, x_max = align_all(x, x_min, x_max)
    return apply(np.minimum, apply(np.maximum, x, x_min), x_max)


@clip.vjp("x")
def _(grad, x, y):
    return where(x == y, grad, 0.0)


method("clip", lambda x, x_min, x_max: clip(x, x_min=x_min, x_max=x_max))
