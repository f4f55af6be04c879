"""Arithmetic with NumPy's broadcasting: + - * / ** and the minus sign.

A rule returns the gradient in the shape of the result; the engine sums it over the axes along which an operand was
repeated. Python numbers, NumPy scalars and integers beside a float take its number format: float32 stays float32.
"""

from tinynet.autograd import primitive
from tinynet.autograd.tensor import as_raw
from tinynet.backend.number_format import align, to_float
from tinynet.ops.attach import method, operator
from tinynet.ops.elementary import log
from tinynet.ops.selection import where


@primitive
def add(a, b):
    """a + b."""
    a, b = align(a, b)
    return a + b


@add.vjp("a", "b")
def _(grad):
    return grad


operator("add", add)


@primitive
def subtract(a, b):
    """a - b."""
    a, b = align(a, b)
    return a - b


@subtract.vjp("a")
def _(grad):
    return grad


@subtract.vjp("b")
def _(grad):
    return -grad


operator("sub", subtract)


@primitive
def multiply(a, b):
    """a * b, element by element."""
    a, b = align(a, b)
    return a * b


@multiply.vjp("a")
def _(grad, b):
    return grad * b


@multiply.vjp("b")
def _(grad, a):
    return grad * a


operator("mul", multiply)


@primitive
def divide(a, b):
    """a / b; integers give floats of `config.floatx()`."""
    a, b = align(to_float(a) if _integers(a, b) else a, b)
    return a / b


@divide.vjp("a")
def _(grad, b):
    return grad / b


@divide.vjp("b")
def _(grad, a, b):
    return -grad * a / (b * b)


operator("truediv", divide)


@primitive
def negative(x):
    """-x."""
    return -x


@negative.vjp
def _(grad):
    return -grad


method("__neg__", negative)
method("__pos__", lambda x: x)


@primitive
def power(a, b):
    """a ** b.

    d/da = b a**(b - 1), which is 0 for b = 0 even where a = 0; d/db = a**b log a, taken as 0 where a = 0 (its limit for
    b > 0) and NaN where a < 0, where no derivative exists.
    """
    a, b = align(a, b)
    return a**b


@power.vjp("a")
def _(grad, a, b):
    if isinstance(b, int | float):
        return grad * (b * a ** (b - 1)) if b else grad * 0.0
    b = align(b, as_raw(a))[0]
    return grad * (b * a ** where(b == 0, 1.0, b - 1))


@power.vjp("b")
def _(grad, a, y):
    return grad * y * log(where(a == 0, 1.0, a))


operator("pow", power)


def _integers(a, b) -> bool:
    """Whether neither operand is a float, so that NumPy would divide into float64."""
    return not any(isinstance(x, float) or (hasattr(x, "dtype") and x.dtype.kind == "f") for x in (a, b))
