"""Launches: every change that kernels make to arrays goes through here, so that somebody may listen.

    launch(function, *args)     calls function(*args), which leaves its results in its arguments
    aligned(shape, dtype)       new memory for a kernel's result
    address(x)                  where an array lies, for tables of addresses
    lasting                     context of launches that change what outlives a step: weights, averages, slots
    write(into, value)          into[...] = value, where `into` outlives the step
    changing(tensor)            said by whoever is about to change a Tensor in place, changed(tensor) by whoever has
    looked(array)               said by whoever turns an array into a Python number, or into an array that Python computes with
    unheard(what)               said by whoever does what no launch tells of

A listener is an object that set `listening` in its context (a thread, a task). It has

    hears(frame)                whether the function of that frame belongs to what it listens to
    note(function, args, alone) a launch, which is the listener's to do, or to leave undone
    memory(size)                bytes for an array, from memory of its own
    keep(x)                     an array whose address a launch gets
    lasts(1), lasts(-1)         a `lasting` context begins, ends
    changing_now(tensor), changed(tensor)
    looked(array)               Python looked at an array's numbers
    handed(array, frame)        what the function of that frame is given for the array of a Tensor
    unheard(what)               a sentence's end: what the step does that no launch tells of
"""

import math
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from . import threads

CACHE_LINE = 64  # bytes
listening: ContextVar[Any] = ContextVar("tinynet_listener", default=None)


def listener() -> Any:
    """Who listens to the function that asks; None if there is nobody, or if somebody else is listened to."""
    heard = listening.get()
    return heard if heard is None or heard.hears(sys._getframe(1)) else None


def launch(function: Callable[..., Any], *args: Any, alone: bool | None = None) -> None:
    """Calls function(*args), which leaves its results in its arguments: the only way a kernel changes arrays.

    A listener takes note of the call, to repeat it later with other numbers in the same arrays. So what differs from step
    to step must be in the arrays, not in the scalars among `args`; `function` may be anything that writes into what it is
    given: a compiled loop, a ufunc with its output, a Python function. `alone` is for functions that divide their loops
    among threads: True keeps this call on one.
    """
    if listening.get() is not None and (heard := listener()) is not None:
        heard.note(function, args, alone)
        return
    if alone is not None:
        if not (alone or threads.ready):
            threads.start()
        threads.cut.value = 1 if alone else threads.pieces
    function(*args)


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """New C-ordered array that starts on a cache line, so that no vector of 64 bytes lies across two of them."""
    dtype = np.dtype(dtype)
    if dtype.hasobject:  # what lies in new memory is no object
        raise TypeError(f"kernels compute with numbers, not with Python objects; got dtype {dtype}")
    size, heard = math.prod(shape) * dtype.itemsize + CACHE_LINE, listening.get() and listener()
    buffer = np.empty(size, np.uint8) if heard is None else heard.memory(size)
    return np.ndarray(shape, dtype, buffer, -buffer.__array_interface__["data"][0] % CACHE_LINE)


def address(x: np.ndarray) -> int:
    """Where the first element of `x` lies. A listener keeps the array alive from now on."""
    if (heard := listening.get() and listener()) is not None:
        heard.keep(x)
    return x.__array_interface__["data"][0]


class _Lasting:
    """Context of launches that change what outlives a step: weights, their averages and statistics, the optimizer's slots.

    A listener may note them without their being done, so that a step can be tried on numbers that are not to count. Nothing
    may look at their results within that step.
    """

    def __enter__(self) -> None:
        if (heard := listening.get() and listener()) is not None:
            heard.lasts(1)

    def __exit__(self, *exception: object) -> None:
        if (heard := listening.get() and listener()) is not None:
            heard.lasts(-1)


lasting = _Lasting()


def write(into: Any, value: Any) -> None:
    """Copies `value` into the array `into`, which outlives the step."""
    with lasting:
        launch(operator.setitem, into, ..., value)


def changed(tensor: Any) -> None:
    """Tells a listener that `tensor` has changed in place."""
    if (heard := listening.get() and listener()) is not None:
        heard.changed(tensor)


@contextmanager
def aside() -> Iterator[None]:
    """Within it nobody listens: what happens is no part of a step, or of a launch that is noted as a whole."""
    token = listening.set(None)
    try:
        yield
    finally:
        listening.reset(token)


def changing(tensor: Any) -> None:
    """Tells a listener that `tensor` is about to change in place."""
    if listening.get() is not None and (heard := listener()) is not None:
        heard.changing_now(tensor)


def looked(array: Any) -> None:
    """Tells a listener that Python looks at the numbers of `array`, which the launches to come may depend on."""
    if listening.get() is not None and (heard := listener()) is not None:
        heard.looked(array)


def handed(array: Any) -> Any:
    """`array`, or what a listener hands out in its place to who asks a Tensor for it."""
    heard = listener()
    return array if heard is None else heard.handed(array, sys._getframe(2))


def unheard(what: str) -> None:
    """Tells a listener what happens without a launch: "calls fit()"."""
    if listening.get() is not None and (heard := listener()) is not None:
        heard.unheard(what)


class Noted:
    """Context in which the launches of a thread are done as ever, and kept in `calls`: (function, args, alone)."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], bool | None]] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> "Noted":
        self._token = listening.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        listening.reset(self._token)

    def hears(self, frame: Any) -> bool:
        """All of this thread."""
        return threading.get_ident() == self._thread

    def note(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Keeps a launch and does it."""
        self.calls.append((function, args, alone))
        with aside():
            launch(function, *args, alone=alone)

    def memory(self, size: int) -> np.ndarray:
        """New memory."""
        return np.empty(size, np.uint8)

    def handed(self, array: Any, frame: Any) -> Any:
        """The array itself."""
        return array

    def ignored(self, told: Any) -> None:
        """Nothing."""

    keep = lasts = changing_now = changed = looked = unheard = ignored
