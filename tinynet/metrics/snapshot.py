"""What a metric holds, put aside and put back: its variables and arrays,
and whatever else a class of one's own keeps.

Arrays, variables, collections and metrics within stay the objects they are, since others may hold them too:
the very update that another run interrupts is about to write to one. What is in them is copied.
"""

from collections import deque
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.backend import device
from tinynet.kernels.common import is_on_gpu

CHANGING = (list, dict, set, deque)


class _Held:
    """An object that stays, and a copy of its contents."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.contents: Any = _contents(thing)

    def put_back(self) -> Any:
        thing = self.thing
        if _is_metric(thing):
            put_back(thing, self.contents)
        elif isinstance(thing, dict):
            thing.clear()
            thing.update({key: _given(item) for key, item in self.contents.items()})
        elif isinstance(thing, CHANGING):
            thing.clear()
            (thing.update if isinstance(thing, set) else thing.extend)(map(_given, self.contents))  # type: ignore[union-attr]
        else:
            _array(thing)[...] = self.contents
        return thing


def _contents(thing: Any) -> Any:
    if _is_metric(thing):
        return taken(thing)
    if isinstance(thing, dict):
        return {key: _taken(item) for key, item in thing.items()}
    return [*map(_taken, thing)] if isinstance(thing, CHANGING) else _array(thing).copy()


def taken(metric: Any) -> dict[str, Any]:
    """The attributes of a metric as they are now, for `put_back`."""
    return {name: _taken(value) for name, value in list(vars(metric).items())}


def put_back(metric: Any, held: dict[str, Any]) -> None:
    """Gives a metric back what `taken` found."""
    for name in [name for name in vars(metric) if name not in held]:
        del vars(metric)[name]  # made since, at the first batch of another run
    vars(metric).update({name: _given(value) for name, value in held.items()})


def _taken(value: Any) -> Any:
    if _is_metric(value) or isinstance(value, (Tensor, np.ndarray, *CHANGING)) or is_on_gpu(value):
        return _Held(value)
    return _each(_taken, value) if isinstance(value, tuple) else value


def _given(value: Any) -> Any:
    if isinstance(value, _Held):
        return value.put_back()
    return _each(_given, value) if isinstance(value, tuple) else value


def _each(function: Any, value: Any) -> Any:
    """A tuple of the same type, with function(item) for every item."""
    items = map(function, value)
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def same(a: Any, b: Any) -> bool:
    """Whether two states, or parts of them, hold the same: arrays and numbers with the same bits."""
    if isinstance(a, _Held):
        return isinstance(b, _Held) and type(a.thing) is type(b.thing) and same(a.contents, b.contents)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    a, b = (device.to_host(x) if is_on_gpu(x) else x for x in (a, b))
    if isinstance(a, np.ndarray | float):
        return type(a) is type(b) and np.asarray(a).tobytes() == np.asarray(b).tobytes()
    return a is b or bool(a == b)


def _is_metric(value: Any) -> bool:
    return hasattr(type(value), "update_state")


def _array(thing: Any) -> Any:
    return thing.data if isinstance(thing, Tensor) else thing
