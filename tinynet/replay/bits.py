"""Bits: copies of arrays, comparisons of all their bits, and other numbers to try a step on."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.kernels import elementwise
from tinynet.tree import leaves


def copy_of(array: np.ndarray) -> np.ndarray:
    """A copy of `array`, in memory of the same order."""
    copy = elementwise.like(array, array.shape, array.dtype)
    copy[...] = array
    return copy


def copies(arrays: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Copies of arrays that stay where they are."""
    return [array.copy() for array in arrays]


def put_back(arrays: Iterable[np.ndarray], numbers: Sequence[np.ndarray]) -> None:
    """Gives the arrays the numbers that they had."""
    for array, before in zip(arrays, numbers, strict=True):
        if array.flags.writeable:
            array[...] = before


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same bits: arrays, Tensors, numbers; other objects if they are equal."""
    a, b = as_raw(a), as_raw(b)
    if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        if not isinstance(a, np.ndarray | np.generic):  # a number that a program gives as an array of shape ()
            return isinstance(a, int | float) and np.asarray(a, b.dtype).tobytes() == b.tobytes()
        if not isinstance(b, np.ndarray | np.generic):
            return same(b, a)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float) and isinstance(b, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return a is b or bool(a == b)


def different(found: Any, expected: Any) -> list[int]:
    """The places at which two structures of values do not have the same bits."""
    pairs = zip(leaves(found), leaves(expected), strict=True)
    return [i for i, (a, b) in enumerate(pairs) if not same(a, b)]


def scaled(array: Any) -> Any:
    """Other numbers of the same kind, for inputs and weights of samples."""
    if array is None:
        return None
    copy = copy_of(array)
    if array.dtype.kind == "f":
        copy *= 0.75
        copy += 0.125
    return copy


def exchanged(array: Any, by: int = 1) -> Any:
    """Other targets that are possible where these are: those of other samples, or all 0 or 1 if they are equal."""
    if array is None:
        return None
    copy = copy_of(array)
    for other in (np.roll(array, by, axis=0) if array.ndim else array, 0, 1):
        copy[...] = other
        if not np.array_equal(copy, array):
            break
    return copy


def others(arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Other numbers of the same kind for each of `arrays`: labels and whole numbers of other samples, other fractions.

    The arrays are turned by different amounts, so that no sample keeps its label.
    """
    return tuple([scaled(x) if _has_fractions(x) else exchanged(x, i + 1) for i, x in enumerate(arrays)])


def _has_fractions(array: Any) -> bool:
    return array is not None and array.dtype.kind == "f" and bool((array != np.floor(array)).any())


def held(value: Any) -> Any:
    """What of an output stays when its memory is used again: a copy of an array, the rest as it is."""
    value = as_raw(value)
    return copy_of(value) if type(value) is np.ndarray else value
