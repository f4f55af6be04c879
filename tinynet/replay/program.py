"""Program: the launches of one step, repeated in their order and on the same memory."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinynet.kernels import threads
from tinynet.kernels.loops import compiled_for

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class Program:
    """The launches of one step, in their order, as stretches: calls in a row that use one thread, or all.

    blocks     its own memory, for the results that one launch leaves to another
    addressed  arrays whose addresses launches are given
    given      all other arrays that launches are given: parameters, slots, constants, each once. The step
               reads and changes these, and its own memory, and nothing else
    lasting    those of them that are given to launches which change what outlives a step
    objects    what launched functions change besides arrays: objects with `taken` and `put_back`: metrics
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

    def leaves_room(self) -> bool:
        """Whether there is as much free memory as the step needs without it."""
        return True

    def calls(self) -> Iterable[Call]:
        """The launches, in their order."""
        return (call for _, calls in self.stretches for call in calls)

    def append(self, call: Call, alone: bool | None) -> None:
        """Adds a launch. alone=None: the function does not divide its loops,
        and joins the current stretch.
        """
        if alone is None:
            alone = self.stretches[-1][0] if self.stretches else True
        if not self.stretches or self.stretches[-1][0] != alone:
            self.stretches.append((alone, []))
        function, args = call
        self.stretches[-1][1].append((compiled_for(function, args), args))
        if (thing := getattr(function, "changes", None)) is not None and thing not in self.objects:
            self.objects.append(thing)

    def give(self, x: np.ndarray, lasting: bool) -> None:
        """Adds an array that is not in the blocks."""
        key = place_of(x)
        self.given.setdefault(key, x)
        if lasting:
            self.lasting.setdefault(key, x)

    def run(self) -> None:
        """Repeats the launches on the numbers that their arrays hold now."""
        if not threads.ready:
            threads.start()
        for alone, calls in self.stretches:
            threads.cut.value = 1 if alone else threads.pieces
            for function, args in calls:
                function(*args)


def place_of(x: Any) -> Any:
    """Address, shape, strides and dtype: equal for two array objects that show the same memory."""
    there = type(x) is not np.ndarray  # an array of a GPU
    return x.data.ptr if there else x.__array_interface__["data"][0], x.shape, x.strides, x.dtype, there
