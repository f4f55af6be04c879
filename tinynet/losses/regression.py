"""Losses of real-valued targets: squared and absolute errors, averaged over the last axis."""

from typing import Any

from tinynet import ops
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.losses.shapes import matched


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean (y_pred - y_true)^2 over the last axis; (N, ..., C) -> (N, ...)."""
    y_true, y_pred = matched("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean |y_pred - y_true| over the last axis; (N, ..., C) -> (N, ...)."""
    y_true, y_pred = matched("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """mean (y_pred - y_true)^2."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error") -> None:
        super().__init__(mean_squared_error, reduction, name)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean |y_pred - y_true|."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error") -> None:
        super().__init__(mean_absolute_error, reduction, name)
