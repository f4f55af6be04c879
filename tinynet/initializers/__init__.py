"""Initializers: first values of variables, by Keras's names."""

from collections.abc import Callable
from typing import Any

from tinynet import lookup
from tinynet.initializers.base import Initializer, RandomInitializer
from tinynet.initializers.constant import Constant, Given, Identity, Ones, Zeros
from tinynet.initializers.fans import compute_fans
from tinynet.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "deserialize",
    "get",
    "serialize",
]

_CLASSES = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal,
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_NAMES: dict[str, type[Initializer]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{lookup.snake_case(cls.__name__): cls for cls in _CLASSES},
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}


def get(identifier: Any) -> Callable[..., Any] | None:
    """The initializer meant by a name, a config, a class, an instance, a callable (shape, dtype), an array, or None.

    An array or Tensor is used as the value and must have the variable's shape. Raises ValueError for anything else.
    """
    if hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return Given(identifier)
    return lookup.resolve(identifier, _NAMES, "initializer")


def serialize(initializer: Initializer) -> dict[str, Any]:
    """{"class_name", "config"} of an initializer."""
    return lookup.to_config(initializer)


def deserialize(config: dict[str, Any]) -> Initializer:
    """The initializer that `serialize` described."""
    return lookup.from_config(config, _NAMES, "initializer")
