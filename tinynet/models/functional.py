"""Functional: a model made of the calls of layers between its inputs and outputs.

x = Input((8,))
y = Dense(8, "relu")(x)
model = Model(x, Add()([x, y]))            # Model(inputs, outputs) gives a Functional
"""

from typing import Any

from tinynet import registry
from tinynet.autograd import Tensor
from tinynet.backend import tracebacks
from tinynet.layers.base import Layer
from tinynet.layers.overridable import overridable
from tinynet.layers.symbolic import SymbolicTensor
from tinynet.models import graph_config
from tinynet.models.check_inputs import check_one, in_order, with_last_axis
from tinynet.models.graph import Graph, from_inputs
from tinynet.models.layer_calls import LayerCalls, calls_of
from tinynet.models.model import Model
from tinynet.saving.architecture import MODELS
from tinynet.signature import text
from tinynet.tree import is_shape, leaves, mapped


class Functional(Model):
    """Runs the layers between `inputs` and `outputs`, symbolic tensors alone or in lists,
    tuples or dictionaries.

    A layer that is called several times uses the same weights each time. An input may be the output of a
    layer: in the new model an Input takes its place. A list of one output gives that output. Raises
    ValueError if an output depends on an Input that is not among the inputs, or if two layers have one name.
    name and trainable are as in Layer.

    >>> x = layers.Input((4,))
    >>> model = tinynet.Model(x, layers.Add()([x, layers.Dense(4)(x)]))
    >>> model(np.ones((3, 4))).shape
    (3, 4)
    """

    @tracebacks.entry
    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name=name)
        for kind, value in (("inputs", inputs), ("outputs", outputs)):
            if wrong := [one for one in leaves(value) if not isinstance(one, SymbolicTensor)]:
                got = f"got {text(wrong[0])}{_hint(wrong[0])}"
                raise ValueError(f"{self}: {kind} must be symbolic tensors, made by Input and layers, {got}")
            if not list(leaves(value)):
                raise ValueError(f"{self}: {kind} must hold at least one symbolic tensor, got {value!r}")
        self._given_arguments = {}  # symbolic tensors, which lead to layers of other models
        self._end_tensors = inputs, outputs = from_inputs(inputs, outputs)
        self._call_graph = Graph(inputs, outputs)
        floats = [layer.dtype for layer in self._call_graph.layers if layer.dtype.kind == "f"]
        self.dtype = max(floats or [self.dtype], key=lambda dtype: dtype.itemsize)
        self.built = True
        names = [layer.name for layer in self._call_graph.layers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"{self}: the name {twice[0]!r} belongs to several layers; give them others with name=..."
            )
        self._names_of_inputs = [layer.name for layer in self._call_graph.input_layers]
        self._names_of_outputs = graph_config.output_names(outputs)
        if not trainable:
            self.trainable = False

    def _layers_within(self) -> Any:
        return iter(self._call_graph.layers)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic inputs, with which other models can be made."""
        return list(leaves(self._end_tensors[0]))

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs."""
        return list(leaves(self._end_tensors[1]))

    input_names = overridable(lambda self: list(self._names_of_inputs), doc="The names of the inputs.")
    output_names = overridable(lambda self: list(self._names_of_outputs), doc="The names of the outputs.")
    input = overridable(
        lambda self: self._end_tensors[0], doc="The symbolic inputs, in the structure they were given in."
    )
    output = overridable(
        lambda self: self._end_tensors[1], doc="The symbolic outputs, in the structure they were given in."
    )

    # The call

    def _as_input(self, inputs: Any) -> Any:
        """The inputs as Tensors in the model's order; a last axis of size 1 is added or dropped,
        as in Keras.
        """
        given = in_order(f"{self}", inputs, self._call_graph.inputs, self._names_of_inputs)
        tensors = [
            layer._as_input(value) for layer, value in zip(self._call_graph.input_layers, given, strict=True)
        ]
        return [
            with_last_axis(x, shape) for x, shape in zip(tensors, self._call_graph.input_shapes, strict=True)
        ]

    def _check_input(self, shape: Any) -> None:
        shapes = self._shapes_in_order(shape)
        for name, expected, got in zip(
            self._names_of_inputs, self._call_graph.input_shapes, shapes, strict=True
        ):
            check_one(f"{self}, input {name!r}" if len(shapes) > 1 else f"{self}", expected, got)

    def _known_input(self) -> tuple[Any, Any]:
        layers = self._call_graph.input_layers
        return (self._call_graph.input_shapes[0], layers[0].dtype) if len(layers) == 1 else (None, None)

    def _shapes_in_order(self, given: Any) -> list[Any]:
        """The shapes of the inputs in the order of the model's."""
        return in_order(
            f"{self}", [given] if is_shape(given) else given, self._call_graph.inputs, self._names_of_inputs
        )

    def call(self, x: list[Tensor]) -> Any:
        return _only(self._call_graph.run(x))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Found layer by layer."""
        shapes, of = self._shapes_in_order(input_shape), self._call_graph.input_layers
        inputs = [SymbolicTensor(shape, layer.dtype) for shape, layer in zip(shapes, of, strict=True)]
        return _only(mapped(lambda tensor: tensor.shape, self._call_graph.specified(inputs)))

    def _output_shapes(self) -> list[Any]:
        """Shape of each layer's output, at its first call in the model."""
        found: dict[Layer, Any] = dict(
            zip(self._call_graph.input_layers, self._call_graph.input_shapes, strict=True)
        )
        for step in self._call_graph.steps:
            found.setdefault(step.layer, step.shapes[0] if len(step.shapes) == 1 else step.shapes)
        return [found[layer] for layer in self._call_graph.layers]

    def _layer_calls(self) -> LayerCalls:
        """The inputs and the calls of layers, in an order in which they can be run."""
        return calls_of(self._call_graph)

    # Description and copies

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_end_tensors": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        vars(self)["_end_tensors"] = self._call_graph.symbols()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self._trainable, **graph_config.describe(self._call_graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        with registry.custom_object_scope(custom_objects or {}):
            inputs, outputs = graph_config.connect(config)
        model = cls(inputs, outputs, name=config.get("name"))
        model._trainable = bool(config.get("trainable", True))
        return model


def _hint(value: Any) -> str:
    return f"; call the layer on a tensor: {type(value).__name__}(...)(x)" if isinstance(value, Layer) else ""


def _only(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs


MODELS["Functional"] = MODELS["Model"] = Functional
Model._functional_class = Functional
