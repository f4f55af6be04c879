"""Metrics by name."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from tinynet import registry
from tinynet.losses import get as find_loss
from tinynet.metrics import accuracy, at_threshold, confusion, curves, losses, mean, metric, overlap, scores
from tinynet.metrics.mean import MeanMetricWrapper
from tinynet.metrics.metric import Metric


def _classes(*modules: ModuleType) -> dict[str, type[Metric]]:
    """The metrics that the modules define, by name."""
    found = [
        cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, Metric)
    ]
    return {
        cls.__name__: cls for cls in found if not cls.__name__.startswith("_") and cls is not confusion.Counts
    }


_CLASSES = _classes(accuracy, confusion, at_threshold, curves, losses, mean, metric, overlap, scores)
_SHORT = {
    "bce": losses.BinaryCrossentropy,
    "mae": losses.MeanAbsoluteError,
    "mape": losses.MeanAbsolutePercentageError,
    "mse": losses.MeanSquaredError,
    "msle": losses.MeanSquaredLogarithmicError,
}
_NAMES: dict[str, type[Metric]] = {
    **_CLASSES,
    **{registry.snake_case(name): cls for name, cls in _CLASSES.items()},
    **_SHORT,
    **{name.upper(): cls for name, cls in _SHORT.items()},
    "accuracy": accuracy.AccuracyByShape,
    "acc": accuracy.AccuracyByShape,
}


def get(identifier: Any) -> Metric | Callable[..., Any] | None:
    """The metric meant by `identifier`: a name, a config, a class,
    an instance, a function (y_true, y_pred), or None.

    "accuracy" and "acc" fit themselves to the shapes of targets and predictions; the class Accuracy compares
    values. Raises ValueError for anything else.

    >>> metrics.get("mse")
    MeanSquaredError()
    """
    if isinstance(identifier, Mapping) and "fn" in identifier.get("config", {}):
        identifier = {
            **identifier,
            "config": {**identifier["config"], "fn": _function(identifier["config"]["fn"])},
        }
    return registry.resolve(identifier, _NAMES, "metric")


def _function(described: Any) -> Any:
    """The function of a MeanMetricWrapper: itself, or what it was described by."""
    if isinstance(described, str) and hasattr(accuracy, described):
        return getattr(accuracy, described)
    return find_loss(described)


def as_metric(identifier: Any) -> Metric:
    """What `get` finds for `identifier`, as a Metric with the name to report it by:
    the string given, or the function's name.

    >>> metrics.as_metric("acc").name
    'acc'
    """
    by_shape = isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc")
    found = accuracy.AccuracyByShape() if by_shape else get(identifier)
    if found is None:
        raise ValueError("a metric was expected, got None")
    metric = found if isinstance(found, Metric) else MeanMetricWrapper(found)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def serialize(metric: Any) -> Any:
    """The description of a `metric`: a dictionary with its "class_name" and "config".

    >>> metrics.serialize(metrics.Mean())["config"]
    {'name': 'mean', 'dtype': 'float32'}
    """
    return registry.describe(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that `serialize` described by `config`, without its state;
    `custom_objects`: {name: object} of one's own.

    >>> metrics.deserialize({"class_name": "TopKCategoricalAccuracy", "config": {"k": 3}})
    TopKCategoricalAccuracy(k=3)
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
