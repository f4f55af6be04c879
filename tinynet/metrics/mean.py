"""Running means and sums: what most metrics are. On a GPU the sums stay there until `result` asks for them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinynet import lookup
from tinynet.autograd import as_raw
from tinynet.backend import config, device
from tinynet.kernels.common import xp
from tinynet.losses import Loss
from tinynet.metrics.metric import Metric


class Mean(Metric):
    """sum w v / sum w over all values v given so far, one per sample; 0 before the first."""

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total: Any = 0.0
        self.count: Any = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in `values` (N, ...), of which each sample's mean counts; `sample_weight` (N,) or of values' shape."""
        values, weight = per_sample(_array(values), sample_weight)
        self.total = self.total + _number(values.sum())
        self.count = self.count + (_number(weight.sum()) if weight is not None else values.size)

    def result(self) -> float:
        total, count = float(device.to_host(self.total)), float(device.to_host(self.count))
        return total / count if count else 0.0

    def reset_state(self) -> None:
        self.total = self.count = 0.0

    def state(self) -> dict[str, Any]:
        return {name: float(device.to_host(getattr(self, name))) for name in ("total", "count")}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.total, self.count = float(state["total"]), float(state["count"])


class Sum(Mean):
    """sum w v over all values v given so far."""

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in `values` (N, ...); `sample_weight` (N,) or of values' shape."""
        values = _array(values)
        if sample_weight is not None:
            weight = _weight(values, sample_weight)
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        self.total = self.total + _number(values.sum())

    def result(self) -> float:
        return float(device.to_host(self.total))


class MeanMetricWrapper(Mean):
    """The mean of a function (y_true, y_pred, **settings) -> one value per sample."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **settings: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or getattr(fn, "name", None), dtype)
        self.fn, self.settings = fn, settings
        if self.direction is None and (isinstance(fn, Loss) or getattr(fn, "__module__", "").startswith("tinynet.losses")):
            self.direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        values = self.fn(as_raw(y_true), as_raw(y_pred), **self.settings)
        if values is None:
            raise TypeError(f"the metric {self.name!r} must return a value per sample; it returned None")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": lookup.describe(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.settings}


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


def _number(x: Any) -> Any:
    """A sum on the host as a Python float; on the device as it is, in double precision, for later."""
    return float(x) if isinstance(x, np.generic | np.ndarray) else x.astype("float64")
