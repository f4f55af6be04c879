"""log(e^a + e^b): a maximum with a soft edge. Its derivatives are the shares of a and b, e^a / (e^a + e^b) = sigmoid(a - b)."""

import numpy as np

from tinynet.autograd import primitive
from tinynet.backend.number_format import align, to_float
from tinynet.kernels.elementwise import apply
from tinynet.ops.arithmetic import integers, multiply, subtract
from tinynet.ops.comparison import equal, logical_and
from tinynet.ops.elementary import abs
from tinynet.ops.selection import where
from tinynet.ops.smooth_activations import sigmoid


@primitive
def logaddexp(a, b):
    """log(e**a + e**b) without overflow; of equal infinities that infinity."""
    return apply(np.logaddexp, *align(to_float(a) if integers(a, b) else a, b))


@logaddexp.vjp("a")
def _(grad, a, b):
    return multiply(grad, _share(a, b))


@logaddexp.vjp("b")
def _(grad, a, b):
    return multiply(grad, _share(b, a))


def _share(a, b):
    """e**a / (e**a + e**b), a half at equal infinities."""
    alike = logical_and(equal(a, b), equal(abs(a), np.inf))
    return sigmoid(subtract(where(alike, 0.0, a), where(alike, 0.0, b)))
