"""Cross-entropies and their like. Probabilities are clipped to [1e-7, 1 - 1e-7] as Keras does;
logits are not clipped.

Clipping has two consequences worth knowing: a wrong prediction costs at most -ln 1e-7 = 16.1, and where the
clip is active the gradient is exactly zero, so training can stall there.
"""

from typing import Any

from tinynet import ops
from tinynet.autograd import composition
from tinynet.backend import config, tracebacks
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.losses.shapes import counted_labels, kind_of_targets, labels, matched, prediction
from tinynet.ops.settings import number


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-sum_c y_c ln p_c of one-hot targets y_true (N, C) -> (N,), p = y_pred renormalised and clipped.

    from_logits: p = softmax(y_pred);  axis: that of the classes.
    label_smoothing s replaces y by y (1 - s) + s / C.

    >>> losses.categorical_crossentropy([[0, 1]], [[0.2, 0.8]]).round(4)
    array([0.2231], dtype=float32)
    """
    y_true, y_pred = matched("categorical_crossentropy", y_true, y_pred)
    y_true, y_pred = _last(y_true, axis), _last(y_pred, axis)
    if y_pred.shape[-1] == 1:
        tracebacks.warn(
            f"categorical_crossentropy: predictions of shape {y_pred.shape} have one class only, "
            "so the loss is 0 or constant; for two classes use binary_crossentropy"
        )
    if label_smoothing:
        y_true = _smoothed(
            y_true, _check_smoothing("categorical_crossentropy", label_smoothing), y_true.shape[-1]
        )
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """-ln p_label of integer labels y_true (N,) or (N, 1) -> (N,),
    p and y_pred as in `categorical_crossentropy`.

    from_logits, axis   as there;  ignore_class   a label for which the loss is 0

    >>> losses.sparse_categorical_crossentropy([1], [[0.2, 0.8]]).round(4)
    array([0.2231], dtype=float32)
    """
    name = "sparse_categorical_crossentropy"
    y_pred = _last(prediction(y_pred), axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(
            labels(name, y_true, y_pred), y_pred, from_logits=from_logits
        )
    y_true, counted = counted_labels(name, y_true, y_pred, ignore_class)
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.where(counted, losses, 0.0)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean over `axis` of -y ln p - (1 - y) ln(1 - p), y = y_true and p = y_pred clipped.

    from_logits: p = sigmoid(y_pred), in its stable form. label_smoothing s replaces y by y (1 - s) + s / 2.

    >>> losses.binary_crossentropy([[1.0]], [[0.8]]).round(4)
    array([0.2231], dtype=float32)
    """
    y_true, y_pred = matched("binary_crossentropy", y_true, y_pred)
    y_true, y_pred = _last(y_true, axis), _last(y_pred, axis)
    if label_smoothing:
        y_true = _smoothed(y_true, _check_smoothing("binary_crossentropy", label_smoothing), 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=-1)


def crossentropy(y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy that fits the shapes of y_true and y_pred, as the string "crossentropy" asks for."""
    kind = kind_of_targets(y_true, y_pred)
    if kind == "binary":
        return binary_crossentropy(y_true, y_pred)
    return (sparse_categorical_crossentropy if kind == "sparse" else categorical_crossentropy)(y_true, y_pred)


@composition
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum_c y_c ln(y_c / p_c) of distributions y_true and y_pred (N, C) -> (N,),
    both clipped to [1e-7, 1].
    """
    y_true, y_pred = matched("kl_divergence", y_true, y_pred)
    y, p = (ops.clip(values, x_min=config.epsilon(), x_max=1.0) for values in (y_true, y_pred))
    return ops.sum(y * ops.log(y / p), axis=-1)


@composition
def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean (m - y ln(m + 1e-7)) of counts y = y_true and means m = y_pred, over the last axis."""
    y_true, y_pred = matched("poisson", y_true, y_pred)
    logs = ops.log(y_pred + config.epsilon())
    return ops.mean(y_pred - y_true * logs, axis=-1)


@composition
def _smoothed(y: Any, smoothing: float, classes: int) -> Any:
    return y * (1.0 - smoothing) + smoothing / classes


def _last(y: Any, axis: int) -> Any:
    return y if axis in (-1, y.ndim - 1) else ops.moveaxis(y, source=axis, destination=-1)


def _check_smoothing(name: str, label_smoothing: float) -> float:
    return number(name, "label_smoothing", label_smoothing, 0, 1)


class CategoricalCrossentropy(LossFunctionWrapper):
    """-sum_c y_c ln p_c of one-hot targets.

    from_logits   predictions are logits, p = softmax of them;  axis   that of the classes
    label_smoothing   s in 0 .. 1: targets become y (1 - s) + s / C;  reduction, name, dtype   as in Loss

    >>> round(CategoricalCrossentropy()([[0, 1]], [[0.2, 0.8]]).item(), 4)
    0.2231
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        smoothing = _check_smoothing(name, label_smoothing)
        settings = {"from_logits": from_logits, "label_smoothing": smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **settings)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """-ln p_label of integer labels; samples of `ignore_class` do not count, in the mean either.

    from_logits   predictions are logits, p = softmax of them;  axis   that of the classes
    reduction, name, dtype   as in Loss

    >>> round(SparseCategoricalCrossentropy()([1], [[0.2, 0.8]]).item(), 4)
    0.2231
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        settings = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **settings)

    def _which_count(self, y_true: Any, y_pred: Any) -> Any:
        if (ignored := self.settings["ignore_class"]) is None:
            return None
        return counted_labels(self.name, y_true, _last(y_pred, self.settings["axis"]), ignored)[1]


class BinaryCrossentropy(LossFunctionWrapper):
    """-y ln p - (1 - y) ln(1 - p), averaged over `axis`.

    from_logits   predictions are logits, p = sigmoid of them
    label_smoothing   s in 0 .. 1: targets become y (1 - s) + s / 2;  reduction, name, dtype   as in Loss

    >>> round(BinaryCrossentropy()([[1.0]], [[0.8]]).item(), 4)
    0.2231
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        smoothing = _check_smoothing(name, label_smoothing)
        settings = {"from_logits": from_logits, "label_smoothing": smoothing, "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **settings)


class KLDivergence(LossFunctionWrapper):
    """sum_c y_c ln(y_c / p_c): what the distribution p loses against y. reduction,
    name, dtype are as in Loss.

    >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).item(), 4)
    0.1438
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: str | None = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """mean (m - y ln m): the negative logarithm of a Poisson distribution's density, but for a constant.

    reduction, name, dtype are as in Loss.

    >>> round(Poisson()([[2.0]], [[3.0]]).item(), 4)
    0.8028
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: str | None = None
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
