"""Regularizers: penalties on weights or outputs that are added to the loss.

    Dense(10, kernel_regularizer=L2(0.01))      # loss + 0.01 sum w^2

A regularizer is a function of a Tensor that returns one number: all elements count,
nothing is divided by the batch.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinynet import missing_names, ops, registry, signature
from tinynet.backend.changes import Counted

missing_names.namespace(__name__)


class Regularizer(signature.Configured, Counted):
    """Base class; subclasses define __call__(self, x), which returns a Tensor of shape ().

    >>> class Fourth(Regularizer):
    ...     def __call__(self, x):
    ...         return ops.sum(x**4)
    >>> Fourth()(tinynet.Tensor([1.0, 2.0])).item()
    17.0
    """

    def __call__(self, x: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(self, x), which returns one number")


class L1L2(Regularizer):
    """l1 sum |x| + l2 sum x^2. Keras 2's `l1_l2()` had 0.01 for both; today both are 0 unless given.

    >>> float(L1L2(0.5, 0.25)(np.array([-2.0, 4.0])))
    8.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor(self, "l1", 0.0 if l1 is None else l1)
        self.l2 = _factor(self, "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        terms = [self.l1 * ops.sum(ops.abs(x))] if self.l1 else []
        terms += [self.l2 * ops.sum(ops.square(x))] if self.l2 else []
        return sum(terms[1:], terms[0]) if terms else 0.0 * ops.sum(x)


class L1(Regularizer):
    """l1 sum |x|: drives weights to exactly 0.

    >>> float(L1(0.5)(np.array([-2.0, 4.0])))
    3.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(self, "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))


class L2(Regularizer):
    """l2 sum x^2, without a factor 1/2.

    >>> float(L2(0.5)(np.array([-2.0, 4.0])))
    10.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(self, "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """factor / (n (n-1) / 2) * 1/2 sum_{i != j} |v_i . v_j|,
    v_i the rows (mode "rows") or columns of unit length.

    x must be a matrix, and n is the number of its rows (columns).
    Raises ValueError for another rank or mode, or factor < 0.

    >>> float(OrthogonalRegularizer(3.0)(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])))
    1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: mode must be 'rows' or 'columns', got {mode!r}")
        self.factor, self.mode = _factor(self, "factor", factor), mode

    def __call__(self, x: Any) -> Any:
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer takes a matrix, got shape {x.shape}")
        v = x if self.mode == "rows" else ops.transpose(x)  # (n, m)
        n = v.shape[0]
        v = v / ops.sqrt(ops.maximum(ops.sum(ops.square(v), axis=1, keepdims=True), 1e-12))
        others = (1.0 - np.eye(n)).astype(x.dtype)
        return self.factor * 0.5 * ops.sum(ops.abs(v @ ops.transpose(v) * others)) / max(n * (n - 1) / 2, 1)


def _factor(regularizer: Regularizer, name: str, value: Any) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ValueError(f"{type(regularizer).__name__}: {name} must be a finite number >= 0, got {value!r}")
    return float(value)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras's second names

_NAMES: dict[str, Callable[..., Any]] = {
    "L1": L1, "L1L2": L1L2, "L2": L2, "OrthogonalRegularizer": OrthogonalRegularizer, "l1": L1, "l1_l2": L1L2,
    "l1l2": L1L2,
    "l2": L2, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier: Any) -> Callable[..., Any] | None:
    """The regularizer meant by `identifier`: a name, a config, a class,
    an instance, a function of a Tensor, or None.

    Raises ValueError for anything else.

    >>> regularizers.get("l2")
    L2()
    """
    return registry.resolve(identifier, _NAMES, "regularizer")


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """The description of a `regularizer`: a dictionary with its "class_name" and "config".

    >>> regularizers.serialize(L2(0.5))["config"]
    {'l2': 0.5}
    """
    return registry.to_config(regularizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Regularizer:
    """The regularizer that `serialize` described by `config`; `custom_objects`: {name: class} of one's own.

    >>> regularizers.deserialize({"class_name": "L2", "config": {"l2": 0.5}})
    L2(l2=0.5)
    """
    with registry.custom_object_scope(custom_objects or {}):
        return registry.from_config(config, _NAMES, "regularizer")
