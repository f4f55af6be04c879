"""Targets, predictions and weights brought to matching shapes, with errors that say what to do."""

from typing import Any

import numpy as np

from tinynet import ops
from tinynet.autograd import Tensor, as_raw, as_tensor
from tinynet.backend.number_format import numbers
from tinynet.kernels import elementwise
from tinynet.kernels.common import is_on_gpu, launch, xp
from tinynet.kernels.devices import check_together
from tinynet.ops.settings import floats

FLATTEN = (
    "; a Flatten() or GlobalAveragePooling2D() before the last Dense leaves one prediction for each sample"
)


def prediction(y_pred: Any) -> Any:
    """`y_pred` as a Tensor or an array of floating-point numbers."""
    return floats(y_pred)[0]


def target(y_true: Any, y_pred: Any) -> Any:
    """`y_true` as an array on the device and of the dtype of `y_pred`; a tracked Tensor stays what it is.

    One-hot targets are float64 or uint8 as often as not;
    without the cast they would turn the loss into float64.
    """
    if isinstance(y_true, Tensor) and y_true.requires_grad:
        return y_true
    return _array(y_true, y_pred)


def _array(x: Any, beside: Any) -> Any:
    """`x` as a constant on the device and of the dtype of `beside`."""
    module = xp(as_raw(beside))
    _check_place(x, beside)
    if isinstance(x, Tensor) and xp(x.data) is module:
        return ops.cast(x.detach(), dtype=beside.dtype)  # a Tensor: backward notices if it is changed
    x = as_raw(x)
    whole = type(x) is module.ndarray and x.ndim  # a single number was never part of a batch
    return elementwise.cast(x, beside.dtype) if whole else module.asarray(_readable(x), beside.dtype)


def _check_place(x: Any, beside: Any) -> None:
    """Targets in host memory follow the predictions to a GPU; those on a GPU do not leave it."""
    if is_on_gpu(as_raw(x)):
        check_together("targets and predictions", [as_raw(x), as_raw(beside)])


def _readable(x: Any) -> Any:
    """x, or lists as an array; TypeError for what holds no numbers."""
    return x if hasattr(x, "dtype") else numbers(x)


def same_rank(a: Any, b: Any) -> tuple[Any, Any]:
    """(N,) beside (N, 1) becomes (N, 1); in higher ranks a last axis of size 1
    that only one of them has is dropped.
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, ops.expand_dims(b, axis=-1)) if b.ndim == 1 else (ops.squeeze(a, axis=-1), b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (ops.expand_dims(a, axis=-1), b) if a.ndim == 1 else (a, ops.squeeze(b, axis=-1))
    return a, b


def matched(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions of one shape and dtype;
    raises ValueError where that would take broadcasting.
    """
    y_pred = prediction(y_pred)
    y_true, y_pred = same_rank(target(y_true, y_pred), y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{name}: targets have shape {y_true.shape}, predictions {y_pred.shape}; they must be equal"
            + _advice(y_true.shape, y_pred.shape)
        )
    return y_true, y_pred


def labels(name: str, y_true: Any, y_pred: Any) -> Any:
    """Integer labels of the shape of `y_pred` without its class axis; (N, 1) becomes (N,)."""
    return _classes(name, _one_per_row(name, y_true, y_pred), y_pred.shape[-1])


def counted_labels(name: str, y_true: Any, y_pred: Any, ignored: int) -> tuple[Any, Any]:
    """The labels with 0 where they are `ignored`, which need not be one of the classes,
    and where they are not.
    """
    y_true = _one_per_row(name, y_true, y_pred)
    counted = as_tensor(y_true) != ignored
    return _classes(name, ops.where(counted, y_true, 0), y_pred.shape[-1]), counted


def _one_per_row(name: str, y_true: Any, y_pred: Any) -> Any:
    module = xp(as_raw(y_pred))
    _check_place(y_true, y_pred)
    same = isinstance(y_true, Tensor) and xp(y_true.data) is module
    y_true = y_true.detach() if same else module.asarray(_readable(as_raw(y_true)))
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = ops.reshape(y_true, y_true.shape[:-1])
    if y_true.shape != y_pred.shape[:-1]:
        hint = ""
        if y_true.shape == y_pred.shape:
            hint = "; targets of the predictions' shape are one-hot: use categorical_crossentropy"
        elif y_true.ndim < y_pred.ndim - 1:
            hint = FLATTEN
        raise ValueError(
            f"{name}: expected integer labels of shape {y_pred.shape[:-1]} for predictions "
            f"of shape {y_pred.shape}, got {y_true.shape}{hint}"
        )
    return y_true


def _classes(name: str, y_true: Any, classes: int) -> Any:
    """`y_true` as integers. In host memory they are looked at:
    one that is no class would silently cost nothing.
    """
    whole = y_true if y_true.dtype.kind in "iu" else ops.cast(y_true, dtype=np.int64)
    given, seen = as_raw(y_true), as_raw(whole)
    if isinstance(seen, np.ndarray) and seen.size:
        unsigned = seen.view(f"u{seen.itemsize}")  # in which labels below 0 are the largest of all
        # a launch: a step that is repeated looks at every batch
        launch(_look_at, name, given, seen, unsigned, classes)
    return whole


def _look_at(name: str, y_true: np.ndarray, whole: np.ndarray, unsigned: np.ndarray, classes: int) -> None:
    if whole is not y_true and (whole != y_true).any():
        raise ValueError(f"{name}: labels must be whole numbers, got {y_true[whole != y_true].flat[0]}")
    if np.maximum.reduce(unsigned, axis=None) >= classes:
        smallest, largest = whole.min(), whole.max()
        hint = (
            "number the classes from 0; ignore_class leaves one label out"
            if smallest < 0
            else ("give the last layer more units, or number the classes from 0")
        )
        raise ValueError(
            f"{name}: got the label {smallest if smallest < 0 else largest}, "
            f"but there are {classes} classes, 0 to {classes - 1}; {hint}"
        )


def weights_like(values: Any, sample_weight: Any) -> Any:
    """`sample_weight` as an array that multiplies `values` (N, ...): one per sample,
    or any shape that broadcasts.
    """
    weight = _array(sample_weight, values)
    given = weight.shape
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight.reshape(weight.shape[:-1])
    if weight.ndim < values.ndim and weight.shape == values.shape[: weight.ndim]:
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    try:
        fits = np.broadcast_shapes(weight.shape, values.shape) == values.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"sample_weight has shape {given}, the losses {values.shape}; give one weight per sample"
        )
    return weight


def kind_of_targets(y_true: Any, y_pred: Any) -> str:
    """What "accuracy" and "crossentropy" stand for: "binary", "sparse" or "categorical",
    by Keras's rule on shapes.
    """
    true, pred = (_readable(y).shape for y in (y_true, y_pred))
    if not pred:
        raise ValueError(f"predictions must have the samples along their first axis, got the number {y_pred}")
    if pred[-1] == 1:
        return "binary"
    sparse = len(true) < len(pred) or (true[-1] == 1 and pred[-1] > 1)
    return "sparse" if sparse else "categorical"


def _advice(true: tuple[int, ...], pred: tuple[int, ...]) -> str:
    if true == pred[:-1] or true == (*pred[:-1], 1):
        return (
            ". Integer labels go with sparse_categorical_crossentropy, "
            f"or through to_categorical(y, {pred[-1]})"
        )
    if true[:1] != pred[:1]:
        return ". They differ in the number of samples"
    if len(true) < len(pred) and true[-1:] == pred[-1:]:
        return FLATTEN
    return ". Check the units of the last layer against the targets"
