"""What a metric holds, put aside and put back: its variables and arrays, and whatever else a class of one's own keeps.

Arrays, variables, collections and metrics within stay the objects they are, since others may hold them too: the very update
that another run interrupts is about to write to one. What is in them is copied.
"""

from collections import deque
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.metrics.metric import Metric

CHANGING = (list, dict, set, deque)


class _Held:
    """An object that stays, and a copy of its contents."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.contents: Any = _contents(thing)

    def put_back(self) -> Any:
        thing = self.thing
        if isinstance(thing, Metric):
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
    if isinstance(thing, Metric):
        return taken(thing)
    if isinstance(thing, dict):
        return {key: _taken(item) for key, item in thing.items()}
    return [*map(_taken, thing)] if isinstance(thing, CHANGING) else _array(thing).copy()


def taken(metric: Metric) -> dict[str, Any]:
    """The attributes of a metric as they are now, for `put_back`."""
    return {name: _taken(value) for name, value in list(vars(metric).items())}


def put_back(metric: Metric, held: dict[str, Any]) -> None:
    """Gives a metric back what `taken` found."""
    for name in [name for name in vars(metric) if name not in held]:
        del vars(metric)[name]  # made since, at the first batch of another run
    vars(metric).update({name: _given(value) for name, value in held.items()})


def _taken(value: Any) -> Any:
    if isinstance(value, (Metric, Tensor, np.ndarray, *CHANGING)):
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


def _array(thing: Any) -> Any:
    return thing.data if isinstance(thing, Tensor) else thing
