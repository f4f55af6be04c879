"""Launches: every change that kernels make to arrays goes through here, so that a listener can observe it.

What other files call:

    launch(function, *args)   calls function(*args), which leaves its results in its arguments
    aligned(shape, dtype)     new memory for the result of a kernel
    address(x)                the address of an array, for tables of addresses
    lasting                   a context: its launches change what outlives the step: weights, averages, slots
    as_one_launch(f, args)    f(*args), a function of arrays that computes with NumPy, as one launch
    write(into, value)        into[...] = value, where `into` outlives the step
    changing(tensor)          to be called before a Tensor is changed in place, changed(tensor) afterwards
    numbers_read(array)       to be called before Python reads numbers of an array, or computes with them
    not_repeatable(what)      to be called before Python does what a repetition of the launches leaves out
    send(numbers, like)       an array of a GPU that holds what `numbers` do, whenever a step is repeated

A listener is the object in the context variable `listening`, one for each thread and task. Its methods:

    includes(frame)                    whether the listener observes the function of this frame
    repeats                            whether it repeats the launches later, on other numbers
    on_launch(function, args, alone)   replaces the call: the listener makes it itself, or leaves it out
    allocate(size)                     bytes for a new array, from the listener's own memory
    send(numbers, like)                what the function of that name returns
    on_address(x)                      the address of an array is passed to a launch
    on_lasting(1), on_lasting(-1)      a `lasting` context begins, ends
    on_changing(tensor), on_changed(tensor)
    on_read(array)                     Python reads numbers of an array
    data_for(array, frame)             the array that `tensor.data` returns to the function of this frame
    on_not_repeatable(what)            `what` continues "train.py:12 ...", such as "reads the learning rate"
"""

import itertools
import math
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from . import threads

CACHE_LINE = 64  # bytes
# Arrays of at least so many bytes take turns in where in their pages they begin. The CPU takes a load for one
# of a number that is just being stored if the places within their pages agree. So a kernel waits that reads a
# line or two ahead of what it writes, if one array begins so far behind the other: as arrays of whole pages
# do, which batches of 16, 32, 64 make. A max pooling took 1.5 times as long.
PAGE, LARGE_BYTES = 4096, 1 << 16
_places = itertools.cycle(1280 * i % PAGE for i in range(16))
listening: ContextVar[Any] = ContextVar("tinynet_listener", default=None)


def listener() -> Any:
    """The listener that observes the function that calls this; None if there is none."""
    current = listening.get()
    return current if current is None or current.includes(sys._getframe(1)) else None


def launch(function: Callable[..., Any], *args: Any, alone: bool | None = None) -> None:
    """Calls function(*args), which leaves its results in its arguments: the only way a kernel changes arrays.

    A listener may keep the call and repeat it later, when the same arrays hold other numbers. So numbers that
    differ from step to step must be in arrays, not among the scalars in `args`. `function` can be anything
    that writes into its arguments: a compiled loop, a ufunc with its output, a Python function. `alone` is
    for functions that divide their loops among threads: True keeps this call on one thread.
    """
    if listening.get() is not None and (current := listener()) is not None:
        current.on_launch(function, args, alone)
        return
    if alone is not None:
        if not (alone or threads.ready):
            threads.start()
        threads.cut.value = 1 if alone else threads.pieces
    function(*args)


