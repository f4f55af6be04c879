"""Quantities: which array of a step is which.

A Tensor may be wrapped anew on its way (detach, a layer that is given an array), so an array is known by
itself too. Everything is kept alive, and copied when it is first seen: later changes in place are not ours.
"""

from typing import Any

import numpy as np

from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import device
from tinynet.explorer.recording import Quantity

# Of primitives with several outputs, what these are called.
OUTPUTS = {
    "normalise": ("y", "mean", "var"),
    "normalise_and_drop": ("y", "mean", "var", "bits"),
    "max_pool": ("y", "winner"),
    "drop": ("y", "bits"),
    "softmax_crossentropy": ("loss", "p"),
}

CHANGED = "It was changed by train_step, or comes from a walk back that is not shown."


class Quantities:
    """The table of them."""

    def __init__(self) -> None:
        self.all: list[Quantity] = []
        self.walk = 0  # how many walks back have begun
        self.sent: dict[int, dict[int, list[int]]] = {}  # {quantity: {walk: gradients sent to it}}
        self._sums: dict[tuple[int, ...], int] = {}  # {gradients that were sent: their sum}
        self._known: dict[int, int] = {}  # {id of a Tensor or an array: quantity}
        self._alive: list[Any] = []

    def add(self, array: Any, name: str, role: str, **more: Any) -> int:
        """A new quantity; `array` may be a number, or None for what was not kept."""
        copied = None if array is None else np.array(device.to_host(array), order="C")
        known = more.pop("form", None)
        shape, dtype = known if copied is None else (copied.shape, str(copied.dtype))
        self.all.append(Quantity(len(self.all), name, role, copied, shape, dtype, **more))
        return len(self.all) - 1

    def know(self, thing: Any, number: int) -> None:
        """`thing`, a Tensor or an array, is this quantity."""
        self._alive.append(thing)
        self._known[id(thing)] = number
        if isinstance(thing, Tensor):
            self._alive.append(thing._data)
            self._known.setdefault(id(thing._data), number)

    def find(self, thing: Any) -> int | None:
        """Which quantity a Tensor or an array is, if it was seen before."""
        return self._known.get(id(thing), self._known.get(id(as_raw(thing))))

    def of(self, thing: Any, name: str) -> int:
        """The quantity of a Tensor or an array; a new one, if it was not seen before."""
        number, note = self.find(thing), ""
        if number is not None:
            known = self.all[number].array
            if not isinstance(thing, Parameter) or same_bits(known, device.to_host(as_raw(thing))):
                return number
            note = "It was changed within the step by what is no operation, an assignment say."
        role, called = "constant", name
        if isinstance(thing, Parameter):
            role, called = "weight" if thing.trainable else "state", thing.name or name
        elif isinstance(thing, Tensor) and thing.requires_grad:
            role, called = "weight", thing.name or name
        number = self.add(as_raw(thing), called, role, note=note)
        self.renew(thing, number)
        return number

    def renew(self, thing: Any, number: int) -> None:
        """`thing`, whose memory an update may have changed in place, is this quantity from now on."""
        self.know(thing, number)
        self._known[id(as_raw(thing))] = number

    def result(self, thing: Any, name: str, operation: int, place: int) -> int:
        """The quantity of what an operation gave: a new one, unless it hands on what it was given."""
        if isinstance(thing, Tensor) and (known := self._known.get(id(thing))) is not None:
            return known
        number = self.add(as_raw(thing), name, "value", made_by=("forward", operation, place))
        self.know(thing, number)
        self._known[id(as_raw(thing))] = number
        return number

    def send(self, array: Any, to: int, operation: int, place: int) -> int:
        """The gradient that the rule of an operation sends to the quantity `to`."""
        name = f"gradient of {self.all[to].name}"
        number = self.add(array, name, "gradient", of=to, made_by=("backward", operation, place))
        self.sent.setdefault(to, {}).setdefault(self.walk, []).append(number)
        return number

    def seed(self, array: Any, of: int) -> None:
        """A gradient with which a walk begins."""
        number = self.add(array, f"gradient of {self.all[of].name}", "gradient", of=of)
        self.sent.setdefault(of, {}).setdefault(self.walk, []).append(number)

    def arrived(self, array: Any, of: int) -> int:
        """The gradient `array` of a quantity: what one operation, or the seed of a walk, sent to it, or the
        sum of what several did; if its bits are others, something outside of operations has changed it.
        """
        name, found = f"gradient of {self.all[of].name}", device.to_host(array)
        for sent in reversed(self.sent.get(of, {}).values()):
            if same_bits(self._sum(sent), found):
                if len(sent) == 1:
                    return sent[0]
                if tuple(sent) not in self._sums:
                    self._sums[tuple(sent)] = self.add(array, name, "gradient", of=of, parts=list(sent))
                return self._sums[tuple(sent)]
        return self.add(array, name, "gradient", of=of, note=CHANGED)

    def _sum(self, numbers: list[int]) -> Any:
        """Added in the order in which they arrived, as the walk does."""
        first, *others = [np.asarray(self.all[number].array) for number in numbers]
        return sum(others, first)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays are the same, bit by bit."""
    return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
