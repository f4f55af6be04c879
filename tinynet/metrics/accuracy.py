"""Accuracies: how often predictions equal targets. Functions give 1.0 or 0.0 per prediction."""

from typing import Any

from tinynet.autograd import as_raw
from tinynet.backend import config
from tinynet.kernels.common import xp
from tinynet.losses.shapes import kind_of_targets, prediction, same_rank
from tinynet.metrics.metric import MeanMetricWrapper


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_true == y_pred."""
    y_true, y_pred = _arrays(y_true, y_pred)
    return _matches("accuracy", *same_rank(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where (y_pred > threshold) == y_true: a prediction at the threshold itself counts as class 0."""
    y_true, y_pred = same_rank(*_arrays(y_true, y_pred))
    return _matches("binary_accuracy", y_true, y_pred > threshold)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction (the first of equals) is the one-hot target's class; (N, C) -> (N,)."""
    y_true, y_pred = _arrays(y_true, y_pred)
    return _matches("categorical_accuracy", y_true.argmax(-1), y_pred.argmax(-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction (the first of equals) is the label; labels (N,) or (N, 1), (N, C) -> (N,)."""
    y_true, y_pred = _arrays(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true.reshape(y_true.shape[:-1])
    return _matches("sparse_categorical_accuracy", y_true, y_pred.argmax(-1))


def accuracy_by_shape(y_true: Any, y_pred: Any) -> Any:
    """The accuracy that fits the shapes, as the string "accuracy" asks for."""
    kind = kind_of_targets(y_true, y_pred)
    if kind == "binary":
        return binary_accuracy(y_true, y_pred)
    return (sparse_categorical_accuracy if kind == "sparse" else categorical_accuracy)(y_true, y_pred)


def _arrays(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = as_raw(prediction(y_pred))
    return xp(y_pred).asarray(as_raw(y_true)), y_pred


def _matches(name: str, y_true: Any, y_pred: Any) -> Any:
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{name}: shapes {y_true.shape} of the targets and {y_pred.shape} of the predictions cannot be compared; "
            "one-hot targets go with categorical_accuracy, integer labels with sparse_categorical_accuracy"
        )
    return (y_true == y_pred).astype(config.floatx())


class _Accuracy(MeanMetricWrapper):
    direction = "up"


class Accuracy(_Accuracy):
    """How often y_true == y_pred."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(accuracy, name)


class BinaryAccuracy(_Accuracy):
    """How often (y_pred > threshold) == y_true."""

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, threshold=threshold)


class CategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the one-hot target's class."""

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(categorical_accuracy, name)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the label."""

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(sparse_categorical_accuracy, name)


class AccuracyByShape(_Accuracy):
    """What "accuracy" and "acc" mean: binary, sparse or categorical accuracy, as the shapes of a batch call for."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(accuracy_by_shape, name)
