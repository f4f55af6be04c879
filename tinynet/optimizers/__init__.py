"""Optimizers, by Keras's names: one rule per class, one kernel per rule (`tinynet.kernels.optimizers`)."""

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import missing_names, registry
from tinynet.optimizers import schedules
from tinynet.optimizers.adadelta import Adadelta
from tinynet.optimizers.adagrad import Adagrad
from tinynet.optimizers.adam import Adam, AdamW
from tinynet.optimizers.adamax import Adamax
from tinynet.optimizers.lion import Lion
from tinynet.optimizers.nadam import Nadam
from tinynet.optimizers.optimizer import Optimizer
from tinynet.optimizers.rmsprop import RMSprop
from tinynet.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

missing_names.namespace(__name__)

_CLASSES: dict[str, Callable[..., Optimizer]] = {
    cls.__name__.lower(): cls
    for cls in list(globals().values())
    if isinstance(cls, type) and issubclass(cls, Optimizer) and cls is not Optimizer
}


def get(identifier: Any) -> Optimizer:
    """The optimizer meant by `identifier`: a name in any case ("adam"), a config, a class or an instance;
    else ValueError.

    A name or a class makes a new optimizer with default arguments;
    an instance is returned as it is, with its state.

    >>> optimizers.get("adam")
    Adam(learning_rate=0.001, iterations=0)
    """
    if isinstance(identifier, str):
        name = identifier if registry.registered(identifier) is not None else identifier.lower()
        return registry.find(name, _CLASSES, "optimizer")()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type):
        identifier = identifier()
    if isinstance(identifier, Optimizer):
        return identifier
    raise registry.unknown(identifier, "optimizer")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The description of an `optimizer`: a dictionary with its "class_name" and "config".

    >>> optimizers.serialize(SGD(0.5))["config"]["learning_rate"]
    0.5
    """
    return registry.to_config(optimizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that `serialize` described by `config`, without its state;
    `custom_objects`: {name: class} of one's own.

    >>> optimizers.deserialize({"class_name": "SGD", "config": {"learning_rate": 0.5}})
    SGD(learning_rate=0.5, iterations=0)
    """
    name = config.get("class_name")
    if isinstance(name, str) and name.lower() in _CLASSES:
        config = {**config, "class_name": name.lower()}
    with registry.custom_object_scope(custom_objects or {}):
        return registry.from_config(config, _CLASSES, "optimizer")
