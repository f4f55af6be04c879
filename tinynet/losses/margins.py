"""Hinge losses: nothing to pay for predictions on the right side of a margin, a straight line beyond it."""

from typing import Any

import numpy as np

from tinynet import ops
from tinynet.autograd import Tensor, as_tensor, composition
from tinynet.kernels import elementwise
from tinynet.kernels.common import launch
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.losses.shapes import matched


@composition
def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean max(1 - y_true y_pred, 0) over the last axis; y_true is -1 or 1,
    and where all of a batch are 0 or 1, 0 means -1.
    """
    return ops.mean(_margin("hinge", y_true, y_pred), axis=-1)


@composition
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean max(1 - y_true y_pred, 0)^2 over the last axis; y_true as in `hinge`."""
    return ops.mean(ops.square(_margin("squared_hinge", y_true, y_pred)), axis=-1)


@composition
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(max_c (1 - y_c) p_c - sum_c y_c p_c + 1, 0) of one-hot targets y_true
    (N, C) and p = y_pred -> (N,).
    """
    y_true, y_pred = matched("categorical_hinge", y_true, y_pred)
    own = ops.sum(y_true * y_pred, axis=-1)
    others = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.relu(others - own + 1.0)


def _margin(name: str, y_true: Any, y_pred: Any) -> Any:
    """max(1 - y_true y_pred, 0)."""
    y_true, y_pred = matched(name, y_true, y_pred)
    return ops.relu(1.0 - _signed(y_true) * y_pred)


def _signed(y: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; if there are others among them, all stay what they are."""
    y = as_tensor(y)
    if type(y.data) is not np.ndarray:  # nobody waits for what the labels are
        return ops.where(((y.data == 0) | (y.data == 1)).all(), y * 2.0 - 1.0, y)
    if y.requires_grad:
        return y * 2.0 - 1.0 if _binary(y.data) else y
    out = elementwise.like(y.data, y.shape, y.dtype)
    launch(_sign_into, out, y.data)  # what the labels are is looked at whenever a step is repeated
    return Tensor(out)


def _sign_into(out: np.ndarray, y: np.ndarray) -> None:
    np.copyto(out, y)
    if _binary(y):
        out *= 2
        out -= 1


def _binary(y: Any) -> bool:
    return bool(((y == 0) | (y == 1)).all())


class Hinge(LossFunctionWrapper):
    """mean max(1 - y_true y_pred, 0), y_true -1 or 1 (or 0 or 1). reduction, name, dtype are as in Loss.

    >>> Hinge()([[1.0, -1.0]], [[0.5, 0.5]]).item()
    1.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: str | None = None
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """mean max(1 - y_true y_pred, 0)^2, y_true -1 or 1 (or 0 or 1). reduction, name, dtype are as in Loss.

    >>> SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]).item()
    1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """By how much the largest wrong prediction comes within 1 of the right one.
    reduction, name, dtype are as in Loss.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).item()
    0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
