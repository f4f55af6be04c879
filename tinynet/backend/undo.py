"""Undo: what a trial run changes is noted before it changes, and put back afterwards.

    with undo.everything():
        layer(zeros)          # variables, counts of draws, metrics: as before

Whoever changes something in place notes it: `array(tensor)` before its numbers, `attribute(thing, name)` before an attribute.
Nothing is noted outside of a trial, or for what other threads do meanwhile; who listens to launches is told of arrays too.
Python values that nobody notes stay changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from tinynet.kernels.launches import changing

_notes: ContextVar[dict[Any, Callable[[], None]] | None] = ContextVar("tinynet_undo", default=None)


@contextmanager
def everything() -> Iterator[None]:
    """Puts back, at the end, whatever was noted within."""
    notes: dict[Any, Callable[[], None]] = {}
    token = _notes.set(notes)
    try:
        yield
    finally:
        _notes.reset(token)
        for put_back in reversed(notes.values()):
            put_back()


def under_way() -> bool:
    """Whether what happens now will be undone."""
    return _notes.get() is not None


def array(tensor: Any) -> None:
    """Notes the numbers of a Tensor that is about to change."""
    changing(tensor)
    notes = _notes.get()
    if notes is not None and (id(tensor), "") not in notes and isinstance(tensor._data, np.ndarray):
        notes[id(tensor), ""] = partial(_write, tensor, tensor._data, tensor._data.copy())


def attribute(thing: Any, name: str) -> None:
    """Notes an attribute that is about to be set."""
    notes = _notes.get()
    if notes is not None:
        notes.setdefault((id(thing), name), partial(vars(thing).__setitem__, name, vars(thing)[name]))


def _write(tensor: Any, data: Any, numbers: np.ndarray) -> None:
    tensor._data = data
    if data.tobytes() != numbers.tobytes():
        data[...] = numbers
        tensor.touch()
