"""Initializers: first values of variables, by Keras's names."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinynet import missing_names, registry
from tinynet.initializers.base import Initializer, RandomInitializer
from tinynet.initializers.constants import Constant, Given, Identity, Ones, Zeros
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

missing_names.namespace(__name__)

constant, glorot_normal, glorot_uniform, he_normal, he_uniform = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
)
identity, lecun_normal, lecun_uniform, ones, orthogonal = (
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
)
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
# Keras's second names
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, zeros = VarianceScaling, Zeros

_CLASSES = (
    Constant, Given, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform,
    Ones, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_NAMES: dict[str, type[Initializer]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{registry.snake_case(cls.__name__): cls for cls in _CLASSES},
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}


def get(identifier: Any) -> Callable[..., Any] | None:
    """The initializer meant by `identifier`: a name, a config, a class,
    an instance, a callable (shape, dtype), or None.

    An array or Tensor is the value itself and must have the variable's shape.
    Raises ValueError for anything else.

    >>> initializers.get("zeros")((2,))
    array([0., 0.], dtype=float32)
    """
    if hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return Given(identifier)
    if isinstance(identifier, list):  # what an array is in a description
        return Given(np.asarray(identifier))
    return registry.resolve(identifier, _NAMES, "initializer")


def serialize(initializer: Any) -> Any:
    """The description of an `initializer`: a dictionary with its "class_name" and "config".

    >>> initializers.serialize(Constant(2.0))["config"]
    {'value': 2.0}
    """
    return registry.describe(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described by `config`; `custom_objects`: {name: object} of one's own.

    >>> initializers.deserialize({"class_name": "Constant", "config": {"value": 2.0}})
    Constant(value=2.0)
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
