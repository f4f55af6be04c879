"""Arithmetic with NumPy's broadcasting: + - * / and the minus sign.

A rule returns the gradient in the shape of the result; the engine sums it over the axes along which an operand was
repeated. Python numbers, NumPy scalars and integers beside a float take its number format: float32 stays float32.

Rules are written with these functions rather than with operators, which do the same on Tensors: on plain arrays, in an
ordinary backward, an operator would be NumPy's, and what it computes no launch that a recorded step could repeat.
"""

import numpy as np

from tinynet.autograd import primitive
from tinynet.backend.number_format import align, to_float
from tinynet.kernels.elementwise import apply
from tinynet.ops.attach import method, operator


@primitive
def add(a, b):
    """a + b."""
    return apply(np.add, *align(a, b))


@add.vjp("a", "b")
def _(grad):
    return grad


operator("add", add)


@primitive
def subtract(a, b):
    """a - b."""
    return apply(np.subtract, *align(a, b))


@subtract.vjp("a")
def _(grad):
    return grad


@subtract.vjp("b")
def _(grad):
    return negative(grad)


operator("sub", subtract)


@primitive
def multiply(a, b):
    """a * b, element by element."""
    return apply(np.multiply, *align(a, b))


@multiply.vjp("a")
def _(grad, b):
    return multiply(grad, b)


@multiply.vjp("b")
def _(grad, a):
    return multiply(grad, a)


operator("mul", multiply)


@primitive
def divide(a, b):
    """a / b; integers give floats of `config.floatx()`."""
    return apply(np.divide, *align(to_float(a) if integers(a, b) else a, b))


@divide.vjp("a")
def _(grad, b):
    return divide(grad, b)


@divide.vjp("b")
def _(grad, b, y):
    return multiply(negative(divide(grad, b)), y)  # - grad a / b**2, where the square would leave the range before the result


operator("truediv", divide)


@primitive
def negative(x):
    """-x."""
    return apply(np.negative, x)


@negative.vjp
def _(grad):
    return negative(grad)


method("__neg__", negative)
method("__pos__", lambda x: x)


def integers(a, b) -> bool:
    """Whether neither operand is a float, so that NumPy would divide into float64."""
    return not any(isinstance(x, float) or (hasattr(x, "dtype") and x.dtype.kind == "f") for x in (a, b))
