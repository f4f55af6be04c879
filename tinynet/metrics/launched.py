"""Metrics within a step that somebody listens to: what they take in and what they give are launches of Python.

A step that is repeated so goes on with its metrics: `update_state` runs with the arrays of the day, and `result` writes what it
is then into an array. Its numbers are Tensors, so that what is computed from them is repeated too. Outside of such a step
nothing is different.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw
from tinynet.kernels.launches import aligned, lasting, launch, listener, listening, not_listening
from tinynet.metrics import snapshot
from tinynet.tree import leaves, mapped


class State:
    """What a metric holds, for who tries a step."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, State) and self.metric is other.metric

    def __hash__(self) -> int:
        return id(self.metric)

    def __repr__(self) -> str:
        return f"the metric {self.metric.name!r}"

    def taken(self) -> Any:
        """The state now, for `put_back`."""
        return snapshot.taken(self.metric)

    def put_back(self, state: Any) -> None:
        """Gives the metric what `taken` found."""
        snapshot.put_back(self.metric, state)

    def same(self, one: Any, other: Any) -> bool:
        """Whether two states have the same bits."""
        return snapshot.same(one, other)


class _Call:
    """method(metric, *args, **kwargs) as a function of the arrays among the arguments."""

    def __init__(self, method: Callable[..., Any], metric: Any, args: Any, kwargs: Any) -> None:
        self.method, self.metric, self.changes = method, metric, State(metric)
        given = list(leaves([args, kwargs]))
        self.arrays = [as_raw(x) for x in given if isinstance(x, Tensor | np.ndarray)]
        self.structure = mapped(_Place, [args, kwargs])

    def __call__(self, *arrays: Any) -> None:
        each = iter(arrays)
        args, kwargs = mapped(lambda place: place.filled(each), self.structure)
        self.method(self.metric, *args, **kwargs)


class _Place:
    """An argument: an array or a Tensor that is given anew, or what it is."""

    def __init__(self, value: Any) -> None:
        self.kind: type | None = None
        if isinstance(value, Tensor):
            self.kind = Tensor
        elif isinstance(value, np.ndarray):
            self.kind = np.ndarray
        self.value = None if self.kind else value

    def filled(self, arrays: Any) -> Any:
        if self.kind is None:
            return self.value
        return Tensor(next(arrays)) if self.kind is Tensor else next(arrays)


def changes(method: Callable[..., Any]) -> Callable[..., Any]:
    """`update_state` or `reset_state`, which is a launch where somebody listens."""

    @wraps(method)
    def told(metric: Any, *args: Any, **kwargs: Any) -> Any:
        if listening.get() is None or listener() is None:
            return method(metric, *args, **kwargs)
        call = _Call(method, metric, args, kwargs)
        with lasting:
            launch(call, *call.arrays)
        return None

    return told


def reads(method: Callable[..., Any]) -> Callable[..., Any]:
    """`result`, which writes into arrays where somebody listens."""

    @wraps(method)
    def told(metric: Any) -> Any:
        if listening.get() is None or listener() is None:
            return method(metric)
        with not_listening():
            found = mapped(lambda value: np.asarray(as_raw(value)), method(metric))
        results = mapped(lambda value: aligned(value.shape, value.dtype), found)

        def write(*arrays: np.ndarray) -> None:
            for array, value in zip(arrays, leaves(method(metric)), strict=True):
                array[...] = as_raw(value)

        launch(write, *leaves(results))
        return mapped(Tensor, results)

    return told
