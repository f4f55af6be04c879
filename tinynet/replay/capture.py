"""Capture: keeps the launches of a step while it runs, so that they can be repeated.

Between two launches a step runs a great deal of Python (layers, the tape, shapes, allocation), and its
outcome is the same every time. A Capture is a listener (kernels/launches.py): while the step runs as usual,
it keeps each launch. Its `program` repeats these launches on the same memory, without the Python:

    capture = Capture()
    with capture:
        y = step(x)                # runs as usual
    x[...] = another_batch
    capture.program.run()          # y holds the result for the other batch

This is what a CUDA graph is on a GPU. It is right for a step that changes arrays in launches alone, and
that launches the same functions with the same scalars on the same arrays each time; step.py checks that.

**Memory.** During a capture new arrays come from the capture's own blocks. When an array is no longer in
use, its block is used for the next one. The program repeats the launches in the same order, so an array
that was out of use at some point is out of use at the same point again. The program needs as much memory as
the step did, and allocates nothing.
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
from tinynet.replay.bits import is_array
from tinynet.replay.program import Program, place_of
from tinynet.replay.watched import Watched, plain
from tinynet.replay.where import is_own, nearest, outside


class _Lease:
    """Gives the memory of a block to one array. The array refers to the lease for as long as it exists."""

    def __init__(self, block: np.ndarray, size: int, program: Any = None) -> None:
        self.block, self.program = block, program
        self.__array_interface__ = {**block.__array_interface__, "shape": (size,)}


def _references(leases: list[_Lease]) -> list[int]:
    """The number of references to each lease. (A finalizer would be simpler; a signal could interrupt it.)"""
    return [sys.getrefcount(lease) for lease in leases]


_UNUSED = _references([_Lease(np.empty(0, np.uint8), 0)])[0]  # references to one whose array no longer exists


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
    """Ends a trial run of a step that no program can repeat. `except Exception` does not catch it."""


class Capture:
    """Context that keeps the launches of a step in `program`, and takes new arrays from blocks of its own.

    rehearses   makes it a trial run: launches that change what outlives the step (`lasting`) are kept but not
                run, and `put_back` undoes all other changes. NotRepeatable is raised where Python reads
                numbers that differ from step to step
    inputs      the arrays that hold such numbers; results computed from them do too

    What a signal handler runs in the meantime is not part of the step: it is not kept, and is run: see
    `includes`.
    """

    repeats = True

    def __init__(self, rehearses: bool = False, inputs: Sequence[Any] = ()) -> None:
        self.program = Program()
        self.rehearses, self.inputs = rehearses, inputs
        self.touched: dict[int, Any] = {}  # {id: Tensor that the step changes}
        self.numbers_read: list[np.ndarray] = []  # arrays outside of the blocks of which Python read numbers
        self.handed_out: list[np.ndarray] = []  # arrays outside of the blocks that the user's Python has got
        # {id of a Tensor: itself, its array, a copy}
        self._before: dict[int, tuple[Any, Any, np.ndarray]] = {}
        self._lasting_depth = 0  # how many `lasting` contexts are open
        self._leases: list[_Lease] = []  # the newest last
        self._token: Token[Any] | None = None
        self._frame: FrameType | None = None  # of the function that opened the context
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
        return list({**self.program.lasting, **self.touched_arrays}.values())

    @property
    def touched_arrays(self) -> dict[Any, np.ndarray]:
        """{place: array} of the Tensors that the step changes."""
        return {place_of(t._data): t._data for t in self.touched.values() if is_array(t._data)}

    def put_back(self) -> None:
        """Gives the Tensors that the step changed the arrays and numbers that they had before."""
        for tensor, array, numbers in self._before.values():
            tensor._data = array
            if array.tobytes() != numbers.tobytes():
                array[...] = numbers

    # The methods of a listener: see kernels/launches.py

    def includes(self, frame: FrameType | None) -> bool:
        """Whether `frame` is part of the step: called within the context, and not by a signal handler."""
        handled = False
        while frame is not None and frame is not self._frame:
            handled, frame = handled or frame.f_code in self._handlers, frame.f_back
        if frame is None:  # another thread, or a signal came just as the context began or ended
            launches.listening.set(None)
        return frame is not None and not handled

    def allocate(self, size: int) -> np.ndarray:
        """`size` bytes: the smallest free block of at most twice that size, or a new one."""
        fits = [
            i
            for i, held in enumerate(_references(self._leases))
            if held == _UNUSED and size <= self._leases[i].block.size <= 2 * size
        ]
        if fits:
            block = self._leases.pop(min(fits, key=lambda i: (self._leases[i].block.size, -i))).block
        else:
            block = np.empty(size, np.uint8)
            self.program.blocks.append(block)
        self._leases.append(_Lease(block, size, self.program))
        return np.asarray(self._leases[-1])

    def send(self, numbers: np.ndarray, like: Any) -> Any:
        """Nothing: launches of the host read the array itself."""
        return None

    def on_launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Keeps a launch, and runs it. Its arrays are kept as views that do not
        count as users of the blocks.
        """
        args = tuple(map(plain, args))
        if not (self.rehearses and self._lasting_depth):
            # what the launched function launches itself is part of this launch
            with launches.not_listening():
                launches.launch(function, *args, alone=alone)
        self.program.append(
            (function, tuple(self._as_view(x) if type(x) is np.ndarray else x for x in args)), alone
        )

    def on_address(self, x: np.ndarray) -> None:
        """Keeps an array whose address is passed to a launch."""
        self.program.addressed.append(self._as_view(plain(x)))

    def on_lasting(self, step: int) -> None:
        """Counts the `lasting` contexts that are open."""
        self._lasting_depth += step

    def on_changing(self, tensor: Any) -> None:
        """Keeps the numbers of `tensor` before it is changed, for `put_back`."""
        if id(tensor) not in self._before and type(tensor._data) is np.ndarray:
            self._before[id(tensor)] = tensor, tensor._data, tensor._data.copy()
        self.touched[id(tensor)] = tensor

    def on_changed(self, tensor: Any) -> None:
        """Adds `tensor` to the Tensors that the step changes."""
        self.touched[id(tensor)] = tensor

    def on_read(self, array: Any) -> None:
        """Ends a trial run if these numbers differ from step to step; otherwise keeps the array."""
        if type(array) is not np.ndarray:
            return
        if self.rehearses and (
            self._block(array) is not None or any(np.may_share_memory(array, x) for x in self.inputs)
        ):
            raise NotRepeatable(
                f"{outside()} looks at the numbers of a Tensor, which are others at each step"
            )
        self.numbers_read.append(array)

    def data_for(self, array: Any, frame: FrameType) -> Any:
        """What `tensor.data` returns: the array; for the user's Python,
        a watched view of numbers that differ.
        """
        if not self.rehearses or type(array) is not np.ndarray or is_own(frame.f_code.co_filename):
            return array
        if self._block(array) is None and not any(np.may_share_memory(array, x) for x in self.inputs):
            self.handed_out.append(array)
            return array
        return self.watched(array)

    def watched(self, array: np.ndarray) -> np.ndarray:
        """A view of `array` that ends the trial run when the user's Python computes with it or reads it."""
        view = array.view(Watched)
        view.tell = self._computed
        return view

    def _computed(self, what: str) -> None:
        # tinynet itself reads in launches, and to check arguments
        if not is_own(nearest().f_code.co_filename):
            self.on_not_repeatable(what)

    def on_not_repeatable(self, what: str) -> None:
        """Ends a trial run, naming the line of code that does `what`."""
        if self.rehearses:
            raise NotRepeatable(f"{outside()} {what}")

    def _as_view(self, x: np.ndarray) -> np.ndarray:
        block = self._block(x)
        if block is None:
            self.program.give(x, self._lasting_depth > 0)
            return x  # a parameter, an input, a constant
        offset = x.__array_interface__["data"][0] - block.__array_interface__["data"][0]
        return np.ndarray(x.shape, x.dtype, block, offset, x.strides)

    def _block(self, x: np.ndarray) -> np.ndarray | None:
        """The block that contains `x`; None if `x` is in other memory."""
        owner = x
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        lease: Any = owner.base
        return lease.block if isinstance(lease, _Lease) and lease.program is self.program else None
