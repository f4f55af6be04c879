"""What a step may change, and other numbers to try it on: with these a recorded step is compared with the tape."""

from typing import Any

import numpy as np

from tinynet.kernels import elementwise


class State:
    """Everything a step may change: parameters, the optimizer's variables, the layers' counts of random draws."""

    def __init__(self, model: Any) -> None:
        slots = [] if model.optimizer is None else model.optimizer.variables
        self.arrays = [tensor.data for tensor in [*model.weights, *slots]]
        self.drawing = [layer for layer in model.with_all_within() if hasattr(layer, "calls")]

    def read(self) -> list[Any]:
        return [array.copy() for array in self.arrays] + self.drawn()

    def drawn(self) -> list[int]:
        """The layers' counts of random draws."""
        return [layer.calls for layer in self.drawing]

    def write(self, values: list[Any]) -> None:
        for array, value in zip(self.arrays, values[: len(self.arrays)], strict=True):
            array[...] = value
        for layer, calls in zip(self.drawing, values[len(self.arrays) :], strict=True):
            layer.calls = calls


def copy_of(array: np.ndarray) -> np.ndarray:
    """A copy of `array`, in memory of the same order."""
    copy = elementwise.like(array, array.shape, array.dtype)
    copy[...] = array
    return copy


def scaled(array: Any) -> Any:
    """Other numbers of the same kind, for inputs and weights of samples."""
    if array is None:
        return None
    copy = copy_of(array)
    if array.dtype.kind == "f":
        copy *= 0.75
        copy += 0.125
    return copy


def exchanged(array: Any) -> Any:
    """Other targets that are possible where these are: those of the neighbours, or all 0 or 1 if they are equal."""
    if array is None:
        return None
    copy = copy_of(array)
    for other in (np.roll(array, 1, axis=0), 0, 1):
        copy[...] = other
        if not np.array_equal(copy, array):
            break
    return copy


def same_bits(found: Any, expected: Any) -> bool:
    """Whether all values have the same bits."""
    return all(
        a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b for a, b in zip(found, expected, strict=True)
    )
