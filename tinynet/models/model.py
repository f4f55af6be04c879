"""Model: a trainer with a description and files. Subclasses say in `call` how predictions are made."""

import os
from collections.abc import Callable
from typing import Any, Self

from tinynet.console import say
from tinynet.layers import input_spec
from tinynet.layers.base import Layer
from tinynet.layers.overridable import NotKnownError, overridable
from tinynet.layers.repr_text import model_text
from tinynet.layers.seeded import layers_that_draw
from tinynet.layers.static_types import of_any_arguments
from tinynet.layers.symbolic import one_or_all
from tinynet.models.summary import summary_html, summary_text
from tinynet.models.trainer import Trainer
from tinynet.saving import save_load, weights_file
from tinynet.saving.architecture import to_json
from tinynet.tree import is_shape


class Model(Trainer):
    """Base of models, and a layer itself: models can be part of other models.

    Model(inputs, outputs) makes a Functional of symbolic tensors. A subclass makes its layers in __init__ and
    uses them in call(self, x), or call(self, x, training=False); what they are is found in its attributes.
    trainable, dtype, name and activity_regularizer are as in Layer.

    >>> class Net(Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = layers.Dense(2)
    ...     def call(self, x):
    ...         return ops.relu(self.dense(x))
    >>> Net()(np.ones((3, 4))).shape
    (3, 2)
    """

    _layers_that_draw = layers_that_draw  # for callbacks, a room that knows no layers
    # the class that Model(inputs, outputs) makes; it stands in a file after this one
    _functional_class: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs):
            return super().__new__(cls._functional_class, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, inputs: Any = None, outputs: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # What a subclass is made of whose __init__ ends in super().__init__(inputs, outputs).
        self._inner_functional = None if inputs is None else self._functional_class(inputs, outputs)

    @of_any_arguments
    def call(self, x: Any) -> Any:
        if self._inner_functional is None:
            raise TypeError(f"{self} must define call(self, x), which returns the predictions")
        return self._inner_functional(x)

    def _check_input(self, shape: Any) -> None:
        """Whatever `call` takes, unless an `input_spec` was set."""
        input_spec.check(self, shape)

    __repr__ = model_text

    def _repr_html_(self) -> str:
        return summary_html(self)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return (
            list(self._layers_within()) if self._inner_functional is None else self._inner_functional.layers
        )

    @overridable
    def input_shape(self) -> Any:
        """Shape of the input, the batch first; a list where there are several."""
        return one_or_all([tensor.shape for tensor in self._symbolic_ends("inputs")])

    @overridable
    def output_shape(self) -> Any:
        """Shape of the output, the batch first; a list where there are several."""
        return one_or_all([tensor.shape for tensor in self._symbolic_ends("outputs")])

    input = overridable(lambda self: one_or_all(self._symbolic_ends("inputs")), doc="The symbolic input.")
    output = overridable(lambda self: one_or_all(self._symbolic_ends("outputs")), doc="The symbolic output.")

    def _known_input(self) -> tuple[Any, Any]:
        """(shape, dtype) of the one input, or (None, None) if there are several or it is not known."""
        inner, shape = self._inner_functional, vars(self).get("_built_for")
        if inner is not None:
            return inner._known_input()
        return (shape, None) if is_shape(shape) else (None, None)

    def _symbolic_ends(self, name: str) -> Any:
        if self._inner_functional is not None:
            return getattr(self._inner_functional, name)
        if not hasattr(type(self), name):
            raise NotKnownError(
                f"{self} has no symbolic {name}: it is a subclass, whose graph is in the Python of `call`"
            )
        return getattr(self, name)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that `name`, or at the position `index` in `layers`;
        raises ValueError if there is none.
        """
        if (name is None) == (index is None):
            raise ValueError(
                f"get_layer takes either a name or an index, got name={name!r} and index={index!r}"
            )
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"{self} has {len(layers)} layers, there is none at index {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"{self} has no layer {name!r}; it has {', '.join(layer.name for layer in layers)}")

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        batch_size: int | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes, numbers of parameters and connections,
        in Keras's form.

        line_length, positions   characters of a line,
                                 and where its columns end (as fractions of it, if not above 1)
        print_fn   what prints the text, None: standard output;
                   show_trainable   a column that says whether a layer is trained

        `expand_nested` shows the layers of nested models, `layer_range` only those from one name to another.
        With `batch_size`, which Keras does not have, also the memory that a training step will take.
        """
        text = summary_text(
            self, line_length, positions, expand_nested, show_trainable, layer_range, batch_size
        )
        (print_fn or say)(text)

    def to_json(self, **settings: Any) -> str:
        """The architecture as JSON, without weights, for `model_from_json`; settings go to json.dumps."""
        return to_json(self, **settings)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model that `get_config` described by `config`, with new weights (custom_objects: {name: object}
        more); Model.from_config also takes that of a Functional.
        """
        if cls is Model and "output_layers" in config:
            return cls._functional_class.from_config(config, custom_objects)
        return super().from_config(config, custom_objects)

    # Files

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes the whole model to `filepath`, a .tinynet file or a .keras archive,
        for `load_model`; see saving.save_model.

        `overwrite` False: a file that is there is a FileExistsError.

        >>> model.save("net.tinynet")
        >>> tinynet.models.load_model("net.tinynet")
        Sequential(1 layer, 2 parameters)  (None, 1) -> (None, 1)
        """
        with self._step_lock.lock:  # between two steps, if another thread trains
            save_load.save_model(self, filepath, overwrite)

    def export(self, filepath: str | os.PathLike[str], format: str = "onnx", **settings: Any) -> None:
        """Writes what `predict` computes to `filepath`, named .onnx, for other runtimes;
        see saving/onnx/export.py.

        format   "onnx", the only one. Raises ValueError for another,
                 and naming a layer that has no counterpart in ONNX.
        """
        from tinynet.saving.onnx import export  # an attachment: only who asks for it needs it

        export.export(self, filepath, format, **settings)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes all weights to `filepath`, .safetensors or .weights.h5 (which Keras reads),
        whole or not at all.

        `overwrite` False: a file that is there is a FileExistsError.
        """
        with self._step_lock.lock:
            weights_file.save(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
        """Reads weights from `filepath`, a .safetensors, .weights.h5, .tinynet or .keras file.

        Raises ValueError, changing nothing, unless all names and shapes agree; or with `skip_mismatch` leaves
        out those that do not, with a warning.
        """
        with self._step_lock.lock:
            weights_file.load(self, filepath, skip_mismatch)