def as_one_launch(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """function(*args), an array or a tuple of arrays;
    a listener that repeats launches keeps it as one of them.

    For functions that compute with NumPy, and so change arrays without a launch. `function` must leave its
    arguments as they are. A first call, on copies, shows which arrays it returns; the launch copies them into
    new ones, in the same memory order.
    """
    current = listener()
    if current is None or not current.repeats or any(isinstance(x, list | tuple | dict) for x in args):
        return function(*args)
    with not_listening():
        found = function(*[np.array(x, order="K") if isinstance(x, np.ndarray) else x for x in args])
    results = found if isinstance(found, tuple) else (found,)
    if not all(isinstance(y, np.ndarray | np.generic) for y in results):
        return function(*args)
    outputs = tuple([_new_like(np.asarray(y)) for y in results])
    launch(partial(_into, function, len(outputs)), *outputs, *args)
    return outputs if isinstance(found, tuple) else outputs[0]


def _into(function: Callable[..., Any], count: int, *arrays: Any) -> None:
    """Copies what `function` returns for all but the first `count` arrays into these."""
    outputs, args = arrays[:count], arrays[count:]
    found = function(*args)
    for into, y in zip(outputs, found if isinstance(found, tuple) else (found,), strict=True):
        np.copyto(into, y)


def _new_like(y: np.ndarray) -> np.ndarray:
    """A new array with the shape, the number format and the memory order of y."""
    order = sorted(range(y.ndim), key=lambda axis: -abs(y.strides[axis]))
    return aligned(tuple([y.shape[axis] for axis in order]), y.dtype).transpose(np.argsort(order))


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """New C-ordered array that starts on a cache line: no vector of 64 bytes lies across two of them.
    Large ones start at different cache lines of their pages, in turn.
    """
    dtype = np.dtype(dtype)
    if dtype.hasobject:  # new memory does not hold valid references to objects
        raise TypeError(f"kernels compute with numbers, not with Python objects; got dtype {dtype}")
    size, current = math.prod(shape) * dtype.itemsize, listening.get() and listener()
    boundary, place = (PAGE, next(_places)) if size >= LARGE_BYTES else (CACHE_LINE, 0)
    size += boundary
    buffer = np.empty(size, np.uint8) if current is None else current.allocate(size)
    return np.ndarray(shape, dtype, buffer, (place - buffer.__array_interface__["data"][0]) % boundary)


def address(x: np.ndarray) -> int:
    """The address of the first element of `x`. A listener keeps the array alive from now on."""
    if (current := listening.get() and listener()) is not None:
        current.on_address(x)
    return x.__array_interface__["data"][0]


def send(numbers: np.ndarray, like: Any) -> Any:
    """An array beside `like`, on a GPU, to which a listener sends `numbers` before it repeats the launches of
    a step. None: there is no listener that does.
    """
    current = listening.get() and listener()
    return None if current is None else current.send(numbers, like)


class _Lasting:
    """Context of launches that change what outlives a step: weights, averages, statistics, optimizer slots.

    A listener may keep these launches without running them, so that a step can be tried on other numbers and
    leaves the weights as they are. So nothing later in the same step may read their results.
    """

    def __enter__(self) -> None:
        if (current := listening.get() and listener()) is not None:
            current.on_lasting(1)

    def __exit__(self, *exception: object) -> None:
        if (current := listening.get() and listener()) is not None:
            current.on_lasting(-1)


lasting = _Lasting()


def write(into: Any, value: Any) -> None:
    """Copies `value` into the array `into`, which outlives the step."""
    with lasting:
        launch(operator.setitem, into, ..., value)


def changed(tensor: Any) -> None:
    """Tells a listener that `tensor` has changed in place."""
    if (current := listening.get() and listener()) is not None:
        current.on_changed(tensor)


@contextmanager
def not_listening() -> Iterator[None]:
    """Context without a listener: for what is not part of the step, or is part of a launch already kept."""
    token = listening.set(None)
    try:
        yield
    finally:
        listening.reset(token)


def changing(tensor: Any) -> None:
    """Tells a listener that `tensor` is about to change in place."""
    if listening.get() is not None and (current := listener()) is not None:
        current.on_changing(tensor)


def numbers_read(array: Any) -> None:
    """Tells a listener that Python reads numbers of `array`: the launches that follow may depend on them."""
    if listening.get() is not None and (current := listener()) is not None:
        current.on_read(array)


def data_for_caller(array: Any) -> Any:
    """What `tensor.data` returns: `array`, or what a listener gives to the calling function instead."""
    current = listener()
    return array if current is None else current.data_for(array, sys._getframe(2))


def not_repeatable(what: str) -> None:
    """Tells a listener that Python does what a repetition of the launches would leave out: "calls fit()"."""
    if listening.get() is not None and (current := listener()) is not None:
        current.on_not_repeatable(what)


Launch = tuple[Callable[..., Any], tuple[Any, ...], bool | None]  # (function, args, alone)


class LaunchLog:
    """Context that runs the launches of one thread as usual and lists them in `calls`."""

    repeats = False

    def __init__(self) -> None:
        self.calls: list[Launch] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> "LaunchLog":
        self._token = listening.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        listening.reset(self._token)

    def includes(self, frame: Any) -> bool:
        """Whether it is called in the thread that opened the context."""
        return threading.get_ident() == self._thread

    def on_launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Lists a launch and runs it."""
        self.calls.append((function, args, alone))
        with not_listening():
            launch(function, *args, alone=alone)

    def allocate(self, size: int) -> np.ndarray:
        """New memory."""
        return np.empty(size, np.uint8)

    def data_for(self, array: Any, frame: Any) -> Any:
        """The array itself."""
        return array

    def ignored(self, value: Any) -> None:
        """Does nothing."""

    def send(self, numbers: np.ndarray, like: Any) -> None:
        """Nothing: nothing is repeated."""

    on_address = on_lasting = on_changing = on_changed = on_read = on_not_repeatable = ignored
