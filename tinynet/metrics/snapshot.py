"""What a metric holds, put aside and put back: its variables and arrays, and whatever else a class of one's own keeps.

Arrays, variables and metrics within stay the objects they are, since others may hold them too; their numbers are copied.
"""

import copy
from collections import deque
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.metrics.metric import Metric

COLLECTIONS = (list, tuple, dict, set, deque)


class _Held:
    """An object that stays, and a copy of its contents."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.contents = taken(thing) if isinstance(thing, Metric) else _array(thing).copy()

    def put_back(self) -> Any:
        if isinstance(self.thing, Metric):
            put_back(self.thing, self.contents)
        else:
            _array(self.thing)[...] = self.contents
        return self.thing


def taken(metric: Metric) -> dict[str, Any]:
    """The attributes of a metric as they are now, for `put_back`."""
    return {name: _taken(value) for name, value in list(vars(metric).items())}


def put_back(metric: Metric, held: dict[str, Any]) -> None:
    """Gives a metric back what `taken` found."""
    for name in [name for name in vars(metric) if name not in held]:
        del vars(metric)[name]  # made since, at the first batch of another run
    vars(metric).update({name: _given(value) for name, value in held.items()})


def _taken(value: Any) -> Any:
    if isinstance(value, Metric | Tensor | np.ndarray):
        return _Held(value)
    if isinstance(value, COLLECTIONS):
        return _each(_taken, value)
    return value


def _given(value: Any) -> Any:
    if isinstance(value, _Held):
        return value.put_back()
    return _each(_given, value) if isinstance(value, COLLECTIONS) else value


def _each(function: Any, value: Any) -> Any:
    """A collection of the same type, with function(item) for every item."""
    if isinstance(value, tuple):
        items = [function(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        new = copy.copy(value)  # a defaultdict keeps its default, a Counter is one
        for key, item in value.items():
            new[key] = function(item)
        return new
    others: Any = copy.copy(value)
    others.clear()
    (others.update if isinstance(others, set) else others.extend)(function(item) for item in value)
    return others


def _array(thing: Any) -> Any:
    return thing.data if isinstance(thing, Tensor) else thing
