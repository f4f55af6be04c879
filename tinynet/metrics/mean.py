"""Running means and sums: what most metrics are. On a GPU the sums stay there until `result` asks for them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import lookup
from tinynet.autograd import as_raw
from tinynet.backend import config
from tinynet.kernels.common import xp
from tinynet.losses import Loss
from tinynet.losses.shapes import same_rank
from tinynet.metrics.metric import Metric
from tinynet.metrics.value import Value


class Mean(Metric):
    """sum w v / sum w over all values v given so far, one per sample; 0 before the first."""

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype="float64", name="total")
        self.count = self.add_variable((), dtype="float64", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in `values` (N, ...), of which each sample's mean counts; `sample_weight` (N,) or of values' shape."""
        values, weight = per_sample(_array(values), sample_weight)
        self.total.add(values.sum())
        self.count.add(weight.sum() if weight is not None else values.size)

    def result(self) -> Value:
        total, count = float(self.total), float(self.count)
        return Value(total / count if count else 0.0)


class Sum(Metric):
    """sum w v over all values v given so far."""

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
    """The mean of a function (y_true, y_pred, **settings) -> one value per sample.

    A function that is not tinynet's is given arrays of one rank: targets (N,) beside predictions (N, 1) become (N, 1).
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **settings: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or getattr(fn, "name", None), dtype)
        self.fn, self.settings = fn, settings
        if self.direction is None and (isinstance(fn, Loss) or getattr(fn, "__module__", "").startswith("tinynet.losses")):
            self.direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        values = self.fn(*of_one_rank(self.fn, y_true, y_pred), **self.settings)
        if values is None:
            raise TypeError(f"the metric {self.name!r} must return a value per sample; it returned None")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": lookup.describe(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.settings}


def of_one_rank(judge: Any, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as arrays, of one rank unless `judge` is tinynet's own and brings them in shape itself."""
    y_true, y_pred = as_raw(y_true), as_raw(y_pred)
    if (getattr(judge, "__module__", None) or "").startswith("tinynet.") or isinstance(y_true, dict):
        return y_true, y_pred
    y_true, y_pred = (y if hasattr(y, "ndim") else np.asarray(y) for y in (y_true, y_pred))
    return same_rank(y_true, y_pred)


def per_sample(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Weighted values (N,) and their weights (N,) or None: axes after the first are averaged, weights broadcast."""
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
    weight = xp(values).asarray(as_raw(sample_weight), values.dtype)
    return weight.reshape(weight.shape[:-1]) if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1 else weight


def _array(values: Any) -> Any:
    values = as_raw(values)
    if not hasattr(values, "dtype"):
        return np.asarray(values, config.floatx())
    return values if values.dtype.kind == "f" else values.astype(config.floatx())

