"""Program: the launches of one step, which are done again, in their order and on the same memory."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinynet.kernels import threads

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class Program:
    """The launches of one step, in their order: stretches of calls that run on one thread, or on all.

    blocks     memory of its own, in which the results lie that the launches hand to one another
    addressed  arrays that launches know by their addresses
    given      all other arrays that launches get: parameters, slots, constants, each once. This is what a step may read or
               change besides its own memory
    lasting    those of them that launches get which change what outlives a step
    objects    what launched functions change besides arrays: things with `taken` and `put_back`, such as metrics
    """

    def __init__(self) -> None:
        self.stretches: list[tuple[bool, list[Call]]] = []
        self.blocks: list[np.ndarray] = []
        self.addressed: list[np.ndarray] = []
        self.given: dict[Any, np.ndarray] = {}
        self.lasting: dict[Any, np.ndarray] = {}
        self.objects: list[Any] = []

    @property
    def bytes(self) -> int:
        """Memory that the program holds for itself."""
        return sum(block.nbytes for block in self.blocks)

    def __len__(self) -> int:
        return sum(len(calls) for _, calls in self.stretches)

    def calls(self) -> Iterable[Call]:
        """The launches, in their order."""
        return (call for _, calls in self.stretches for call in calls)

    def append(self, call: Call, alone: bool | None) -> None:
        """Adds a launch; None: its function does not divide its loops, so that any stretch will do."""
        if alone is None:
            alone = self.stretches[-1][0] if self.stretches else True
        if not self.stretches or self.stretches[-1][0] != alone:
            self.stretches.append((alone, []))
        self.stretches[-1][1].append(call)
        if (thing := getattr(call[0], "changes", None)) is not None and thing not in self.objects:
            self.objects.append(thing)

    def give(self, x: np.ndarray, lasting: bool) -> None:
        """Takes note of an array that lies in other memory than the blocks."""
        key = place_of(x)
        self.given.setdefault(key, x)
        if lasting:
            self.lasting.setdefault(key, x)

    def run(self) -> None:
        """Does the launches again, on what their arrays hold now."""
        if not threads.ready:
            threads.start()
        for alone, calls in self.stretches:
            threads.cut.value = 1 if alone else threads.pieces
            for function, args in calls:
                function(*args)


def place_of(x: np.ndarray) -> Any:
    """Where an array lies and how: the same for two objects that are the same numbers."""
    return x.__array_interface__["data"][0], x.shape, x.strides, x.dtype
