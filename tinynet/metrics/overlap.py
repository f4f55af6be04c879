"""Confusion matrices of several classes, and what segmentation calls intersection over union."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config, device, tracebacks
from tinynet.metrics.metric import Metric
from tinynet.metrics.thresholds import checked_one
from tinynet.metrics.value import Value, value_of


class ConfusionMatrix(Metric):
    """How often class i (row) was predicted as class j (column); not a metric of Keras.

    Targets and predictions are labels, or rows (..., C) of which the largest counts. `result` is the matrix:
    fit and evaluate keep it up to date but leave it out of what they report. `plotting.confusion_matrix`
    draws one from labels.

    >>> ConfusionMatrix(num_classes=2)([0, 1, 1], [0, 1, 0])
    Values([[1., 0.],
            [1., 1.]])
    """

    _in_logs = False

    def __init__(self, num_classes: int, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        if not isinstance(num_classes, int | np.integer) or num_classes < 2:
            raise ValueError(f"{self.name}: num_classes must be an integer >= 2, got {num_classes!r}")
        self.num_classes = int(num_classes)
        self.matrix = self.add_variable(
            (num_classes, num_classes), dtype="float64", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true and y_pred; sample_weight one for each target.
        Raises ValueError for labels of no class.
        """
        truth, predicted = (self._labels(device.to_host(as_raw(y))) for y in (y_true, y_pred))
        if len(truth) != len(predicted):
            raise ValueError(f"{self.name}: got {len(truth)} targets and {len(predicted)} predictions")
        both = np.concatenate([truth, predicted])
        if both.size and (both.min() < 0 or both.max() >= self.num_classes):
            raise ValueError(f"{self.name}: labels must lie in 0 .. {self.num_classes - 1}")
        self.add(truth, predicted, sample_weight)

    def _labels(self, y: np.ndarray) -> np.ndarray:
        rows = y.ndim > 1 and y.shape[-1] == self.num_classes
        return (y.argmax(-1) if rows else y).reshape(-1).astype(np.int64)

    def add(self, truth: np.ndarray, predicted: np.ndarray, sample_weight: Any) -> None:
        """Counts the pairs of labels truth, predicted (M,), each with its sample_weight (None: 1)."""
        weight = None
        if sample_weight is not None:
            weight = np.broadcast_to(
                np.asarray(device.to_host(as_raw(sample_weight)), np.float64).reshape(-1), truth.shape
            )
        counts = np.bincount(truth * self.num_classes + predicted, weight, minlength=self.num_classes**2)
        self.matrix.assign_add(counts.reshape(self.matrix.shape))

    def result(self) -> Any:
        return value_of(self.matrix.numpy())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


class IoU(ConfusionMatrix):
    """tp / (tp + fp + fn) of each class of `target_class_ids`, averaged over those that occur.

    Targets and predictions are labels, or with sparse_y_true=False, sparse_y_pred=False scores along `axis`,
    of which the largest counts. Targets of `ignore_class`, and labels outside 0 .. num_classes - 1, are left
    out. The fractions of weights are cut off unless dtype="float32" is given.

    >>> round(IoU(num_classes=2, target_class_ids=[1])([0, 1, 1], [0, 1, 0]), 4)
    0.5
    """

    _direction = "up"
    _in_logs = True

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype or "int32")
        if not len(target_class_ids) or max(target_class_ids) >= num_classes or min(target_class_ids) < 0:
            raise ValueError(
                f"{self.name}: target_class_ids must lie in 0 .. {num_classes - 1}, got {target_class_ids}"
            )
        self.target_class_ids, self.ignore_class = list(target_class_ids), ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true and y_pred; sample_weight one for each target."""
        truth, predicted = device.to_host(as_raw(y_true)), device.to_host(as_raw(y_pred))
        truth = (truth if self.sparse_y_true else truth.argmax(self.axis)).reshape(-1).astype(np.int64)
        predicted = (
            (predicted if self.sparse_y_pred else predicted.argmax(self.axis)).reshape(-1).astype(np.int64)
        )
        if len(truth) != len(predicted):
            raise ValueError(f"{self.name}: got {len(truth)} targets and {len(predicted)} predictions")
        n = self.num_classes
        counted = (
            (truth >= 0) & (truth < n) & (predicted >= 0) & (predicted < n) & (truth != self.ignore_class)
        )
        weight = None
        if sample_weight is not None:
            weight = self._weights(np.asarray(device.to_host(as_raw(sample_weight)), np.float64).reshape(-1))
            weight = np.broadcast_to(weight, truth.shape)[counted]
        self.add(truth[counted], predicted[counted], weight)

    def _weights(self, weight: np.ndarray) -> np.ndarray:
        """The weights as numbers of the metric's dtype."""
        whole = weight if np.dtype(self.dtype).kind == "f" else np.trunc(weight)
        if (whole != weight).any():
            tracebacks.warn(
                f"{self.name} counts in integers, so the fractions of sample_weight are cut off, "
                "as in Keras; dtype='float32' keeps them"
            )
        return whole

    def result(self) -> Value:
        matrix, e = self.matrix.numpy(), config.epsilon()
        both = np.diag(matrix)
        either = (matrix.sum(axis=0) + matrix.sum(axis=1) - both)[self.target_class_ids]
        shares = np.where(either > 1e-9, both[self.target_class_ids] / (either + e), 0.0)
        return Value(shares.sum() / (np.count_nonzero(either > 1e-9) + e))

    def get_config(self) -> dict[str, Any]:
        names = ("target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class BinaryIoU(IoU):
    """IoU of two classes (of which target_class_ids count),
    told apart by whether a prediction is at least `threshold`.

    >>> round(BinaryIoU(threshold=0.3)([0, 1, 1], [0.1, 0.9, 0.4]), 4)
    1.0
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = checked_one(type(self).__name__, threshold)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true, 0 or 1, and y_pred; sample_weight one for each target."""
        predicted = np.asarray(device.to_host(as_raw(y_pred)), np.float32) >= np.float32(self.threshold)
        super().update_state(y_true, predicted, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {"name": self.name, "dtype": self.dtype, **own}


class MeanIoU(IoU):
    """IoU averaged over all `num_classes`; ignore_class, sparse_y_true, sparse_y_pred, axis are as in IoU.

    >>> round(MeanIoU(num_classes=2)([0, 1, 1], [0, 1, 0]), 4)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """IoU of one-hot targets and, unless sparse_y_pred, of scores of the classes.

    num_classes, target_class_ids, ignore_class and axis are as in IoU.

    >>> round(OneHotIoU(2, [1])(np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 1, 0]]), 4)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """MeanIoU of one-hot targets and, unless sparse_y_pred, of scores of the classes.

    num_classes, ignore_class and axis are as in IoU.

    >>> round(OneHotMeanIoU(2)(np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 1, 0]]), 4)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


def _without(settings: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != name}
