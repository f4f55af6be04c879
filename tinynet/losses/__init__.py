"""Losses, by Keras's names: functions give one value per sample, classes reduce them to one number."""

from collections.abc import Callable
from typing import Any

from tinynet import lookup
from tinynet.losses.loss import Loss, LossFunctionWrapper
from tinynet.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    crossentropy,
    sparse_categorical_crossentropy,
)
from tinynet.losses.regression import MeanAbsoluteError, MeanSquaredError, mean_absolute_error, mean_squared_error

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "as_loss",
    "binary_crossentropy",
    "categorical_crossentropy",
    "crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_CLASSES: dict[str, type[Loss]] = {
    cls.__name__: cls
    for cls in (
        BinaryCrossentropy, CategoricalCrossentropy, MeanAbsoluteError, MeanSquaredError, SparseCategoricalCrossentropy,
    )
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "binary_crossentropy": binary_crossentropy,
    "categorical_crossentropy": categorical_crossentropy,
    "crossentropy": crossentropy,
    "mean_absolute_error": mean_absolute_error,
    "mean_squared_error": mean_squared_error,
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
    "ce": crossentropy,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
}


def get(identifier: Any) -> Callable[..., Any] | None:
    """The loss meant by a name, a config, a class, an instance, a function (y_true, y_pred), or None.

    As in Keras, the name of a function gives the function and the name of a class an instance of it.
    """
    return lookup.resolve(identifier, {**_FUNCTIONS, **_CLASSES}, "loss")


def as_loss(identifier: Any) -> Loss | None:
    """The same as a Loss: what `compile(loss=...)` does with its argument; functions get the default reduction."""
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=identifier if isinstance(identifier, str) else None)


def serialize(loss: Loss) -> dict[str, Any]:
    """{"class_name", "config"} of a loss."""
    return lookup.to_config(loss)


def deserialize(config: dict[str, Any]) -> Loss:
    """The loss that `serialize` described."""
    return lookup.from_config(config, _CLASSES, "loss")
