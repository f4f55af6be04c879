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


class Quantities:
    """The table of them."""

    def __init__(self) -> None:
        self.all: list[Quantity] = []
        self.sent: dict[int, list[int]] = {}  # {quantity: gradients that operations sent to it}
        self.gradient_of: dict[int, int] = {}  # {quantity: all of its gradient}
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
        if (number := self.find(thing)) is not None:
            return number
        role, called = "constant", name
        if isinstance(thing, Parameter):
            role, called = "weight" if thing.trainable else "state", thing.name or name
        elif isinstance(thing, Tensor) and thing.requires_grad:
            role, called = "weight", thing.name or name
        number = self.add(as_raw(thing), called, role)
        self.know(thing, number)
        return number

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
        self.sent.setdefault(to, []).append(number)
        return number

    def arrived(self, array: Any, of: int) -> int:
        """The gradient that came together at a quantity: what one operation sent, or the sum of what several
        did, or the seed with which the walk begins.
        """
        if of in self.gradient_of:
            return self.gradient_of[of]
        sent = self.sent.get(of, [])
        if len(sent) == 1:
            self.gradient_of[of] = sent[0]
        else:
            name = f"gradient of {self.all[of].name}"
            self.gradient_of[of] = self.add(array, name, "gradient", of=of, parts=list(sent))
        return self.gradient_of[of]
