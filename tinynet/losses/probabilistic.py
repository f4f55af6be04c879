"""Cross-entropies. Probabilities are clipped to [1e-7, 1 - 1e-7] as Keras does; with `from_logits` nothing is clipped.

Clipping has two consequences worth knowing: a wrong prediction costs at most -ln 1e-7 = 16.1, and where the clip is
active the gradient is exactly zero, so training can stall there.
"""

from typing import Any

from tinynet import ops
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.losses.shapes import kind_of_targets, labels, matched, prediction


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-sum_c y_c ln p_c of one-hot targets (N, C) -> (N,), p renormalised and clipped; logits: p = softmax(y_pred).

    Label smoothing s replaces y by y (1 - s) + s / C.
    """
    y_true, y_pred = matched("categorical_crossentropy", y_true, y_pred)
    y_true, y_pred = _last(y_true, axis), _last(y_pred, axis)
    if label_smoothing:
        y_true = _smoothed(y_true, label_smoothing, y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-ln p_label of integer labels (N,) or (N, 1) -> (N,), p as in `categorical_crossentropy`."""
    y_pred = _last(prediction(y_pred), axis)
    y_true = labels("sparse_categorical_crossentropy", y_true, y_pred)
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean over `axis` of -y ln p - (1 - y) ln(1 - p), p clipped; logits: p = sigmoid(y_pred), in its stable form.

    Label smoothing s replaces y by y (1 - s) + s / 2.
    """
    y_true, y_pred = matched("binary_crossentropy", y_true, y_pred)
    y_true, y_pred = _last(y_true, axis), _last(y_pred, axis)
    if label_smoothing:
        y_true = _smoothed(y_true, label_smoothing, 2)
    return ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)


def crossentropy(y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy that fits the shapes, as the string "crossentropy" asks for."""
    kind = kind_of_targets(y_true, y_pred)
    if kind == "binary":
        return binary_crossentropy(y_true, y_pred)
    return (sparse_categorical_crossentropy if kind == "sparse" else categorical_crossentropy)(y_true, y_pred)


def _smoothed(y: Any, smoothing: float, classes: int) -> Any:
    return ops.add(ops.multiply(y, 1.0 - smoothing), smoothing / classes)


def _last(y: Any, axis: int) -> Any:
    return y if axis in (-1, y.ndim - 1) else ops.moveaxis(y, source=axis, destination=-1)


def _check_smoothing(name: str, label_smoothing: float) -> float:
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"{name}: label_smoothing must lie between 0 and 1, got {label_smoothing}")
    return label_smoothing


class CategoricalCrossentropy(LossFunctionWrapper):
    """-sum_c y_c ln p_c of one-hot targets."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
    ) -> None:
        smoothing = _check_smoothing(name, label_smoothing)
        settings = {"from_logits": from_logits, "label_smoothing": smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, **settings)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """-ln p_label of integer labels."""

    def __init__(
        self,
        from_logits: bool = False,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, reduction, name, from_logits=from_logits, axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """-y ln p - (1 - y) ln(1 - p), averaged over the last axis."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
    ) -> None:
        smoothing = _check_smoothing(name, label_smoothing)
        settings = {"from_logits": from_logits, "label_smoothing": smoothing, "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, **settings)
