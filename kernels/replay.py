"""Record a step once, then repeat it: the launches of a function, kept with the arrays they ran on.

Between two launches a step runs a great deal of Python (layers, the tape, shapes, allocation) whose outcome is the same
every time. A Recorder listens while the step runs as usual and notes each launch. Its `program` then does those launches
again on the same memory, and nothing else:

    recorder = Recorder()
    with recorder:
        y = step(x)                 # runs as usual
    x[...] = another_batch
    recorder.program.run()          # y holds the result for the other batch

It is the idea of a CUDA graph, on the CPU. It is right for whatever changes arrays through `common.launch` alone, at
places and with scalars that do not change; who records checks that (tinynet/models/replay.py compares the bits).

**Memory.** While it listens, arrays come from the recorder's own blocks, and the block of an array that died is used for
the next one. The program repeats the launches in the same order, so that what was dead then is dead now: it needs no more
memory than the step did, and takes none from the system again.
"""

import signal
import sys
from collections.abc import Callable
from contextvars import Token
from functools import partial
from types import CodeType, FrameType
from typing import Any

import numpy as np

from . import common, threads

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class _Lease:
    """Exports a block's memory to the array made from it, which holds the lease for as long as it lives."""

    def __init__(self, block: np.ndarray, size: int) -> None:
        self.block = block
        self.__array_interface__ = {**block.__array_interface__, "shape": (size,)}


def _held(leases: list[_Lease]) -> list[int]:
    """How many references there are to each lease. Nothing runs when an array dies: it might be interrupted."""
    return [sys.getrefcount(lease) for lease in leases]


_UNUSED = _held([_Lease(np.empty(0, np.uint8), 0)])[0]  # references to a lease that no array holds


def _handlers() -> set[CodeType]:
    """The code of all functions that Python calls when a signal comes."""
    found = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        if callable(handler):
            function = getattr(handler, "__func__", handler)
            found.add(getattr(function, "__code__", getattr(type(handler).__call__, "__code__", None)))
    return {code for code in found if code is not None}


class Program:
    """The launches of one step, in their order: stretches of calls that run on one thread, or on all."""

    def __init__(self) -> None:
        self.stretches: list[tuple[bool, list[Call]]] = []
        self.blocks: list[np.ndarray] = []
        self.addressed: list[np.ndarray] = []  # arrays that launches know by their addresses

    @property
    def bytes(self) -> int:
        """Memory that the program holds for itself."""
        return sum(block.nbytes for block in self.blocks)

    def __len__(self) -> int:
        return sum(len(calls) for _, calls in self.stretches)

    def append(self, call: Call, alone: bool | None) -> None:
        """Adds a launch; None: its function does not divide its loops, so that any stretch will do."""
        if alone is None:
            alone = self.stretches[-1][0] if self.stretches else True
        if not self.stretches or self.stretches[-1][0] != alone:
            self.stretches.append((alone, []))
        self.stretches[-1][1].append(call)

    def run(self) -> None:
        """Does the launches again, on what their arrays hold now."""
        if not threads.ready:
            threads.start()
        for alone, calls in self.stretches:
            threads.cut.value = 1 if alone else threads.pieces
            for function, args in calls:
                function(*args)


class Recorder:
    """Context in which launches are noted and arrays are taken from blocks of its own.

    One that `rehearses` leaves undone what would outlive the step (`lasting`), and only notes it. What a signal handler runs
    in the meantime is no part of the step, and is neither noted nor left undone: see `hears`.
    """

    def __init__(self, rehearses: bool = False) -> None:
        self.program = Program()
        self.rehearses = rehearses
        self.skips = 0  # how many `lasting` contexts are open, if it rehearses: launches are noted only
        self.touched: list[Any] = []  # Tensors that were said to have changed
        self._leases: list[_Lease] = []  # the newest last
        self._token: Token[Any] | None = None
        self._frame: FrameType | None = None  # of the function that listens
        self._handlers: set[CodeType] = set()

    def __enter__(self) -> "Recorder":
        self._frame, self._handlers = sys._getframe(1), _handlers()
        self._token = common.recording.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._token is not None
        common.recording.reset(self._token)
        self._frame = None

    def hears(self, frame: FrameType | None) -> bool:
        """Whether `frame` is part of the step: the listener led to it, and no signal handler did."""
        handled = False
        while frame is not None and frame is not self._frame:
            handled, frame = handled or frame.f_code in self._handlers, frame.f_back
        if frame is None:  # it listens to another thread, or to nothing: an interrupt came just as it began or ended
            common.recording.set(None)
        return frame is not None and not handled

    def memory(self, size: int) -> np.ndarray:
        """`size` bytes: the smallest free block that is not wasted on them, or a new one."""
        fits = [
            i
            for i, held in enumerate(_held(self._leases))
            if held == _UNUSED and size <= self._leases[i].block.size <= 2 * size
        ]
        if fits:
            block = self._leases.pop(min(fits, key=lambda i: (self._leases[i].block.size, -i))).block
        else:
            block = np.empty(size, np.uint8)
            self.program.blocks.append(block)
        self._leases.append(_Lease(block, size))
        return np.asarray(self._leases[-1])

    def launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Does a launch, unless it `skips` them, and notes it. What the function launches itself is part of it."""
        if not self.skips:
            token = common.recording.set(None)
            try:
                function(*args)
            finally:
                common.recording.reset(token)
        self.note(function, args, alone)

    def note(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Keeps a launch. Its arrays are kept as views of the blocks, which do not count as users of them."""
        self.program.append((function, tuple(self._view(x) if type(x) is np.ndarray else x for x in args)), alone)

    def keep(self, x: np.ndarray) -> None:
        """Notes that a launch is given the address of `x`."""
        self.program.addressed.append(self._view(x))

    def _view(self, x: np.ndarray) -> np.ndarray:
        owner = x
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if not isinstance(owner.base, _Lease):
            return x  # it lives on: a parameter, an input, a constant
        block = owner.base.block
        offset = x.__array_interface__["data"][0] - block.__array_interface__["data"][0]
        return np.ndarray(x.shape, x.dtype, block, offset, x.strides)


class _Lasting:
    """Context of launches that change what outlives a step: weights, their averages and statistics, the optimizer's slots.

    A Recorder that `rehearses` notes them without doing them, so that it can record a step on numbers that are not to
    count. Nothing may look at their results within that step.
    """

    def __enter__(self) -> None:
        if (recorder := common.recorder()) is not None and recorder.rehearses:
            recorder.skips += 1

    def __exit__(self, *exception: object) -> None:
        if (recorder := common.recorder()) is not None and recorder.rehearses:
            recorder.skips -= 1


lasting = _Lasting()


def touched(thing: Any) -> None:
    """Tells a step under recording that `thing` has changed."""
    if (recorder := common.recorder()) is not None:
        recorder.touched.append(thing)
