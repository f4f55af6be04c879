"""Capture: the launches of a step are noted while it runs, to be repeated.

Between two launches a step runs a great deal of Python (layers, the tape, shapes, allocation) whose outcome is the same
every time. A Capture listens while the step runs as usual and notes each launch. Its `program` then does those launches
again on the same memory, and nothing else:

    capture = Capture()
    with capture:
        y = step(x)                # runs as usual
    x[...] = another_batch
    capture.program.run()          # y holds the result for the other batch

It is the idea of a CUDA graph, on the CPU. It is right for whatever changes arrays through launches alone, at places and
with scalars that do not change; step.py checks that.

**Memory.** While it listens, arrays come from the capture's own blocks, and the block of an array that died is used for
the next one. The program repeats the launches in the same order, so that what was dead then is dead now: it needs no more
memory than the step did, and takes none from the system again.
"""

import signal
import sys
from collections.abc import Callable, Sequence
from contextvars import Token
from functools import partial
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tinynet.kernels import launches
from tinynet.replay.program import Program, place_of
from tinynet.replay.watched import Watched, plain
from tinynet.replay.where import is_own, nearest, outside


class _Lease:
    """Exports a block's memory to the array made from it, which holds the lease for as long as it lives."""

    def __init__(self, block: np.ndarray, size: int, program: Any = None) -> None:
        self.block, self.program = block, program
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


class NotRepeatable(BaseException):
    """Ends a rehearsal: the step does what no program repeats. No `except Exception` of the step's own catches it."""


class Capture:
    """Context in which launches are noted and arrays are taken from blocks of its own.

    One that `rehearses` leaves undone what would outlive the step (`lasting`), and only notes it; `put_back` undoes the rest.
    It raises NotRepeatable where Python looks at numbers that differ from step to step: those of `inputs`, those that were
    computed from them. What a signal handler runs in the meantime is no part of the step, and is neither noted nor left
    undone: see `includes`.
    """

    def __init__(self, rehearses: bool = False, inputs: Sequence[Any] = ()) -> None:
        self.program = Program()
        self.rehearses, self.inputs = rehearses, inputs
        self.touched: dict[int, Any] = {}  # {id: Tensor that was said to change}
        self.numbers_read: list[np.ndarray] = []  # arrays of others whose numbers Python asked for
        self._before: dict[int, tuple[Any, Any, np.ndarray]] = {}  # {id of a Tensor: itself, its array, a copy}
        self._lasting = 0  # how many `lasting` contexts are open
        self._leases: list[_Lease] = []  # the newest last
        self._token: Token[Any] | None = None
        self._frame: FrameType | None = None  # of the function that listens
        self._handlers: set[CodeType] = set()

    def __enter__(self) -> "Capture":
        self._frame, self._handlers = sys._getframe(1), _handlers()
        self._token = launches.listening.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._token is not None
        launches.listening.reset(self._token)
        self._frame = None

    @property
    def changing(self) -> list[np.ndarray]:
        """The arrays that outlive the step and that it may change."""
        return list({**self.program.lasting, **self.told}.values())

    @property
    def told(self) -> dict[Any, np.ndarray]:
        """{place: array} of the Tensors that were said to change."""
        return {place_of(t._data): t._data for t in self.touched.values() if type(t._data) is np.ndarray}

    def put_back(self) -> None:
        """Gives Tensors that were said to change what they held before."""
        for tensor, array, numbers in self._before.values():
            tensor._data = array
            if array.tobytes() != numbers.tobytes():
                array[...] = numbers

    # What a listener has: see kernels/launches.py

    def includes(self, frame: FrameType | None) -> bool:
        """Whether `frame` is part of the step: the listener led to it, and no signal handler did."""
        handled = False
        while frame is not None and frame is not self._frame:
            handled, frame = handled or frame.f_code in self._handlers, frame.f_back
        if frame is None:  # it listens to another thread, or to nothing: an interrupt came just as it began or ended
            launches.listening.set(None)
        return frame is not None and not handled

    def allocate(self, size: int) -> np.ndarray:
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
        self._leases.append(_Lease(block, size, self.program))
        return np.asarray(self._leases[-1])

    def on_launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Keeps a launch, and does it. Its arrays are kept as views of the blocks, which do not count as users of them."""
        args = tuple(map(plain, args))
        if not (self.rehearses and self._lasting):
            with launches.not_listening():  # what a launched function launches itself is part of it
                launches.launch(function, *args, alone=alone)
        self.program.append((function, tuple(self._kept(x) if type(x) is np.ndarray else x for x in args)), alone)

    def on_address(self, x: np.ndarray) -> None:
        """Notes that a launch is given the address of `x`."""
        self.program.addressed.append(self._kept(plain(x)))

    def on_lasting(self, step: int) -> None:
        """Notes that a `lasting` context begins, or ends."""
        self._lasting += step

    def on_changing(self, tensor: Any) -> None:
        """Keeps what `tensor` holds: it is about to change, on numbers that may not count."""
        if id(tensor) not in self._before and type(tensor._data) is np.ndarray:
            self._before[id(tensor)] = tensor, tensor._data, tensor._data.copy()
        self.touched[id(tensor)] = tensor

    def on_changed(self, tensor: Any) -> None:
        """Notes that `tensor` was changed."""
        self.touched[id(tensor)] = tensor

    def on_read(self, array: Any) -> None:
        """Notes that Python looked at the numbers of `array`; if they are other ones at the next step, the rehearsal ends."""
        if type(array) is not np.ndarray:
            return
        if self.rehearses and (self._block(array) is not None or any(np.may_share_memory(array, x) for x in self.inputs)):
            raise NotRepeatable(f"{outside()} looks at the numbers of a Tensor, which are others at each step")
        self.numbers_read.append(array)

    def data_for(self, array: Any, frame: FrameType) -> Any:
        """The array of a Tensor, for who asks for it: watched, if that is somebody else's Python."""
        if not self.rehearses or type(array) is not np.ndarray or is_own(frame.f_code.co_filename):
            return array
        if self._block(array) is None and not any(np.may_share_memory(array, x) for x in self.inputs):
            return array
        return self.watched(array)

    def watched(self, array: np.ndarray) -> np.ndarray:
        """A view of `array` that tells when somebody else's Python computes with it, or looks at it."""
        view = array.view(Watched)
        view.tell = self._computed
        return view

    def _computed(self, what: str) -> None:
        if not is_own(nearest().f_code.co_filename):  # else tinynet does, in a launch or to check what it is given
            self.on_not_repeatable(what)

    def on_not_repeatable(self, what: str) -> None:
        """Ends a rehearsal: what happens now is no launch."""
        if self.rehearses:
            raise NotRepeatable(f"{outside()} {what}")

    def _kept(self, x: np.ndarray) -> np.ndarray:
        block = self._block(x)
        if block is None:
            self.program.give(x, self._lasting > 0)
            return x  # it lives on: a parameter, an input, a constant
        offset = x.__array_interface__["data"][0] - block.__array_interface__["data"][0]
        return np.ndarray(x.shape, x.dtype, block, offset, x.strides)

    def _block(self, x: np.ndarray) -> np.ndarray | None:
        """The block that `x` lies in; None if that is no memory of this capture's."""
        owner = x
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        lease: Any = owner.base
        return lease.block if isinstance(lease, _Lease) and lease.program is self.program else None
