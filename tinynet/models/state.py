"""What a step may change, and other numbers to try it on: with these a recorded step is compared with the tape."""

from typing import Any

import numpy as np

from tinynet.kernels import elementwise


class State:
    """Everything a step may change: parameters, the optimizer's variables, the layers' counts of random draws."""

    def __init__(self, model: Any) -> None:
        self.parameters = model.weights
        self.slots = [] if model.optimizer is None else model.optimizer.variables
        self.drawing = [layer for layer in model._with_all_within() if hasattr(layer, "_draw_count")]

    def read(self) -> list[Any]:
        """Copies of the parameters' and the optimizer's arrays."""
        return [tensor.data.copy() for tensor in (*self.parameters, *self.slots)]

    def holds(self, values: list[Any], touched: list[Any]) -> bool:
        """Whether what a step changes that touches these parameters is what `read` gave."""
        return all(same_bits([array], [value]) for array, value in self._changing(values, touched))

    def write(self, values: list[Any], touched: list[Any]) -> None:
        """Puts back what a step changed that touched these parameters. What it left alone belongs to others: it stays."""
        for array, value in self._changing(values, touched):
            array[...] = value

    def _changing(self, values: list[Any], touched: list[Any]) -> list[tuple[Any, Any]]:
        changed = {id(parameter) for parameter in touched}
        pairs = zip((*self.parameters, *self.slots), values, strict=True)
        slots = {id(slot) for slot in self.slots} if touched else set()
        return [(tensor.data, value) for tensor, value in pairs if id(tensor) in changed or id(tensor) in slots]

    def drawn(self) -> list[int]:
        """The layers' counts of random draws."""
        return [layer._draw_count for layer in self.drawing]

    def draw(self, counts: list[int]) -> None:
        """Sets the counts of random draws."""
        for layer, calls in zip(self.drawing, counts, strict=True):
            layer._draw_count = calls


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
