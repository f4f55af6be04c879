"""Comparisons and logic: their results are Tensors of booleans, which are constants on the tape."""

from functools import wraps

import numpy as np

from tinynet.autograd import Tensor, array_primitive
from tinynet.backend.number_format import align, as_array
from tinynet.kernels.elementwise import apply
from tinynet.ops.methods import method, operator


def _compare(ufunc, a, b):
    whole = all(hasattr(x, "dtype") and x.dtype.kind != "f" for x in (a, b))
    # integers are compared exactly
    return apply(ufunc, *((a, b) if whole else align(a, b)), dtype=np.dtype(bool))


@array_primitive
def equal(x1, x2):
    """x1 == x2, element by element."""
    return _compare(np.equal, x1, x2)


@array_primitive
def not_equal(x1, x2):
    """x1 != x2."""
    return _compare(np.not_equal, x1, x2)


@array_primitive
def less(x1, x2):
    """x1 < x2."""
    return _compare(np.less, x1, x2)


@array_primitive
def less_equal(x1, x2):
    """x1 <= x2."""
    return _compare(np.less_equal, x1, x2)


@array_primitive
def greater(x1, x2):
    """x1 > x2."""
    return _compare(np.greater, x1, x2)


@array_primitive
def greater_equal(x1, x2):
    """x1 >= x2."""
    return _compare(np.greater_equal, x1, x2)


@array_primitive
def logical_and(x1, x2):
    """Where x1 and x2 are both true; of numbers 0 is false, all others are true."""
    return _compare(np.logical_and, x1, x2)


@array_primitive
def logical_or(x1, x2):
    """Where x1 or x2 is true, or both."""
    return _compare(np.logical_or, x1, x2)


@array_primitive
def logical_not(x):
    """Where x is false."""
    return apply(np.logical_not, as_array(x), dtype=np.dtype(bool))


@array_primitive
def bitwise_and(x1, x2):
    """x1 & x2, bit by bit; of booleans where both are true."""
    return apply(np.bitwise_and, as_array(x1), as_array(x2))


@array_primitive
def bitwise_or(x1, x2):
    """x1 | x2, bit by bit; of booleans where one of them is true, or both."""
    return apply(np.bitwise_or, as_array(x1), as_array(x2))


@array_primitive
def bitwise_not(x):
    """~x, bit by bit; of booleans where x is false."""
    return apply(np.bitwise_not, as_array(x))


def _unless_alien(function):
    """`function`, and for what holds no numbers (None, a string) Python's own answer: it is not equal."""

    @wraps(function)
    def compare(x1, x2):
        try:
            return function(x1, x2)
        except TypeError:
            return NotImplemented

    return compare


for _name, _function in [
    ("eq", _unless_alien(equal)), ("ne", _unless_alien(not_equal)),
    ("lt", less), ("le", less_equal), ("gt", greater), ("ge", greater_equal),
]:  # fmt: skip
    method(f"__{_name}__", _function)
operator("and", bitwise_and)
operator("or", bitwise_or)
method("__invert__", bitwise_not)
setattr(Tensor, "__hash__", object.__hash__)  # noqa: B010  by identity, although == compares elements: the tape keeps Tensors in dictionaries
