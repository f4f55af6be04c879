"""Architectures as JSON: layers, and the calls that connect them, in Keras's form.

{"class_name": "Dense", "config": {"units": 10, ...}}
"""

import json
from collections.abc import Mapping
from typing import Any

from tinynet import layers, registry
from tinynet.layers.base import Layer
from tinynet.layers.operation import Operation

MODELS: dict[str, type[Layer]] = {"Operation": Operation}  # Sequential and Functional add themselves


def layer_classes() -> dict[str, type[Layer]]:
    """Every layer and model class of tinynet, by name."""
    named = ((name, getattr(layers, name)) for name in layers.__all__)
    return {
        **{name: cls for name, cls in named if isinstance(cls, type) and issubclass(cls, Layer)},
        **MODELS,
    }


def serialize_layer(layer: Layer) -> dict[str, Any]:
    """{"class_name", "config"} of a layer or model."""
    return registry.to_config(layer)


def deserialize_layer(config: Mapping[str, Any]) -> Any:
    """A new layer or model, with new weights, of what `serialize_layer` described.

    Raises ValueError for a class that is neither tinynet's nor registered,
    and for arguments that it does not take.
    """
    found = registry.find(config["class_name"], layer_classes(), "layer")
    if not isinstance(found, type) or not issubclass(found, Layer):
        raise ValueError(f"Could not interpret layer config: {config['class_name']!r} is not a layer")
    return found.from_config(dict(config["config"]))


def to_json(model: Layer, **settings: Any) -> str:
    """The architecture of `model` as JSON, without weights; raises TypeError naming what JSON cannot hold."""

    def refuse(value: Any) -> Any:
        raise TypeError(
            f"{model} holds {value!r}, which has no description: "
            "functions and classes of your own are described by "
            "name once they are decorated with tinynet.saving.register_keras_serializable()"
        )

    return json.dumps(serialize_layer(model), default=refuse, **settings)
