"""Bits: copies of arrays, comparisons of all their bits, and other numbers for the trial run of a step."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw
from tinynet.backend import device
from tinynet.kernels import elementwise
from tinynet.kernels.common import is_on_gpu
from tinynet.replay.structure import leaves
from tinynet.replay.values import PLAIN


def is_array(x: Any) -> bool:
    """Whether x is an array that a step can be repeated on: NumPy's, or one of a GPU."""
    return type(x) is np.ndarray or is_on_gpu(x)


def copy_of(array: Any) -> Any:
    """A copy of `array`, in memory of the same order."""
    if is_on_gpu(array):
        return array.astype(array.dtype)  # copy() does not keep the order
    copy = elementwise.like(array, array.shape, array.dtype)
    copy[...] = array
    return copy


def copies(arrays: Iterable[Any]) -> list[Any]:
    """Copies of arrays, to put their numbers back later."""
    return [array.copy() for array in arrays]


def write(into: Any, array: Any) -> None:
    """into[...] = array, of the same shape: an array of a GPU, from the host too."""
    order = elementwise.memory_order(into)  # CuPy is fast where what it writes is in C order
    into.transpose(order)[...] = device.to_device(array).transpose(order)


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays may have elements in common."""
    if type(a) is np.ndarray and type(b) is np.ndarray:
        return np.may_share_memory(a, b)
    if not (is_on_gpu(a) and is_on_gpu(b)):
        return False
    (first, end), (start, last) = _extent(a), _extent(b)
    return first < last and start < end


def _extent(x: Any) -> tuple[int, int]:
    """The addresses between which an array of a GPU lies."""
    first = x.data.ptr
    return first, first + x.itemsize * (
        1 + sum(s // x.itemsize * (n - 1) for s, n in zip(x.strides, x.shape, strict=True))
    )


def put_back(arrays: Iterable[np.ndarray], numbers: Sequence[np.ndarray]) -> None:
    """Writes into each array the numbers that it had before."""
    for array, before in zip(arrays, numbers, strict=True):
        if is_on_gpu(array) or array.flags.writeable:
            array[...] = before


class Snapshot:
    """The numbers that arrays and objects outside of a program have at one moment.

    objects   with `taken`, `put_back` and `same`, such as metrics
    """

    def __init__(self, arrays: list[Any], objects: list[Any]) -> None:
        self.arrays, self.objects = arrays, objects
        self.numbers, self.contents = copies(arrays), [thing.taken() for thing in objects]

    def put_back(self, places: list[int]) -> None:
        """Gives the objects, and the arrays at these places of the list, what they had at that moment."""
        put_back([self.arrays[i] for i in places], [self.numbers[i] for i in places])
        for thing, contents in zip(self.objects, self.contents, strict=True):
            thing.put_back(contents)

    def changed_objects(self) -> list[Any]:
        """The objects that have other contents now."""
        pairs = zip(self.objects, self.contents, strict=True)
        return [thing for thing, contents in pairs if not thing.same(thing.taken(), contents)]


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same bits: arrays, Tensors, numbers, strings;
    of other objects, one and the same.
    """
    a, b = (device.to_host(x) if is_on_gpu(x) else x for x in map(as_raw, (a, b)))
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
    odd = [
        type(x).__name__
        for x in leaves(outputs)
        if not (isinstance(x, known) or is_on_gpu(x) or type(x) in PLAIN)
    ]
    return (
        f"it returns an object of class {odd[0]}; return arrays, Tensors, and lists or dictionaries of them"
        if odd
        else ""
    )


def kept_output(value: Any) -> Any:
    """An output that later steps do not overwrite: a copy of an array, anything else as it is."""
    value = as_raw(value)
    return copy_of(value) if is_array(value) else value
