"""Comparisons and logic: their results are Tensors of booleans, which are constants on the tape."""

import numpy as np

from tinynet.autograd import Tensor, primitive
from tinynet.kernels.elementwise import apply
from tinynet.ops.attach import method, operator


def _compare(ufunc, a, b):
    return apply(ufunc, a, b, dtype=np.dtype(bool))


@primitive
def equal(a, b):
    """a == b, element by element."""
    return _compare(np.equal, a, b)


@primitive
def not_equal(a, b):
    """a != b."""
    return _compare(np.not_equal, a, b)


@primitive
def less(a, b):
    """a < b."""
    return _compare(np.less, a, b)


@primitive
def less_equal(a, b):
    """a <= b."""
    return _compare(np.less_equal, a, b)


@primitive
def greater(a, b):
    """a > b."""
    return _compare(np.greater, a, b)


@primitive
def greater_equal(a, b):
    """a >= b."""
    return _compare(np.greater_equal, a, b)


@primitive
def logical_and(a, b):
    """a & b of booleans (of integers: bit by bit)."""
    return a & b


@primitive
def logical_or(a, b):
    """a | b of booleans (of integers: bit by bit)."""
    return a | b


@primitive
def logical_not(x):
    """~x of booleans (of integers: bit by bit)."""
    return ~x


for _name, _function in [
    ("eq", equal), ("ne", not_equal), ("lt", less), ("le", less_equal), ("gt", greater), ("ge", greater_equal)
]:  # fmt: skip
    method(f"__{_name}__", _function)
operator("and", logical_and)
operator("or", logical_or)
method("__invert__", logical_not)
setattr(Tensor, "__hash__", object.__hash__)  # noqa: B010  by identity, although == compares elements: the tape keeps Tensors in dictionaries
