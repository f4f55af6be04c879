"""Metrics by name."""

from collections.abc import Callable
from typing import Any

from tinynet import lookup
from tinynet.metrics import accuracy, losses
from tinynet.metrics.metric import Mean, MeanMetricWrapper, Metric

_CLASSES: dict[str, type[Metric]] = {
    cls.__name__: cls
    for cls in (
        accuracy.Accuracy, accuracy.BinaryAccuracy, accuracy.CategoricalAccuracy, accuracy.SparseCategoricalAccuracy,
        losses.BinaryCrossentropy, losses.CategoricalCrossentropy, losses.MeanAbsoluteError, losses.MeanSquaredError,
        losses.SparseCategoricalCrossentropy, Mean,
    )
}  # fmt: skip
_NAMES: dict[str, type[Metric]] = {
    **_CLASSES,
    **{lookup.snake_case(name): cls for name, cls in _CLASSES.items()},
    "accuracy": accuracy.AccuracyByShape,
    "acc": accuracy.AccuracyByShape,
    "bce": losses.BinaryCrossentropy,
    "BCE": losses.BinaryCrossentropy,
    "mae": losses.MeanAbsoluteError,
    "MAE": losses.MeanAbsoluteError,
    "mse": losses.MeanSquaredError,
    "MSE": losses.MeanSquaredError,
}


def get(identifier: Any) -> Metric | Callable[..., Any] | None:
    """The metric meant by a name, a config, a class, an instance, a function (y_true, y_pred), or None.

    "accuracy" and "acc" fit themselves to the shapes of targets and predictions; the class Accuracy compares values.
    """
    return lookup.resolve(identifier, _NAMES, "metric")


def as_metric(identifier: Any) -> Metric:
    """The same as a Metric with the name to report it by: the string that was given, or the function's name."""
    found = get(identifier)
    if found is None:
        raise ValueError("a metric was expected, got None")
    metric = found if isinstance(found, Metric) else MeanMetricWrapper(found)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def serialize(metric: Metric) -> dict[str, Any]:
    """{"class_name", "config"} of a metric."""
    return lookup.to_config(metric)


def deserialize(config: dict[str, Any]) -> Metric:
    """The metric that `serialize` described, without its state."""
    return lookup.from_config(config, _NAMES, "metric")
