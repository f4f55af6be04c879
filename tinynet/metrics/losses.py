"""Losses as metrics: their mean over all samples so far."""

from tinynet import losses
from tinynet.metrics.metric import MeanMetricWrapper


class _LossMetric(MeanMetricWrapper):
    direction = "down"


class MeanSquaredError(_LossMetric):
    """Mean of (y_pred - y_true)^2."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(losses.mean_squared_error, name)


class MeanAbsoluteError(_LossMetric):
    """Mean of |y_pred - y_true|."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(losses.mean_absolute_error, name)


class CategoricalCrossentropy(_LossMetric):
    """Mean of -sum_c y_c ln p_c."""

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, **settings)


class SparseCategoricalCrossentropy(_LossMetric):
    """Mean of -ln p_label."""

    def __init__(
        self, name: str = "sparse_categorical_crossentropy", from_logits: bool = False, axis: int = -1
    ) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name, from_logits=from_logits, axis=axis)


class BinaryCrossentropy(_LossMetric):
    """Mean of -y ln p - (1 - y) ln(1 - p)."""

    def __init__(
        self, name: str = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(losses.binary_crossentropy, name, from_logits=from_logits, label_smoothing=label_smoothing)
