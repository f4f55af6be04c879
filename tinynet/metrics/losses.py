"""Losses as metrics: their mean over all samples so far, the less the better."""

from typing import Any

from tinynet import losses, ops
from tinynet.autograd import as_raw, as_tensor, composition
from tinynet.backend import config
from tinynet.losses.regression import unit
from tinynet.losses.shapes import counted_labels, matched, weights_like
from tinynet.metrics.mean import Mean, MeanMetricWrapper
from tinynet.metrics.value import Value


class _LossMetric(MeanMetricWrapper):
    _direction = "down"


class MeanSquaredError(_LossMetric):
    """Mean of (y_pred - y_true)^2.

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])
    2.0
    """

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """Square root of the mean of (y_pred - y_true)^2.

    >>> RootMeanSquaredError()([[0.0], [0.0]], [[2.0], [2.0]])
    2.0
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Takes in y_true and y_pred, targets and predictions of one shape; `sample_weight` as in Mean."""
        y_true, y_pred = matched(self.name, y_true, y_pred)
        super().update_state(ops.square(as_tensor(y_pred) - y_true), sample_weight)

    def result(self) -> Value:
        return Value(super().result() ** 0.5)


class MeanAbsoluteError(_LossMetric):
    """Mean of |y_pred - y_true|.

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])
    1.0
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_LossMetric):
    """Mean of 100 |y_true - y_pred| / |y_true|.

    >>> MeanAbsolutePercentageError()([[4.0, 1.0]], [[2.0, 1.0]])
    25.0
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_LossMetric):
    """Mean of (log(y_pred + 1) - log(y_true + 1))^2.

    >>> round(MeanSquaredLogarithmicError()([[0.0]], [[1.0]]), 4)
    0.4805
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(_LossMetric):
    """Mean of log(cosh(y_pred - y_true)).

    >>> round(LogCoshError()([[0.0]], [[1.0]]), 4)
    0.4338
    """

    def __init__(self, name: str = "logcosh", dtype: str | None = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


@composition
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between targets and predictions; the loss of this name has the opposite sign."""
    y_true, y_pred = matched("cosine_similarity", y_true, y_pred)
    return ops.sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and predictions along `axis`: 1 is best.

    >>> CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]])
    1.0
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: str | None = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class CategoricalCrossentropy(_LossMetric):
    """Mean of -sum_c y_c ln p_c; from_logits, label_smoothing, axis are as in the loss of this name.

    >>> round(CategoricalCrossentropy()([[0, 1]], [[0.2, 0.8]]), 4)
    0.2231
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **settings)


class SparseCategoricalCrossentropy(_LossMetric):
    """Mean of -ln p_label; samples of `ignore_class` count as 0 and, beside weights of samples, not at all.

    from_logits   predictions are logits, p = softmax of them;  axis   that of the classes

    >>> round(SparseCategoricalCrossentropy()([1], [[0.2, 0.8]]), 4)
    0.2231
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **settings)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        ignored = self.settings["ignore_class"]
        if ignored is not None and sample_weight is not None:
            _, counted = counted_labels(self.name, y_true, as_raw(y_pred), ignored)
            counted = counted.astype(config.floatx())
            sample_weight = counted * weights_like(counted, sample_weight)
        super().update_state(y_true, y_pred, sample_weight)


class BinaryCrossentropy(_LossMetric):
    """Mean of -y ln p - (1 - y) ln(1 - p); from_logits and label_smoothing are as in the loss of this name.

    >>> round(BinaryCrossentropy()([[1.0]], [[0.8]]), 4)
    0.2231
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **settings)


class KLDivergence(_LossMetric):
    """Mean of sum_c y_c ln(y_c / p_c).

    >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 4)
    0.1438
    """

    def __init__(self, name: str = "kl_divergence", dtype: str | None = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(_LossMetric):
    """Mean of m - y ln m.

    >>> round(Poisson()([[2.0]], [[3.0]]), 4)
    0.8028
    """

    def __init__(self, name: str = "poisson", dtype: str | None = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class Hinge(_LossMetric):
    """Mean of max(1 - y_true y_pred, 0).

    >>> Hinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.0
    """

    def __init__(self, name: str = "hinge", dtype: str | None = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(_LossMetric):
    """Mean of max(1 - y_true y_pred, 0)^2.

    >>> SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.25
    """

    def __init__(self, name: str = "squared_hinge", dtype: str | None = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(_LossMetric):
    """Mean of max(max_c (1 - y_c) p_c - sum_c y_c p_c + 1, 0).

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])
    0.75
    """

    def __init__(self, name: str = "categorical_hinge", dtype: str | None = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
