"""Model: a trainer with a description and files of weights. Subclasses say in `call` how predictions are made."""

import os
from collections.abc import Callable
from typing import Any

from tinynet.layers.base import Layer
from tinynet.models import weights_file
from tinynet.models.summary import summary_text
from tinynet.models.trainer import Trainer


class Model(Trainer):
    """Base of models, and a layer itself: models can be part of other models.

    A subclass makes its layers in __init__ and uses them in call(self, x); what they are is found in its attributes.
    """

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self.sublayers())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that position in `layers`; raises ValueError if there is none."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer takes either a name or an index, got name={name!r} and index={index!r}")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"{self} has {len(layers)} layers, there is none at index {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"{self} has no layer {name!r}; it has {', '.join(layer.name for layer in layers)}")

    def summary(self, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None) -> None:
        """Prints a table of the layers, their output shapes and numbers of parameters, in Keras's form."""
        (print_fn or print)(summary_text(self, line_length))

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes all weights to a .safetensors file, whole or not at all."""
        weights_file.save(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Reads what `save_weights` wrote; raises ValueError, changing nothing, unless all names and shapes agree."""
        weights_file.load(self, filepath)
