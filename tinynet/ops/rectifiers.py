"""Activations that leave positive numbers as they are:
activations.py -> here -> kernels/activations/rectifiers.py.

The derivative of each follows from its output s and is a kernel of its own, f_grad(g, s); the second
derivative comes from the same formula written with operations. At 0 the derivative is that of negative
numbers: relu'(0) = 0.
"""

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import as_array, to_float
from tinynet.kernels import activations as kernels
from tinynet.kernels.activations.rectifiers import SELU_ALPHA, SELU_SCALE
from tinynet.ops.derived import derived_from
from tinynet.ops.selection import where
from tinynet.ops.settings import number


@array_primitive
def relu(x):
    """max(x, 0).

    >>> ops.relu([-1.0, 5.0])
    array([0., 5.], dtype=float32)
    """
    return kernels.relu(as_array(x))


@relu.vjp("x")
def _(grad, y):
    return relu_grad(grad, y)


@array_primitive
def relu_grad(g, s):
    """g where s = relu(x) > 0, else 0."""
    return kernels.relu_grad(g, s)


@derived_from(relu_grad)
def _(g, s):
    return where(s > 0, g, 0.0)


@array_primitive
def leaky_relu(x, *, negative_slope=0.2):
    """x where x > 0, else negative_slope x (negative_slope >= 0).

    >>> ops.leaky_relu([-5.0, 5.0])
    array([-1.,  5.], dtype=float32)
    """
    negative_slope = number("leaky_relu", "negative_slope", negative_slope, 0)
    return kernels.leaky_relu(to_float(x), negative_slope=negative_slope)


@leaky_relu.vjp("x")
def _(grad, y, negative_slope):
    return leaky_relu_grad(grad, y, negative_slope=negative_slope)


@array_primitive
def leaky_relu_grad(g, s, *, negative_slope):
    """g where s = leaky_relu(x) > 0, else negative_slope g."""
    return kernels.leaky_relu_grad(g, s, negative_slope=negative_slope)


@derived_from(leaky_relu_grad)
def _(g, s, *, negative_slope):
    return where(s > 0, g, negative_slope * g)


@array_primitive
def elu(x, *, alpha=1.0):
    """x where x > 0, else alpha (exp(x) - 1), alpha >= 0.

    >>> ops.elu([-1.0, 5.0]).round(4)
    array([-0.6321,  5.    ], dtype=float32)
    """
    return kernels.elu(to_float(x), alpha=number("elu", "alpha", alpha, 0))


@elu.vjp("x")
def _(grad, y, alpha):
    return elu_grad(grad, y, alpha=alpha)


@array_primitive
def elu_grad(g, s, *, alpha):
    """g where s = elu(x) > 0, else g (s + alpha)."""
    return kernels.elu_grad(g, s, alpha=alpha)


@derived_from(elu_grad)
def _(g, s, *, alpha):
    return where(s > 0, g, g * (s + alpha))


@array_primitive
def selu(x):
    """scale elu(x, alpha) with the constants of Klambauer et al. (2017)."""
    return kernels.selu(to_float(x))


@selu.vjp("x")
def _(grad, y):
    return selu_grad(grad, y)


@array_primitive
def selu_grad(g, s):
    """scale g where s = selu(x) > 0, else g (s + scale alpha)."""
    return kernels.selu_grad(g, s)


@derived_from(selu_grad)
def _(g, s):
    return where(s > 0, SELU_SCALE * g, g * (s + SELU_SCALE * SELU_ALPHA))
