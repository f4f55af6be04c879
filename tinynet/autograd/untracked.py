"""Untracked Tensors: what rules and forwards are given, so that they can be written with operators and functions of `ops`.

An operator of plain arrays is NumPy's. An operator of Tensors is the operation of `ops`: the same number format, memory order
and bits everywhere, repeated in a replayed step, and on the tape if one of the Tensors is tracked. These are not.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tinynet.autograd.tensor import Tensor, as_raw
from tinynet.backend.number_format import as_array, operands


def untracked(x: Any) -> Any:
    """An array as a Tensor that is a constant, each of a tuple or list; numbers, None and Tensors as they are."""
    if type(x) is np.ndarray:
        return Tensor(x)
    if isinstance(x, tuple | list):
        return type(x)([untracked(one) for one in x])
    return Tensor(x) if hasattr(x, "dtype") and not isinstance(x, Tensor | np.generic) else x


def arrays(x: Any) -> Any:
    """The array of a Tensor, each of a tuple; a number as an array."""
    return tuple([arrays(one) for one in x]) if isinstance(x, tuple) else as_array(as_raw(x))


def on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which is written for Tensors, as one of arrays, numbers and lists; its settings stay as they are.

    A number beside an array stays a number, which takes the format of what it meets.
    """

    @wraps(function)
    def run(*inputs: Any, **settings: Any) -> Any:
        return arrays(function(*untracked(operands(*inputs)), **settings))

    return run
