"""Scores that weigh errors against something: F-scores of a classifier, R2 of a regression."""

from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config, device, tracebacks
from tinynet.losses.shapes import same_rank
from tinynet.metrics.metric import Metric
from tinynet.metrics.value import value_of


class _Columns(Metric):
    """Base of metrics that keep sums for every column of targets and predictions (N, C)."""

    _direction = "up"
    sums: tuple[str, ...] = ()  # names of the variables, made at the first batch

    def taken(
        self, y_true: Any, y_pred: Any, shape: tuple[int, ...] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Targets and predictions (N, C) on the host; makes the variables, of shape (C,) or the one given."""
        truth, predicted = (np.asarray(device.to_host(as_raw(y)), self.dtype) for y in (y_true, y_pred))
        truth, predicted = same_rank(truth, predicted)
        if truth.ndim != 2 or truth.shape != predicted.shape:
            raise ValueError(
                f"{self.name}: expected targets and predictions of one shape (N, C), "
                f"got {truth.shape} and {predicted.shape}; integer labels go through to_categorical"
            )
        if not hasattr(self, self.sums[0]):
            for name in self.sums:
                setattr(
                    self,
                    name,
                    self.add_variable(
                        truth.shape[1:] if shape is None else shape, dtype="float64", name=name
                    ),
                )
        return truth, predicted

    def values(self) -> list[np.ndarray]:
        """The sums; zeros before the first batch."""
        return [getattr(self, name).numpy() if hasattr(self, name) else np.zeros(1) for name in self.sums]


class FBetaScore(_Columns):
    """(1 + b^2) p r / (b^2 p + r), p precision, r recall: for each class, or by `average` one number for all.

    beta       b > 0, a float: how many times as much recall counts
    average    None: (C,);  "micro": all classes counted together;  "macro": mean of the classes;  "weighted":
               the same, each with the number of its samples
    threshold  predictions above it are positive; None: the largest of each row is

    >>> round(FBetaScore(average="macro", beta=2.0)(np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 1, 0]]), 4)
    0.6944
    """

    sums = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{name}: average must be None, 'micro', 'macro' or 'weighted', got {average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"{name}: beta must be a float > 0, got {beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(
                f"{name}: threshold must be a float with 0 < threshold <= 1, or None, got {threshold!r}"
            )
        self.average, self.beta, self.threshold = average, beta, threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in 0-1 targets y_true and predictions y_pred (N, C); sample_weight (N,)."""
        truth, predicted = self.taken(y_true, y_pred, () if self.average == "micro" else None)
        if self.threshold is None:
            positive = (predicted >= predicted.max(axis=-1, keepdims=True)) & (np.abs(predicted) > 1e-9)
        else:
            positive = predicted > self.threshold
        positive = np.where(np.isnan(predicted), np.nan, positive)  # neither: the scores of its class are NaN
        weight = (
            np.ones(1)
            if sample_weight is None
            else np.asarray(device.to_host(as_raw(sample_weight)), self.dtype)
        )
        axis = None if self.average == "micro" else 0
        counted = positive * truth, positive * (1 - truth), (1 - positive) * truth, truth
        for name, values in zip(self.sums, counted, strict=True):
            getattr(self, name).assign_add((values * weight.reshape(-1, 1)).sum(axis=axis, dtype=np.float64))

    def result(self) -> Any:
        tp, fp, fn, samples = self.values()
        e = config.epsilon()
        precision, recall = tp / (tp + fp + e), tp / (tp + fn + e)
        scores = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + e)
        if self.average == "weighted":
            return value_of((scores * samples / (samples.sum() + e)).sum())
        return value_of(scores if self.average is None else scores.mean())

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """2 p r / (p + r), p precision, r recall; average and threshold are as in FBetaScore.

    >>> F1Score()(np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 1, 0]]).round(4)
    array([0.6667, 0.6667])
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        settings = super().get_config()
        del settings["beta"]
        return settings


class R2Score(_Columns):
    """1 - sum (y - m)^2 / sum (y - mean y)^2, the share of the targets' variance that predictions m explain.

    class_aggregation  "uniform_average": mean of the columns;  "variance_weighted_average";
                       None: all of them, (C,)
    num_regressors     p > 0: the adjusted score 1 - (1 - R2) (n - 1) / (n - p - 1), n the number of samples

    >>> R2Score()([[1.0], [3.0]], [[1.0], [2.0]])
    0.5
    """

    sums = ("squared_sum", "sum", "residual", "count")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                f"{name}: class_aggregation must be None, 'uniform_average' or 'variance_weighted_average', "
                f"got {class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(f"{name}: num_regressors must be >= 0, got {num_regressors}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), dtype="float64", name="num_samples")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true and y_pred (N, C); sample_weight (N,) or of that shape."""
        truth, predicted = (y.astype(np.float64) for y in self.taken(y_true, y_pred))
        weight = (
            np.ones(1)
            if sample_weight is None
            else np.asarray(device.to_host(as_raw(sample_weight)), np.float64)
        )
        weight = np.broadcast_to(weight.reshape(-1, 1) if weight.ndim == 1 else weight, truth.shape)
        summed = truth * truth * weight, truth * weight, (truth - predicted) ** 2 * weight, weight
        for name, values in zip(self.sums, summed, strict=True):
            getattr(self, name).assign_add(values.sum(axis=0))
        self.num_samples.add(len(truth))

    def result(self) -> Any:
        squares, sums, residual, count = self.values()
        with np.errstate(divide="ignore", invalid="ignore"):
            total = squares - sums * (sums / count)
            scores = 1 - residual / total
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (total * scores).sum() / total.sum()
        return value_of(self._adjusted(scores))

    def _adjusted(self, scores: Any) -> Any:
        n, p = float(self.num_samples.numpy()), self.num_regressors
        if not p:
            return scores
        if p >= n - 1:
            tracebacks.warn(f"{self.name} is not adjusted: {p} regressors are too many for {n:.0f} samples")
            return scores
        return 1 - (1 - scores) * (n - 1) / (n - p - 1)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
