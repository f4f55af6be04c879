"""Elementary functions of every element. Integers become floats of `config.floatx()` first."""

import numpy as np

from tinynet.autograd import primitive
from tinynet.backend.number_format import to_float
from tinynet.kernels.common import xp
from tinynet.ops.attach import method


@primitive
def exp(x):
    """e**x."""
    return xp(x).exp(to_float(x))


@exp.vjp
def _(grad, y):
    return grad * y


@primitive
def log(x):
    """Natural logarithm; -inf at 0, where the derivative 1 / x is infinite."""
    return xp(x).log(to_float(x))


@log.vjp
def _(grad, x):
    return grad / x


@primitive
def log1p(x):
    """log(1 + x), exact for small x."""
    return xp(x).log1p(to_float(x))


@log1p.vjp
def _(grad, x):
    return grad / (1 + x)


@primitive
def sqrt(x):
    """Square root; its derivative 1 / (2 sqrt(x)) is infinite at 0."""
    return xp(x).sqrt(to_float(x))


@sqrt.vjp
def _(grad, y):
    return grad / (2 * y)


@primitive
def square(x):
    """x**2."""
    return x * x


@square.vjp
def _(grad, x):
    return grad * (2 * x)


@primitive
def sin(x):
    """Sine."""
    return xp(x).sin(to_float(x))


@sin.vjp
def _(grad, x):
    return grad * cos(x)


@primitive
def cos(x):
    """Cosine."""
    return xp(x).cos(to_float(x))


@cos.vjp
def _(grad, x):
    return -grad * sin(x)


@primitive
def abs(x):
    """|x|, with derivative 0 at 0."""
    return xp(x).abs(x)


@abs.vjp
def _(grad, x):
    return grad * sign(x)


method("__abs__", abs)


@primitive
def sign(x):
    """-1, 0 or 1; its derivative is 0 everywhere."""
    return xp(x).sign(x)


@sign.vjp
def _(grad):
    return grad * 0.0


@primitive
def cast(x, *, dtype):
    """x in another number format."""
    return x.astype(dtype)


@cast.vjp
def _(grad):
    return grad  # the engine brings it back into the format of x


method("astype", lambda x, dtype: cast(x, dtype=np.dtype(dtype)))
