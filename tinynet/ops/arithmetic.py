"""Arithmetic with NumPy's broadcasting: + - * / and the minus sign.

A rule returns the gradient in the shape of the result; the engine sums it over the axes along which an
operand was repeated. backend/number_format.py decides the number format of the result: float32 stays float32.

The forwards get arrays: one written with the operators of Tensors would call itself. The rules get Tensors,
and are written with operators.
"""

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import align, align_floats, as_array
from tinynet.kernels.elementwise import apply
from tinynet.ops.methods import method, operator


@array_primitive
def add(x1, x2):
    """x1 + x2."""
    return apply(np.add, *align(x1, x2))


@add.vjp("x1", "x2")
def _(grad):
    return grad


operator("add", add)


@array_primitive
def subtract(x1, x2):
    """x1 - x2."""
    return apply(np.subtract, *align(x1, x2))


@subtract.vjp("x1")
def _(grad):
    return grad


@subtract.vjp("x2")
def _(grad):
    return -grad


operator("sub", subtract)


@array_primitive
def multiply(x1, x2):
    """x1 * x2, element by element."""
    return apply(np.multiply, *align(x1, x2))


@multiply.vjp("x1")
def _(grad, x2):
    return grad * x2


@multiply.vjp("x2")
def _(grad, x1):
    return grad * x1


operator("mul", multiply)


@array_primitive
def divide(x1, x2):
    """x1 / x2; integers give floats of `config.floatx()`."""
    return apply(np.divide, *align_floats(x1, x2))


@divide.vjp("x1")
def _(grad, x2):
    return grad / x2


@divide.vjp("x2")
def _(grad, x2, y):
    return -(grad / x2) * y  # - grad x1 / x2**2 without x2**2, which may overflow


operator("truediv", divide)


@array_primitive
def negative(x):
    """-x."""
    return apply(np.negative, as_array(x))


@negative.vjp("x")
def _(grad):
    return -grad


method("__neg__", negative)
method("__pos__", lambda x: x)
