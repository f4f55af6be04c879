"""Choosing among values: where, maximum, minimum, clip.

Conventions at ties: `maximum` and `minimum` of equal numbers give each half of the gradient (so do the reductions `max` and
`min`, among all that are equal); `clip` lets the gradient pass at its bounds.
"""

import numpy as np

from tinynet.autograd import primitive
from tinynet.backend.number_format import align
from tinynet.kernels import elementwise
from tinynet.kernels.elementwise import apply
from tinynet.ops.arithmetic import multiply
from tinynet.ops.attach import method
from tinynet.ops.comparison import equal, greater


@primitive
def where(condition, a, b):
    """a where `condition` holds, else b."""
    return elementwise.where(condition, *align(a, b))


@where.vjp("a")
def _(grad, condition):
    return where(condition, grad, 0.0)


@where.vjp("b")
def _(grad, condition):
    return where(condition, 0.0, grad)


@primitive
def maximum(a, b):
    """The larger of a and b."""
    return apply(np.maximum, *align(a, b))


@maximum.vjp("a")
def _(grad, a, b):
    return where(greater(a, b), grad, where(equal(a, b), multiply(grad, 0.5), 0.0))


@maximum.vjp("b")
def _(grad, a, b):
    return where(greater(b, a), grad, where(equal(a, b), multiply(grad, 0.5), 0.0))


@primitive
def minimum(a, b):
    """The smaller of a and b."""
    return apply(np.minimum, *align(a, b))


@minimum.vjp("a")
def _(grad, a, b):
    return where(greater(b, a), grad, where(equal(a, b), multiply(grad, 0.5), 0.0))


@minimum.vjp("b")
def _(grad, a, b):
    return where(greater(a, b), grad, where(equal(a, b), multiply(grad, 0.5), 0.0))


@primitive
def clip(x, *, x_min, x_max):
    """x limited to x_min .. x_max; the derivative is 1 from bound to bound, the bounds included, and 0 outside."""
    return apply(np.minimum, apply(np.maximum, x, x_min), x_max)


@clip.vjp
def _(grad, x, y):
    return where(equal(x, y), grad, 0.0)


method("clip", lambda x, x_min, x_max: clip(x, x_min=x_min, x_max=x_max))
