"""Elementary functions of every element, and powers. Integers become floats of `config.floatx()` first."""

import math

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import align, as_array, to_float
from tinynet.kernels import elementwise
from tinynet.kernels.elementwise import apply
from tinynet.ops.methods import method, operator
from tinynet.ops.selection import where


@array_primitive
def exp(x):
    """e**x."""
    return apply(np.exp, to_float(x))


@exp.vjp("x")
def _(grad, y):
    return grad * y


@array_primitive
def expm1(x):
    """e**x - 1, exact for small x."""
    return apply(np.expm1, to_float(x))


@expm1.vjp("x")
def _(grad, x):
    return grad * exp(x)


@array_primitive
def log(x):
    """Natural logarithm; -inf at 0, where the derivative 1 / x is infinite."""
    return apply(np.log, to_float(x))


@log.vjp("x")
def _(grad, x):
    return grad / x


@array_primitive
def log1p(x):
    """log(1 + x), exact for small x."""
    return apply(np.log1p, to_float(x))


@log1p.vjp("x")
def _(grad, x):
    return grad / (1 + x)


@array_primitive
def sqrt(x):
    """Square root; its derivative 1 / (2 sqrt(x)) is infinite at 0."""
    return apply(np.sqrt, to_float(x))


@sqrt.vjp("x")
def _(grad, y):
    return grad / (2 * y)


@array_primitive
def square(x):
    """x**2."""
    x = _counted(x)
    return apply(np.multiply, x, x)


@square.vjp("x")
def _(grad, x):
    return grad * (2 * x)


def _counted(x):
    """x as an array, with booleans as the integers 0 and 1."""
    x = as_array(x)
    return elementwise.cast(x, np.dtype(np.int64)) if x.dtype.kind == "b" else x


_POWERS = {0.5: np.sqrt, 1: np.positive, 2: np.square}  # what a ** b means to NumPy too


@array_primitive
def power(x1, x2):
    """a ** b for a = x1 and b = x2.

    d/da = b a**(b - 1), which is 0 for b = 0 even where a = 0; d/db = a**b log a, taken as 0 where a = 0
    and b >= 0 (its limit for b > 0), and NaN where a < 0, where no derivative exists.
    """
    x1, x2 = align(x1, x2)
    if isinstance(x2, int | float) and x2 in _POWERS and x1.dtype.kind == "f":
        return apply(_POWERS[x2], x1)
    return apply(np.power, x1, x2)


@power.vjp("x1")
def _(grad, x1, x2):
    if isinstance(x2, int | float):
        return grad * (x2 * x1 ** (x2 - 1) if x2 else 0.0)
    return grad * (x2 * x1 ** where((x1 == 0) & (x2 == 0), 1, x2 - 1))


@power.vjp("x2")
def _(grad, x1, x2, y):
    if isinstance(x1, int | float) and x1:
        return grad * y * (math.log(x1) if x1 > 0 else math.nan)
    return grad * y * log(where((x1 == 0) & (x2 >= 0), 1.0, x1))


operator("pow", power)


@array_primitive
def sin(x):
    """Sine of x, in radians."""
    return apply(np.sin, to_float(x))


@sin.vjp("x")
def _(grad, x):
    return grad * cos(x)


@array_primitive
def cos(x):
    """Cosine of x, in radians."""
    return apply(np.cos, to_float(x))


@cos.vjp("x")
def _(grad, x):
    return -grad * sin(x)


@array_primitive
def abs(x):
    """|x|, with derivative 0 at 0."""
    return apply(np.absolute, as_array(x))


@abs.vjp("x")
def _(grad, x):
    return grad * sign(x)


method("__abs__", abs)


@array_primitive
def sign(x):
    """-1, 0 or 1, the sign of x; its derivative is 0 everywhere."""
    return apply(np.sign, _counted(x))


@sign.vjp("x")
def _(grad):
    return grad * 0.0


@array_primitive
def cast(x, *, dtype):
    """x in another number format, `dtype`: "float32", "int64", np.float64, ...

    >>> ops.cast([1.7, -1.7], dtype="int32")
    array([ 1, -1], dtype=int32)
    """
    return elementwise.cast(as_array(x), np.dtype(dtype))


@cast.vjp("x")
def _(grad):
    return grad  # the engine brings it back into the format of x


method("astype", lambda x, dtype: cast(x, dtype=np.dtype(dtype)))
