"""Losses of real-valued targets, averaged over the last axis: (N, ..., C) -> (N, ...)."""

import math
from typing import Any

from tinynet import ops
from tinynet.autograd import composition
from tinynet.backend import config
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.losses.shapes import matched

_LOG_2 = math.log(2.0)


@composition
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean (y_pred - y_true)^2 over the last axis; ValueError where their shapes differ."""
    y_true, y_pred = matched("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


@composition
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean |y_pred - y_true|."""
    y_true, y_pred = matched("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


@composition
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 mean |(y_true - y_pred) / max(|y_true|, 1e-7)|."""
    y_true, y_pred = matched("mean_absolute_percentage_error", y_true, y_pred)
    scale = ops.maximum(ops.abs(y_true), config.epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / scale), axis=-1)


@composition
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean (log(max(y_pred, 1e-7) + 1) - log(max(y_true, 1e-7) + 1))^2."""
    y_true, y_pred = matched("mean_squared_logarithmic_error", y_true, y_pred)
    first, second = (ops.log(ops.maximum(y, config.epsilon()) + 1.0) for y in (y_pred, y_true))
    return ops.mean(ops.square(first - second), axis=-1)


@composition
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y_pred - y_true.

    In one expression c (e - c / 2), with c = e within +-delta.   P. Huber, 1964.

    >>> losses.huber([[0.0, 0.0]], [[1.0, 4.0]], delta=2.0)
    array([3.25], dtype=float32)
    """
    y_true, y_pred = matched("huber", y_true, y_pred)
    error = y_pred - y_true
    inside = ops.clip(error, x_min=-float(delta), x_max=float(delta))
    return ops.mean(inside * (error - inside * 0.5), axis=-1)


@composition
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean log(cosh(e)) = mean (e + softplus(-2 e) - log 2), with e = y_pred - y_true."""
    y_true, y_pred = matched("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    values = error + ops.softplus(error * -2.0)
    return ops.mean(values - _LOG_2, axis=-1)


@composition
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """-sum u v, u and v the vectors y_true and y_pred along `axis`, divided by their lengths (or 1e-7).

    >>> losses.cosine_similarity([[1.0, 0.0]], [[2.0, 0.0]])
    array([-1.], dtype=float32)
    """
    y_true, y_pred = matched("cosine_similarity", y_true, y_pred)
    return -ops.sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


def unit(x: Any, axis: int) -> Any:
    """x / max(|x|, 1e-7) along `axis`."""
    return ops.normalize(x, axis)


class MeanSquaredError(LossFunctionWrapper):
    """mean (y_pred - y_true)^2. reduction, name, dtype are as in Loss.

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]).item()
    2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean |y_pred - y_true|. reduction, name, dtype are as in Loss.

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]).item()
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """100 mean |(y_true - y_pred) / max(|y_true|, 1e-7)|. reduction, name, dtype are as in Loss.

    >>> MeanAbsolutePercentageError()([[4.0, 1.0]], [[2.0, 1.0]]).item()
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """mean (log(y_pred + 1) - log(y_true + 1))^2, negative numbers counting as 1e-7.
    reduction, name, dtype are as in Loss.

    >>> round(MeanSquaredLogarithmicError()([[0.0]], [[1.0]]).item(), 4)
    0.4805
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Half the squared error up to `delta`, then a straight line, delta |e| - delta^2 / 2.

    reduction, name, dtype are as in Loss.

    >>> Huber(delta=2.0)([[0.0, 0.0]], [[1.0, 4.0]]).item()
    3.25
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """mean log(cosh(y_pred - y_true)). reduction, name, dtype are as in Loss.

    >>> round(LogCosh()([[0.0]], [[1.0]]).item(), 4)
    0.4338
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh", dtype: str | None = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions along `axis`: from -1 (best) to 1.

    reduction, name, dtype are as in Loss.

    >>> CosineSimilarity()([[1.0, 0.0]], [[0.0, 2.0]]).item()
    0.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
