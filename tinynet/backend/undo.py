"""Undo: during a trial run, what is about to be changed is saved first, and restored at the end.

    with undo.everything():
        layer(zeros)          # variables, counts of draws, metrics are afterwards as before

Code that changes something in place says so before: `array(tensor)` before it changes numbers,
`attribute(thing, name)` before it sets an attribute. Outside of a trial run nothing is saved, and what
other threads do is not undone. A listener to launches is told about arrays as well. Python values that no
code announces stay changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.launches import changing

_saved: ContextVar[dict[Any, Callable[[], None]] | None] = ContextVar("tinynet_undo", default=None)


@contextmanager
def everything() -> Iterator[None]:
    """Context of a trial run: at its end, everything that was announced within it is restored."""
    saved: dict[Any, Callable[[], None]] = {}
    token = _saved.set(saved)
    try:
        yield
    finally:
        _saved.reset(token)
        for put_back in reversed(saved.values()):
            put_back()


def under_way() -> bool:
    """Whether a trial run is under way in this thread."""
    return _saved.get() is not None


def array(tensor: Any) -> None:
    """Saves the numbers of a Tensor that is about to be changed in place."""
    changing(tensor)
    saved = _saved.get()
    if saved is None or (id(tensor), "") in saved:
        return
    if isinstance(tensor._data, np.ndarray) or is_on_gpu(tensor._data):
        saved[id(tensor), ""] = partial(_write, tensor, tensor._data, tensor._data.copy())


def attribute(thing: Any, name: str) -> None:
    """Saves an attribute that is about to be set."""
    saved = _saved.get()
    if saved is not None:
        saved.setdefault((id(thing), name), partial(vars(thing).__setitem__, name, vars(thing)[name]))


def _write(tensor: Any, data: Any, numbers: np.ndarray) -> None:
    tensor._data = data
    # of a GPU's numbers nobody waits to see whether they have changed
    if is_on_gpu(data) or data.tobytes() != numbers.tobytes():
        data[...] = numbers
        tensor.touch()
