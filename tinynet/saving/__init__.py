"""Saving and loading, at Keras's address (keras.saving): models,
and the objects of one's own that files may name.

@tinynet.saving.register_keras_serializable()
class Scale(tinynet.layers.Layer): ...

model.save("net.tinynet")
model = tinynet.saving.load_model("net.tinynet")
"""

from collections.abc import Mapping
from typing import Any

from tinynet import missing_names
from tinynet.registry import custom_object_scope, register_keras_serializable
from tinynet.registry import describe as serialize_keras_object
from tinynet.registry import registered as _registered
from tinynet.registry import registered_name as get_registered_name
from tinynet.saving.errors import FileError, UnknownObjectError
from tinynet.saving.in_memory import deserialize_keras_object
from tinynet.saving.save_load import load_model, save_model

__all__ = [
    "FileError",
    "UnknownObjectError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "save_model",
    "serialize_keras_object",
]

missing_names.namespace(__name__)


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function registered under `name`, or named so in custom_objects ({name: object}), or None.

    >>> tinynet.saving.get_registered_object("Mine>Net") is None
    True
    """
    with custom_object_scope(custom_objects or {}):
        return _registered(name)


import tinynet.models  # noqa: E402, F401  Sequential and Functional, which files name
