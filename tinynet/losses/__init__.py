"""Losses, by Keras's names: functions give one value per sample, classes reduce them to one number."""

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import missing_names, registry
from tinynet.losses.loss import Loss, LossFunctionWrapper
from tinynet.losses.margins import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from tinynet.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from tinynet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "as_loss", "binary_crossentropy",
    "categorical_crossentropy", "categorical_hinge", "cosine_similarity", "crossentropy", "deserialize",
    "get", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
    "serialize", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip

missing_names.namespace(__name__)

_CLASSES: dict[str, type[Loss]] = {
    cls.__name__: cls
    for cls in (
        BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity, Hinge, Huber,
        KLDivergence, LogCosh, Loss, LossFunctionWrapper, MeanAbsoluteError, MeanAbsolutePercentageError,
        MeanSquaredError, MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge,
    )
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        binary_crossentropy, categorical_crossentropy, categorical_hinge, cosine_similarity, crossentropy,
        hinge, huber, kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error,
        mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy,
        squared_hinge,
    )
}  # fmt: skip
_SHORT: dict[str, Callable[..., Any]] = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_NAMES: dict[str, Callable[..., Any]] = {
    **_CLASSES, **_FUNCTIONS, **_SHORT, **{name.upper(): function for name, function in _SHORT.items()},
    "ce": crossentropy,
}  # fmt: skip


def get(identifier: Any) -> Callable[..., Any] | None:
    """The loss meant by `identifier`: a name, a config, a class,
    an instance, a function (y_true, y_pred), or None.

    As in Keras, the name of a function gives the function and the name of a class an instance of it. Raises
    ValueError for anything else.

    >>> losses.get("mse") is losses.mean_squared_error, losses.get("Huber")
    (True, Huber())
    """
    if isinstance(identifier, Mapping) and "fn" in identifier.get("config", {}):
        identifier = {**identifier, "config": {**identifier["config"], "fn": get(identifier["config"]["fn"])}}
    return registry.resolve(identifier, _NAMES, "loss")


def as_loss(identifier: Any) -> Loss | None:
    """What `get` finds for `identifier`, as a Loss: what `compile(loss=...)` does;
    functions get the default reduction.

    >>> losses.as_loss("mse")([0.0], [3.0]).item()
    9.0
    """
    by_shape = isinstance(identifier, str) and identifier.lower() in ("ce", "crossentropy")
    found = crossentropy if by_shape else get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=identifier if isinstance(identifier, str) else None)


def serialize(loss: Any) -> Any:
    """The description of a `loss`: {"class_name", "config"}, or of one of the functions here its name.

    >>> losses.serialize(losses.mean_squared_error), losses.serialize(losses.Huber(2.0))["config"]["delta"]
    ('mean_squared_error', 2.0)
    """
    return registry.describe(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss, or the function, that `serialize` described by `name`; `custom_objects`:
    {name: object} of one's own.

    >>> losses.deserialize({"class_name": "Huber", "config": {"delta": 2.0}})
    Huber(delta=2.0)
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(name)
