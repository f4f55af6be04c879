"""log(e^a + e^b): a maximum with a soft edge. Its derivatives are the shares of a and b,
e^a / (e^a + e^b) = sigmoid(a - b).
"""

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.kernels.elementwise import apply
from tinynet.ops.elementary import abs
from tinynet.ops.selection import where
from tinynet.ops.settings import floats
from tinynet.ops.smooth_activations import sigmoid


@array_primitive
def logaddexp(x1, x2):
    """log(e**x1 + e**x2) without overflow; of equal infinities that infinity."""
    return apply(np.logaddexp, *floats(x1, x2))


@logaddexp.vjp("x1")
def _(grad, x1, x2):
    return grad * _share(x1, x2)


@logaddexp.vjp("x2")
def _(grad, x1, x2):
    return grad * _share(x2, x1)


def _share(a, b):
    """e**a / (e**a + e**b), a half at equal infinities."""
    alike = (a == b) & (abs(a) == np.inf)
    return sigmoid(where(alike, 0.0, a) - where(alike, 0.0, b))
