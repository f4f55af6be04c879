"""Descriptions in memory, as JSON or as Python has it: checked as files are,
and made into models and other objects.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinynet import registry
from tinynet.backend import abstract_arrays, limits
from tinynet.layers.base import Layer
from tinynet.saving import strict_json
from tinynet.saving.architecture import deserialize_layer
from tinynet.saving.building import build_activations
from tinynet.saving.check import check_model, check_value, described_class
from tinynet.saving.errors import FileError, shortened
from tinynet.saving.keras.config import from_keras
from tinynet.saving.native import safely, unchanged

if TYPE_CHECKING:
    from tinynet.models.model import Model

MOST_WEIGHTS = 1 << 28  # numbers in the weights of all that is made from one description


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> "Model":
    """A new model, with new weights, of what `to_json` described in json_string; Keras's JSON will do.

    Raises ValueError, with nothing made, for what is no such text, names what is not known, or asks for more
    than 2^28 weights. Code in it is never run. custom_objects: {name: class or function} for what is not
    registered.

    >>> tinynet.models.model_from_json(model.to_json()).count_params()
    2
    """
    with registry.custom_object_scope(custom_objects or {}), safely("the JSON of a model"):
        if not isinstance(json_string, str | bytes):
            raise FileError(f"it should be a string, and is {shortened(json_string)}")
        entry = from_keras(strict_json.parse(json_string, "it"))
        check_model(entry)
        return _Maker().layer(entry)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that {"class_name": ..., "config": {...}} describes, in tinynet's words or Keras's; those in
    lists and dictionaries; numbers and strings as they are.

    custom_objects   {name: class or function} for what is not registered

    `safe_mode` is without effect: code in descriptions is never run. Raises UnknownObjectError, a TypeError,
    for a class that is neither tinynet's nor registered, and else ValueError for what cannot be made.

    >>> tinynet.saving.deserialize_keras_object({"class_name": "Dense", "config": {"units": 3}}).units
    3
    """
    with registry.custom_object_scope(custom_objects or {}), safely("the object"):
        strict_json.measure(config, "it")
        return _Maker().found(from_keras(config, "the object"))


class _Maker:
    """Makes what a description says, whose objects share what may be allocated."""

    def __init__(self) -> None:
        self.left = limits.Left(MOST_WEIGHTS, first=None)

    def found(self, entry: Any) -> Any:
        """What is described: an object, or a structure with objects in it."""
        if isinstance(entry, list):
            return [self.found(item) for item in entry]
        if not isinstance(entry, dict) or entry.get("class_name") == "__keras_tensor__":
            return entry
        if set(entry) == {"function"}:
            check_value(entry, "the function")
            return registry.registered(entry["function"])
        if "class_name" not in entry:
            return {key: self.found(item) for key, item in entry.items()}
        cls = described_class(entry, "the object")
        if isinstance(cls, type) and issubclass(cls, Layer):
            check_model(entry, "the object")
            return self.layer(entry)
        check_value(entry, "the object")
        with limits.within(self.left):
            return cls.from_config(entry["config"])

    def layer(self, entry: Any) -> Any:
        """A layer or model: made at first with weights without numbers,
        so that one that is too large costs nothing.
        """
        with (
            unchanged(),
            limits.within(limits.Left(self.left.weights, self.left.others, abstract_arrays.Array)),
        ):
            try:
                build_activations(deserialize_layer(entry))
            except limits.TooLargeError:
                raise
            except Exception:
                pass  # what is wrong is said below; and layers of the user's may need numbers
        with limits.within(self.left):
            layer = deserialize_layer(entry)
            build_activations(layer)
            return layer
