"""Abstract arrays: a shape and a dtype without numbers, and the functions of NumPy on them,
which work out shapes alone.

    y = ops.softmax(Tensor(abstract_arrays.Array((2, 2**24, 3), "float32")))
    y.shape   # (2, 16777216, 3); nothing was computed

This package is an array module like NumPy and CuPy (`kernels.common.xp` finds it): kernels run on it by their
references. So it is known what shape an operation gives before a number is computed or a byte taken, whatever
the sizes are. What depends on the numbers themselves (a mask as an index, float(x)) is a TypeError.

    array.py      Array, its operators and methods
    functions.py  NumPy's functions by name
    shapes.py     what they do to shapes: axes, indices
"""

import sys
from typing import Any

import numpy as np

from tinynet.backend.abstract_arrays.array import FUNCTIONS, Array
from tinynet.backend.abstract_arrays.functions import rule

__all__ = ["FUNCTIONS", "Array", "rule"]
Array.array_module = sys.modules[__name__]


def __getattr__(name: str) -> Any:
    # dtypes, constants, and what needs no Array
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(np, name)
