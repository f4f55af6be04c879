"""Choosing among values: where, maximum, minimum, clip.

Conventions at ties: `maximum` and `minimum` of equal numbers give each half of the gradient (so do the reductions `max` and
`min`, among all that are equal); `clip` lets the gradient pass at its bounds.
"""

from tinynet.autograd import primitive
from tinynet.backend.number_format import align
from tinynet.kernels.common import xp
from tinynet.ops.attach import method


@primitive
def where(condition, a, b):
    """a where `condition` holds, else b."""
    return _module(a, b).where(condition, *align(a, b))


@where.vjp("a")
def _(grad, condition):
    return where(condition, grad, 0.0)


@where.vjp("b")
def _(grad, condition):
    return where(condition, 0.0, grad)


@primitive
def maximum(a, b):
    """The larger of a and b."""
    a, b = align(a, b)
    return _module(a, b).maximum(a, b)


@maximum.vjp("a")
def _(grad, a, b):
    return where(a > b, grad, where(a == b, grad * 0.5, 0.0))


@maximum.vjp("b")
def _(grad, a, b):
    return where(b > a, grad, where(a == b, grad * 0.5, 0.0))


@primitive
def minimum(a, b):
    """The smaller of a and b."""
    a, b = align(a, b)
    return _module(a, b).minimum(a, b)


@minimum.vjp("a")
def _(grad, a, b):
    return where(a < b, grad, where(a == b, grad * 0.5, 0.0))


@minimum.vjp("b")
def _(grad, a, b):
    return where(b < a, grad, where(a == b, grad * 0.5, 0.0))


@primitive
def clip(x, *, low, high):
    """x limited to low .. high; the derivative is 1 from bound to bound, the bounds included, and 0 outside."""
    return xp(x).clip(x, low, high)


@clip.vjp
def _(grad, x, y):
    return where(x == y, grad, 0.0)


method("clip", lambda x, low, high: clip(x, low=low, high=high))


def _module(a, b):
    return xp(a if hasattr(a, "dtype") else b)
