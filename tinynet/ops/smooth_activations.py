"""Smooth activations: activations.py -> here -> kernels/activations (sigmoids.py, smooth.py).

The derivative of each is a kernel of its own, f_grad(g, s), where s is the output for sigmoid and tanh and
the input for the others; the second derivative comes from the same formula written with operations.
"""

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import to_float
from tinynet.kernels import activations as kernels
from tinynet.kernels import elementwise
from tinynet.kernels.activations.smooth import INVERSE_ROOT_2PI, LOWEST, ROOT_HALF, TANH_CUBIC, TANH_SCALE
from tinynet.kernels.activations.smooth import erf as erf_array
from tinynet.kernels.common import launch
from tinynet.ops.derived import derived_from
from tinynet.ops.elementary import abs, exp, square
from tinynet.ops.methods import Value
from tinynet.ops.selection import clip


@array_primitive
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return kernels.sigmoid(to_float(x))


@sigmoid.vjp("x")
def _(grad, y):
    return sigmoid_grad(grad, y)


@array_primitive
def sigmoid_grad(g, s):
    """g s (1 - s) for s = sigmoid(x)."""
    return kernels.sigmoid_grad(g, s)


@derived_from(sigmoid_grad)
def _(g, s):
    return g * s * (1 - s)


@array_primitive
def tanh(x):
    """Hyperbolic tangent of x."""
    return kernels.tanh(to_float(x))


@tanh.vjp("x")
def _(grad, y):
    return tanh_grad(grad, y)


@array_primitive
def tanh_grad(g, s):
    """g (1 - s**2) for s = tanh(x)."""
    return kernels.tanh_grad(g, s)


@derived_from(tanh_grad)
def _(g, s):
    return g * (1 - square(s))


@array_primitive
def softplus(x):
    """log(1 + exp(x))."""
    return kernels.softplus(to_float(x))


@softplus.vjp("x")
def _(grad, x):
    return softplus_grad(grad, x)


@array_primitive
def softplus_grad(g, s):
    """g sigmoid(s)."""
    return kernels.softplus_grad(g, s)


@derived_from(softplus_grad)
def _(g, s):
    return g * sigmoid(s)


@array_primitive
def softsign(x):
    """x / (1 + |x|)."""
    return kernels.softsign(to_float(x))


@softsign.vjp("x")
def _(grad, x):
    return softsign_grad(grad, x)


@array_primitive
def softsign_grad(g, s):
    """g / (1 + |s|)**2."""
    return kernels.softsign_grad(g, s)


@derived_from(softsign_grad)
def _(g, s):
    return g / square(1 + abs(s))


@array_primitive
def silu(x):
    """x sigmoid(x)."""
    return kernels.silu(to_float(x))


@silu.vjp("x")
def _(grad, x):
    return silu_grad(grad, x)


@array_primitive
def silu_grad(g, s):
    """g sigmoid(s) (1 + s (1 - sigmoid(s)))."""
    return kernels.silu_grad(g, s)


@derived_from(silu_grad)
def _(g, s):
    p, s = sigmoid(s), _within(s)
    return g * p * (1 + s * (1 - p))


def _within(s: Value) -> Value:
    """s where steps are not yet 0 or 1; beyond, it would only be infinite, or its powers."""
    return clip(s, x_min=LOWEST, x_max=-LOWEST)


@array_primitive
def gelu(x, *, approximate=True):
    """x Phi(x) with the normal distribution function Phi, which `approximate` writes with tanh.

    >>> ops.gelu([-1.0, 1.0], approximate=False).round(4)
    array([-0.1587,  0.8413], dtype=float32)
    """
    return kernels.gelu(to_float(x), approximate=approximate)


@gelu.vjp("x")
def _(grad, x, approximate):
    return gelu_grad(grad, x, approximate=approximate)


@array_primitive
def gelu_grad(g, s, *, approximate):
    """g times the derivative of gelu at s."""
    return kernels.gelu_grad(g, s, approximate=approximate)


@derived_from(gelu_grad)
def _(g, s, *, approximate):
    s = _within(s)
    if approximate:
        t = tanh(TANH_SCALE * (s + TANH_CUBIC * s * s * s))
        return 0.5 * g * (1 + t + s * (1 - t * t) * (TANH_SCALE * (1 + 3 * TANH_CUBIC * s * s)))
    return g * (0.5 * (1 + erf(s * ROOT_HALF)) + s * (INVERSE_ROOT_2PI * exp(-0.5 * s * s)))


@array_primitive
def erf(x):
    """Error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    x = to_float(x)
    if type(x) is not np.ndarray:
        return erf_array(x)
    y = elementwise.like(x, x.shape, x.dtype)
    launch(_erf_into, y, x)
    return y


def _erf_into(y, x):
    y[...] = erf_array(x)


@erf.vjp("x")
def _(grad, x):
    return grad * (2 * ROOT_HALF * 2 * INVERSE_ROOT_2PI) * exp(-x * x)
