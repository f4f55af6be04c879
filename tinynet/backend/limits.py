"""Limits: while a model is made from a file, nothing is allocated that the file does not hold.

A description of a few bytes can ask for Dense(10**12). Within `limits.within(elements)` all arrays that are kept have
together at most that many elements, and parameters are zeros, which the file's arrays replace later; layers that do not say
the shape of their output are run on arrays without numbers (layers/trial.py), or, if they are the user's and need numbers,
on small ones; shapes must be of a sane size.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet.backend import device

LONGEST = 1 << 24  # size of one axis
LARGEST = 1 << 28  # elements of a sample
MOST_AXES = 8
UNKNOWN = 96  # what a size that is not known counts as
TRIAL, TRIALS = 1 << 20, 1 << 25  # elements of samples on which a layer of the user's is tried, and all of them together


@dataclass
class _Left:
    """What may still be allocated."""

    kept: int
    tried: int
    zeros: bool


_left: ContextVar[_Left | None] = ContextVar("tinynet_elements_left", default=None)


@contextmanager
def within(elements: int, zeros: bool = True) -> Iterator[None]:
    """Until the end, what is kept has at most `elements` elements together, and parameters begin as zeros if `zeros`."""
    token = _left.set(_Left(elements, TRIALS, zeros))
    try:
        yield
    finally:
        _left.reset(token)


def are_set() -> bool:
    """Whether this is within limits."""
    return _left.get() is not None


def first_value(make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
    """make(shape, dtype=dtype), the first value of a parameter; ValueError if there are too many, within limits."""
    take(shape)
    left = _left.get()
    if left is None or not left.zeros:
        return make(shape, dtype=dtype)
    return device.to_device(np.zeros(shape, dtype))


def take(shape: Sequence[int]) -> None:
    """Within limits: counts an array that will be kept; raises ValueError if there are too many."""
    left = _left.get()
    if left is None:
        return
    left.kept -= math.prod(shape)
    if left.kept < 0:
        raise ValueError(f"an array of shape {tuple(shape)} is larger than what the file holds")


def check_trial(shapes: Sequence[Sequence[Any]]) -> None:
    """Within limits: raises ValueError for a trial run on inputs, of these shapes, that are too large."""
    left = _left.get()
    if left is None:
        return
    size = sum(_elements(shape) for shape in shapes)
    left.tried -= size
    if size > TRIAL or left.tried < 0:
        raise ValueError(
            f"it takes too much memory to find its output's shape by running it on inputs of shapes {list(shapes)}: give the "
            "Lambda an output_shape, the layer a compute_output_shape"
        )


def check_shape(shape: Sequence[Any]) -> None:
    """Within limits: raises ValueError for the shape of a batch whose samples are too large, or no shape at all."""
    if _left.get() is None:
        return
    sizes = shape[1:]
    whole = all(size is None or 0 <= size <= LONGEST for size in sizes)
    if len(shape) > MOST_AXES or not whole or _elements(shape) > LARGEST:
        raise ValueError(f"no model has a tensor of shape {tuple(shape)}")


def _elements(shape: Sequence[Any]) -> int:
    """Elements of one sample."""
    return math.prod(UNKNOWN if size is None else size for size in shape[1:])
