"""Metrics in a step that a listener observes: `update_state`,
`reset_state` and `result` are launches of Python.

So a step that is repeated also updates its metrics: the launch runs the method again on the arrays as they
are then. `result` writes its numbers into arrays and returns them as Tensors, so that what is computed from
them is repeated too. Without a listener the methods run as they are written.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw
from tinynet.kernels.launches import aligned, lasting, launch, listener, listening, not_listening
from tinynet.metrics import snapshot
from tinynet.tree import leaves, mapped


class MetricState:
    """What a metric holds, for a trial run of a step."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, MetricState) and self.metric is other.metric

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
        self.method, self.metric, self.changes = method, metric, MetricState(metric)
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
    """Makes `update_state` or `reset_state` a launch when a listener observes the caller."""

    @wraps(method)
    def launched(metric: Any, *args: Any, **kwargs: Any) -> Any:
        if listening.get() is None or listener() is None:
            return method(metric, *args, **kwargs)
        call = _Call(method, metric, args, kwargs)
        with lasting:
            launch(call, *call.arrays)
        return None

    return launched


def reads(method: Callable[..., Any]) -> Callable[..., Any]:
    """Makes `result` a launch that writes into arrays when a listener observes the caller."""

    @wraps(method)
    def launched(metric: Any) -> Any:
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

    return launched
