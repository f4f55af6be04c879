"""Accuracies: how often predictions equal targets. Functions give 1.0 or 0.0 per prediction."""

from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config
from tinynet.kernels import running_cuda
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.losses.shapes import kind_of_targets, prediction, same_rank
from tinynet.metrics.mean import MeanMetricWrapper
from tinynet.metrics.thresholds import checked_one


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_true == y_pred."""
    y_true, y_pred = _arrays(y_true, y_pred)
    return _matches("accuracy", *same_rank(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where (y_pred > threshold) == y_true: a prediction at the threshold itself counts as class 0.

    >>> metrics.binary_accuracy([0.0, 1.0, 1.0], [0.2, 0.7, 0.5])
    array([1., 1., 0.], dtype=float32)
    """
    y_true, y_pred = same_rank(*_arrays(y_true, y_pred))
    return _matches("binary_accuracy", y_true, y_pred > threshold)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of y_pred (the first of equals) is the class of the one-hot y_true;
    (N, C) -> (N,).
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    if y_true.ndim != y_pred.ndim:
        raise _unlike("categorical_accuracy", y_true, y_pred)
    return _matches("categorical_accuracy", y_true.argmax(-1), y_pred.argmax(-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of y_pred (the first of equals) is the label y_true;
    labels (N,) or (N, 1), (N, C) -> (N,).
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true.reshape(y_true.shape[:-1])
    plain = y_true.dtype.kind in "iu" and y_pred.dtype == config.floatx()
    if is_on_gpu(y_pred) and plain and y_pred.ndim == 2 and y_true.shape == y_pred.shape[:1]:
        return running_cuda.hits(y_true, y_pred)
    return _matches("sparse_categorical_accuracy", y_true, y_pred.argmax(-1))


def accuracy_by_shape(y_true: Any, y_pred: Any) -> Any:
    """The accuracy that fits the shapes, as the string "accuracy" asks for."""
    kind = kind_of_targets(y_true, y_pred)
    if kind == "binary":
        return binary_accuracy(y_true, y_pred)
    return (sparse_categorical_accuracy if kind == "sparse" else categorical_accuracy)(y_true, y_pred)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class of the one-hot y_true is among the k largest of y_pred; (N, C) -> (N,).

    >>> metrics.top_k_categorical_accuracy([[0, 1, 0]], [[0.1, 0.3, 0.6]], k=2)
    array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    return _within_top("top_k_categorical_accuracy", y_true.argmax(-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 where the label y_true is among the k largest predictions; labels (N,) or (N, 1), (N, C) -> (N,).

    `from_sorted_ids`: y_pred holds not predictions but the classes themselves, the most likely one first.

    >>> metrics.sparse_top_k_categorical_accuracy([1], [[0.1, 0.3, 0.6]], k=2)
    array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true.reshape(y_true.shape[:-1])
    if from_sorted_ids:
        return (y_true[..., None] == y_pred[..., :k]).any(-1).astype(config.floatx())
    return _within_top("sparse_top_k_categorical_accuracy", y_true, y_pred, k)


def _within_top(name: str, labels: Any, y_pred: Any, k: int) -> Any:
    """1 where fewer than k predictions are larger than the label's, so that ties count.

    A label that is no class raises ValueError; on a GPU, where it is not looked at, it is no hit.
    """
    if labels.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"{name}: expected one label for each row of the predictions {y_pred.shape}, "
            f"got labels of shape {labels.shape}"
        )
    labels = labels.astype(np.int64)[..., None]
    if is_on_gpu(labels):  # looking at them would wait for the GPU
        known = (labels >= 0) & (labels < y_pred.shape[-1])
        return _hits(xp(labels).where(known, labels, 0), y_pred, k) * known[..., 0].astype(config.floatx())
    if labels.size and not (labels.min() >= 0 and labels.max() < y_pred.shape[-1]):
        raise ValueError(
            f"{name}: labels must lie in 0 .. {y_pred.shape[-1] - 1}, got {labels.min()} .. {labels.max()}"
        )
    return _hits(labels, y_pred, k)


def _hits(labels: Any, y_pred: Any, k: int) -> Any:
    score = xp(y_pred).take_along_axis(y_pred, labels, -1)
    hits = ((y_pred > score).sum(-1) < k) & (score[..., 0] == score[..., 0])  # a score that is NaN is no hit
    return hits.astype(config.floatx())


def _arrays(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = as_raw(prediction(y_pred))
    return xp(y_pred).asarray(as_raw(y_true)), y_pred


def _matches(name: str, y_true: Any, y_pred: Any) -> Any:
    if y_true.shape != y_pred.shape:
        raise _unlike(name, y_true, y_pred)
    return (y_true == y_pred).astype(config.floatx())


def _unlike(name: str, y_true: Any, y_pred: Any) -> ValueError:
    return ValueError(
        f"{name}: shapes {y_true.shape} of the targets and {y_pred.shape} of the "
        "predictions cannot be compared; "
        "one-hot targets go with categorical_accuracy, integer labels with sparse_categorical_accuracy"
    )


class _Accuracy(MeanMetricWrapper):
    _direction = "up"


class Accuracy(_Accuracy):
    """How often y_true == y_pred.

    >>> Accuracy()([1, 2, 3, 4], [1, 2, 0, 4])
    0.75
    """

    def __init__(self, name: str = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_Accuracy):
    """How often (y_pred > threshold) == y_true.

    >>> BinaryAccuracy(threshold=0.4)([0, 1, 1, 0], [0.2, 0.7, 0.5, 0.5])
    0.75
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=checked_one(type(self).__name__, threshold))


class CategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the one-hot target's class.

    >>> CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    0.5
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the label.

    >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]])
    0.5
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_Accuracy):
    """How often the one-hot target's class is among the k largest predictions.

    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.6, 0.3]])
    1.0
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the label is among the k largest predictions.

    from_sorted_ids   y_pred holds the classes themselves, the most likely one first

    >>> SparseTopKCategoricalAccuracy(k=2)([2], [[0.1, 0.6, 0.3]])
    1.0
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


class AccuracyByShape(_Accuracy):
    """What "accuracy" and "acc" mean: binary, sparse or categorical accuracy,
    as the shapes of a batch call for.

    >>> AccuracyByShape()([1, 0], [[0.2, 0.8], [0.4, 0.6]])
    0.5
    """

    def __init__(self, name: str = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy_by_shape, name, dtype)
