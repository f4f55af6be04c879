"""Addresses and names of Keras 1 and 2 that are gone: what the errors about them say. `compat` understands them."""

from typing import Any

_LAYERS = ("advanced_activations", "convolutional", "core", "embeddings", "merge", "normalization", "noise", "experimental")
_HERE = {
    **{f"tinynet.layers.{room}": "its layers are in tinynet.layers" for room in _LAYERS},
    "tinynet.layers.Merge": "use Add()([x, y]), Concatenate()([x, y]) and the like",
    "tinynet.layers.AtrousConvolution2D": "use Conv2D(dilation_rate=...)",
    "tinynet.layers.Deconvolution2D": "use Conv2DTranspose",
    "tinynet.layers.merge": "use add([x, y]), concatenate([x, y]) and the like, which are in tinynet.layers",
    "tinynet.backend.get_value": "use float(optimizer.learning_rate), or variable.numpy()",
    "tinynet.backend.image_dim_ordering": "use tinynet.config.image_data_format()",
    "tinynet.backend.set_image_dim_ordering": (
        "use tinynet.config.set_image_data_format: 'th' is 'channels_first', 'tf' is 'channels_last'"
    ),
    "tinynet.backend.set_value": "use variable.assign(x), or optimizer.learning_rate = x",
    "tinynet.callbacks.callbacks": "its classes are in tinynet.callbacks",
    "tinynet.engine": "its classes are in tinynet.layers and tinynet.models",
    "tinynet.initializations": "it is called tinynet.initializers",
    "tinynet.objectives": "it is called tinynet.losses",
    "tinynet.utils.np_utils": "use tinynet.utils.to_categorical",
}


def missing(module: str, name: str) -> AttributeError:
    """The error for an attribute that a module of tinynet does not have."""
    hint = _HERE.get(f"{module}.{name}")
    told = f": this older spelling is gone, {hint}" if hint else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}{told}")


class Imports:
    """The last of the places in which Python looks for modules: it has none, but says where things went."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Raises ModuleNotFoundError for an older address; None for others."""
        address = name.removesuffix(".preprocessing")
        if address in _HERE:
            raise ModuleNotFoundError(f"No module named {name!r}: this older address is gone, {_HERE[address]}", name=name)
