"""Untracked Tensors: functions written with operators and `ops` get Tensors, also where nothing is recorded.

The `*` of two arrays is NumPy's. The `*` of two Tensors is the operation `multiply`: with the same number
format, memory order and bits everywhere, a launch that can be repeated, and recorded on the tape if one of
the Tensors is tracked.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from tinynet.autograd.tensor import Tensor, as_raw
from tinynet.backend.number_format import as_array, operands

Function = TypeVar("Function", bound=Callable[..., Any])


def untracked(x: Any) -> Any:
    """An array as a constant Tensor, each of a tuple or list too; numbers, None and Tensors as they are."""
    if type(x) is np.ndarray:
        return Tensor(x)
    if x is None or type(x) is Tensor:
        return x
    if isinstance(x, tuple | list):
        return type(x)([Tensor(one) if type(one) is np.ndarray else untracked(one) for one in x])
    return Tensor(x) if hasattr(x, "dtype") and not isinstance(x, Tensor | np.generic) else x


def arrays(x: Any) -> Any:
    """The array of a Tensor, each of a tuple; a number as an array."""
    if type(x) is Tensor:
        return x._data
    return tuple([arrays(one) for one in x]) if isinstance(x, tuple) else as_array(as_raw(x))


def on_tensors(function: Callable[..., Any], count: int | None = None) -> Callable[..., Any]:
    """`function` of Tensors as one of arrays, numbers and lists:
    its first `count` arguments (None: all by place).

    A number beside an array stays a number, which takes the format of what it meets.
    """

    @wraps(function)
    def run(*args: Any, **settings: Any) -> Any:
        others = args[count:] if count else ()
        return arrays(function(*untracked(operands(*args[:count])), *others, **settings))

    return run


def composition(function: Function) -> Function:
    """Decorator: a function composed of operators and functions of `ops`,
    which takes arrays, lists, numbers too.

    Its inputs are the parameters without a default, and Tensors within.
    If none was one before, it gives arrays.

    >>> @composition
    ... def shrink(x, by=0.5):
    ...     return x - ops.clip(x, -by, by)
    >>> shrink([-1.0, 0.25])
    array([-0.5,  0. ], dtype=float32)
    """
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    count = len(names)
    on_arrays = on_tensors(function, count)

    @wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        while len(args) < count and names[len(args)] in settings:
            args = (*args, settings.pop(names[len(args)]))
        inputs = args[:count]
        tensors = [isinstance(x, Tensor) for x in inputs]
        if True not in tensors:
            return on_arrays(*args, **settings)
        if False in tensors:
            raw = operands(*[as_raw(x) for x in inputs])
            pairs = zip(inputs, raw, strict=True)
            inputs = tuple([x if isinstance(x, Tensor) else untracked(y) for x, y in pairs])
        return function(*inputs, *args[count:], **settings)

    return call  # type: ignore[return-value]
