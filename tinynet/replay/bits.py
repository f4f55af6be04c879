"""Bits: copies of arrays, comparisons of all their bits, and other numbers for the trial run of a step."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw
from tinynet.kernels import elementwise
from tinynet.replay.structure import leaves
from tinynet.replay.values import PLAIN


def copy_of(array: np.ndarray) -> np.ndarray:
    """A copy of `array`, in memory of the same order."""
    copy = elementwise.like(array, array.shape, array.dtype)
    copy[...] = array
    return copy


def copies(arrays: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Copies of arrays, to put their numbers back later."""
    return [array.copy() for array in arrays]


def put_back(arrays: Iterable[np.ndarray], numbers: Sequence[np.ndarray]) -> None:
    """Writes into each array the numbers that it had before."""
    for array, before in zip(arrays, numbers, strict=True):
        if array.flags.writeable:
            array[...] = before


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same bits: arrays, Tensors, numbers, strings;
    of other objects, one and the same.
    """
    a, b = as_raw(a), as_raw(b)
    if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        # a number that a program gives as an array of shape ()
        if not isinstance(a, np.ndarray | np.generic):
            return isinstance(a, int | float) and np.asarray(a, b.dtype).tobytes() == b.tobytes()
        if not isinstance(b, np.ndarray | np.generic):
            return same(b, a)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float) and isinstance(b, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return a is b or (type(a) is type(b) and type(a) in PLAIN and a == b)


def different(found: Any, expected: Any) -> list[int]:
    """The positions at which two structures of values have different bits."""
    pairs = zip(leaves(found), leaves(expected), strict=True)
    return [i for i, (a, b) in enumerate(pairs) if not same(a, b)]


def other_inputs(array: Any) -> Any:
    """Other numbers of the same shape and dtype, for inputs and weights of samples."""
    if array is None:
        return None
    copy = copy_of(array)
    if array.dtype.kind == "f":
        copy *= 0.75
        copy += 0.125
    return copy


def other_targets(array: Any, by: int = 1) -> Any:
    """Other valid targets: those of other samples, or all 0 or all 1 if the samples have equal ones."""
    if array is None:
        return None
    copy = copy_of(array)
    for other in (np.roll(array, by, axis=0) if array.ndim else array, 0, 1):
        copy[...] = other
        if not np.array_equal(copy, array):
            break
    return copy


def other_numbers(arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Other numbers for each of `arrays`: fractions are scaled, whole numbers taken from other samples.

    Each array is shifted by a different number of samples, so that no sample keeps its label.
    """
    return tuple(
        [other_inputs(x) if _has_fractions(x) else other_targets(x, i + 1) for i, x in enumerate(arrays)]
    )


def _has_fractions(array: Any) -> bool:
    return array is not None and array.dtype.kind == "f" and bool((array != np.floor(array)).any())


def unknown(outputs: Any) -> str:
    """Whether there are results that no program can give, in words."""
    known = (np.ndarray, np.generic, Tensor)
    odd = [type(x).__name__ for x in leaves(outputs) if not isinstance(x, known) and type(x) not in PLAIN]
    return (
        f"it returns an object of class {odd[0]}; return arrays, Tensors, and lists or dictionaries of them"
        if odd
        else ""
    )


def kept_output(value: Any) -> Any:
    """An output that later steps do not overwrite: a copy of an array, anything else as it is."""
    value = as_raw(value)
    return copy_of(value) if type(value) is np.ndarray else value
