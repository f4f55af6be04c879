"""What functions may be given: formats, axes, sizes, numbers, names. An error says which function, which
argument, what it expects.
"""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.backend.number_format import as_array, common_float, result_type
from tinynet.ops.elementary import cast

_FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}


def floats(*xs: Any) -> tuple[Any, ...]:
    """Operands of one operation as floats of one format, the widest that is among them; see number_format.py.
    All but the first may be None.
    """
    xs = tuple([x if isinstance(x, Tensor) or (x is None and i) else as_array(x) for i, x in enumerate(xs)])
    given = [x.dtype for x in xs if x is not None]
    if given[0] not in _FLOATS or len(set(given)) > 1:
        dtype = common_float(given)
        xs = tuple([x if x is None or x.dtype == dtype else cast(x, dtype=dtype) for x in xs])
    return xs


def in_one_format(*xs: Any) -> tuple[Any, ...]:
    """Operands in the format in which they meet, which may be one of integers."""
    xs = tuple([x if isinstance(x, Tensor) else as_array(x) for x in xs])
    if len({x.dtype for x in xs}) > 1:
        dtype = result_type(*xs)
        xs = tuple([x if x.dtype == dtype else cast(x, dtype=dtype) for x in xs])
    return xs


Axis = int | tuple[int, ...] | None


def integer(name: str, argument: str, value: Any, least: int | None = None) -> int:
    """`value` as an int; TypeError for what is no integer, ValueError for less than `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} must be an integer, got {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{name}: {argument} must be at least {least}, got {value}")
    return int(value)


def integers(name: str, argument: str, values: Any, least: int | None = None) -> tuple[int, ...]:
    """One integer or several, in a list, an array or a Tensor."""
    several = values if isinstance(values, list | tuple) or getattr(values, "ndim", 0) == 1 else (values,)
    plain = [n.item() if getattr(n, "ndim", None) == 0 else n for n in several]
    return tuple(
        [n if type(n) is int and least is None else integer(name, argument, n, least) for n in plain]
    )


def number(name: str, argument: str, value: Any, low: float = -np.inf, high: float = np.inf) -> float:
    """`value` as a float; TypeError for what is no number, ValueError for NaN,
    infinity and outside of low .. high.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: {argument} must be a number, got {value!r}")
    if not low <= float(value) <= high or np.isinf(float(value)):
        limits = "a number"
        if high < np.inf:
            limits = f"between {low} and {high}"
        elif low > -np.inf:
            limits = f"at least {low}"
        if np.isinf(float(value)):
            limits += ", and finite"
        raise ValueError(f"{name}: {argument} must be {limits}, got {value}")
    return float(value)


def existing(name: str, axis: Any, x: Any, argument: str = "axis") -> int:
    """`axis` counted from the front; raises ValueError, naming the function,
    for an axis that `x` does not have.
    """
    axis = axis if type(axis) is int else integer(name, argument, axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name}: {argument} {axis} is out of range for an array of shape {tuple(x.shape)}")
    return axis % x.ndim


def existing_axes(name: str, axes: Any, x: Any, argument: str = "axis") -> tuple[int, ...]:
    """Several axes, counted from the front; raises ValueError for one that `x`
    does not have or that is named twice.
    """
    if isinstance(axes, str) or not isinstance(axes, Iterable):
        raise TypeError(f"{name}: {argument} must be integers, got {axes!r}")
    found = tuple([existing(name, axis, x, argument) for axis in axes])
    if len(set(found)) < len(found):
        raise ValueError(
            f"{name}: {argument} {axes} names one axis twice, for an array of shape {tuple(x.shape)}"
        )
    return found


def reduced_axes(name: str, axis: Any, x: Any, argument: str = "axis") -> Axis:
    """None for all axes, one axis, or several: what a reduction takes."""
    if axis is None:
        return None
    several = isinstance(axis, list | tuple)
    return existing_axes(name, axis, x, argument) if several else existing(name, axis, x, argument)


def pair(name: str, argument: str, value: Any, least: int = 1) -> tuple[int, int]:
    """An int, or two of them, as (height, width)."""
    values = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name}: {argument} must be an int or two of them (height, width), got {value!r}")
    if type(values[0]) is type(values[1]) is int and values[0] >= least and values[1] >= least:
        return values
    return integer(name, argument, values[0], least), integer(name, argument, values[1], least)


def choice(name: str, argument: str, value: Any, known: Iterable[Any]) -> None:
    """Raises ValueError for what is not among `known`."""
    known = tuple(known)
    if not isinstance(value, str | None) or value not in known:
        raise ValueError(f"{name}: {argument} must be one of {known}, got {value!r}")


def rank(name: str, argument: str, x: Any, axes: tuple[str, ...]) -> None:
    """Raises ValueError unless x has as many axes as `axes` names."""
    shape = getattr(x, "shape", ())
    if len(shape) != len(axes):
        raise ValueError(
            f"{name}: {argument} must have the axes ({', '.join(axes)}), got shape {tuple(shape)}"
        )


IMAGES, SEQUENCES, KERNEL = ("N", "H", "W", "C"), ("N", "L", "C"), ("KH", "KW", "C", "F")
