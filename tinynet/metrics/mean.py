"""Running means and sums: what most metrics are.
On a GPU the sums stay there until `result` asks for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import registry
from tinynet.autograd import as_raw
from tinynet.backend import config, undo
from tinynet.kernels import running_cuda
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.losses import Loss
from tinynet.losses.shapes import same_rank
from tinynet.metrics.metric import Metric
from tinynet.metrics.value import Value


class Mean(Metric):
    """sum w v / sum w over all values v given so far, one per sample; 0 before the first.

    >>> mean = Mean()
    >>> mean([1.0, 3.0], sample_weight=[1.0, 3.0])
    2.5
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype="float64", name="total")
        self.count = self.add_variable((), dtype="float64", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in `values` (N, ...), of which each sample's mean counts;
        `sample_weight` (N,) or of values' shape.
        """
        values, total, count = _array(values), self.total._data, self.count._data
        if undo.under_way():
            undo.array(self.total)
            undo.array(self.count)
        if is_on_gpu(values):
            self.total.follow(values)
            self.count.follow(values)
            if self._take_in(values, sample_weight):
                return
        values, weight = per_sample(values, sample_weight)
        if type(values) is type(total) is type(count) is np.ndarray:  # as `add`, faster
            total[()] += float(values.sum())
            count[()] += values.size if weight is None else float(weight.sum())
        else:
            self.total.add(values.sum())
            self.count.add(values.size if weight is None else weight.sum())

    def _take_in(self, values: Any, weight: Any) -> bool:
        """The update in one launch on a GPU, where values and weights are as they mostly are; whether so."""
        total, count = self.total._data, self.count._data
        if not running_cuda.takes(total, count, values):
            return False
        if weight is None:
            values, weight = per_sample(values, None)[0], 1.0
        elif values.ndim or not isinstance(
            weight, int | float
        ):  # else a loss, the mean over `weight` samples
            weight = _weight(values, weight)
            if weight.shape != values.shape or values.ndim != 1:
                return False
        running_cuda.take_in(total, count, values, weight)
        return True

    def result(self) -> Value:
        total, count = float(self.total), float(self.count)
        return Value(total / count if count else 0.0)


class Sum(Metric):
    """sum w v over all values v given so far.

    >>> Sum()([1.0, 3.0])
    4.0
    """

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype="float64", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in `values` (N, ...); `sample_weight` (N,) or of values' shape."""
        values = _array(values)
        if sample_weight is not None:
            weight = _weight(values, sample_weight)
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        self.total.add(values.sum())

    def result(self) -> Value:
        return Value(float(self.total))


class MeanMetricWrapper(Mean):
    """The mean of a function fn(y_true, y_pred, **settings) -> one value per sample.

    A function that is not tinynet's is given arrays of one rank:
    targets (N,) beside predictions (N, 1) become (N, 1).

    >>> MeanMetricWrapper(losses.huber, delta=2.0)([[0.0], [0.0]], [[1.0], [4.0]])
    3.25
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **settings: Any
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or getattr(fn, "name", None), dtype)
        self.fn, self.settings, self._is_own = fn, settings, is_own(fn)
        is_loss = isinstance(fn, Loss) or getattr(fn, "__module__", "").startswith("tinynet.losses")
        if self._direction is None and is_loss:
            self._direction = "down"  # smaller is better; of another function nobody knows

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Takes in y_true and y_pred, whose values count as those of Mean do;
        sample_weight (N,) or of the values' shape.
        """
        y_true, y_pred = as_raw(y_true), as_raw(y_pred)
        if not self._is_own:
            y_true, y_pred = of_one_rank(y_true, y_pred)
        values = self.fn(y_true, y_pred, **self.settings)
        if values is None:
            raise TypeError(f"the metric {self.name!r} must return a value per sample; it returned None")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": registry.describe(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.settings}


def is_own(metric: Any) -> bool:
    """Whether tinynet defines a metric or function: then it converts targets and predictions itself.

    A user's gets arrays of equal rank, as Keras would give them.
    """
    return (getattr(metric, "__module__", None) or "").startswith("tinynet.")


def of_one_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as arrays of one rank: (N,) beside (N, 1) becomes (N, 1)."""
    y_true, y_pred = (y if hasattr(y, "ndim") else np.asarray(y) for y in (as_raw(y_true), as_raw(y_pred)))
    return same_rank(y_true, y_pred)


def per_sample(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Weighted values (N,) and their weights (N,) or None: axes after the first are averaged,
    weights broadcast.
    """
    if sample_weight is None:
        return (values.mean(axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values), None
    weight = _weight(values, sample_weight)
    if values.ndim > weight.ndim:
        values = values.mean(axis=tuple(range(weight.ndim, values.ndim)))
    weight = xp(values).broadcast_to(weight, values.shape)
    values = values * weight
    axes = tuple(range(1, values.ndim))
    return (values.mean(axis=axes), weight.mean(axis=axes)) if axes else (values, weight)


def _weight(values: Any, sample_weight: Any) -> Any:
    weight = as_raw(sample_weight)
    if is_on_gpu(values) and isinstance(weight, int | float):
        return xp(values).full((), weight, values.dtype)  # unlike asarray no copy, which would wait
    weight = xp(values).asarray(weight, values.dtype)
    return (
        weight.reshape(weight.shape[:-1])
        if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1
        else weight
    )


def _array(values: Any) -> Any:
    values = as_raw(values)
    if not hasattr(values, "dtype"):
        return np.asarray(values, config.floatx())
    return values if values.dtype.kind == "f" else values.astype(config.floatx())
