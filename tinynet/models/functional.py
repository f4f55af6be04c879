"""Functional: a model made of the calls between its inputs and outputs.

x = Input((8,))
y = Dense(8, "relu")(x)
model = Model(x, Add()([x, y]))            # Model(inputs, outputs) gives a Functional
"""

from typing import Any

from tinynet import lookup
from tinynet.autograd import Tensor
from tinynet.backend import tracebacks
from tinynet.layers.base import Layer
from tinynet.layers.symbolic import SymbolicTensor
from tinynet.models import wiring
from tinynet.models.architecture import MODELS
from tinynet.models.calls import LayerCall, calls_of
from tinynet.models.graph import Graph, from_inputs
from tinynet.models.inputs import check_one, in_order, with_last_axis
from tinynet.models.model import Model
from tinynet.signature import text
from tinynet.tree import is_shape, leaves, mapped, shape_leaves


class Functional(Model):
    """Runs the layers between `inputs` and `outputs`, symbolic tensors alone or in lists, tuples or dictionaries.

    Layers that are called several times share their weights. Outputs of layers may be inputs: they become Inputs of the
    new model. A list of one output gives that output. Raises ValueError for what is no graph: an output that depends on
    another Input, two layers of one name.
    """

    @tracebacks.entry
    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name=name)
        for kind, value in (("inputs", inputs), ("outputs", outputs)):
            if wrong := [one for one in leaves(value) if not isinstance(one, SymbolicTensor)]:
                got = f"got {text(wrong[0])}{_hint(wrong[0])}"
                raise ValueError(f"{self}: {kind} must be symbolic tensors, made by Input and layers, {got}")
        self._given = {}  # symbolic tensors, which lead to layers of other models
        self._symbols = inputs, outputs = from_inputs(inputs, outputs)
        self._graph = Graph(inputs, outputs)
        floats = [layer.dtype for layer in self._graph.layers if layer.dtype.kind == "f"]
        self.dtype = max(floats or [self.dtype], key=lambda dtype: dtype.itemsize)
        self.built = True
        names = [layer.name for layer in self._graph.layers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self}: the name {twice[0]!r} belongs to several layers; give them others with name=...")
        self.input_names = [layer.name for layer in self._graph.input_layers]
        self.output_names = wiring.output_names(outputs)
        if not trainable:
            self.trainable = False

    def sublayers(self) -> Any:
        return iter(self._graph.layers)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic inputs, from which other models may start."""
        return list(leaves(self._symbols[0]))

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs."""
        return list(leaves(self._symbols[1]))

    input = property(lambda self: self._symbols[0], doc="The symbolic inputs, in the structure they were given in.")
    output = property(lambda self: self._symbols[1], doc="The symbolic outputs, in the structure they were given in.")

    # The call

    def as_input(self, inputs: Any) -> Any:
        """The inputs as a list of Tensors in the order of the model's; a last axis of size 1 is repaired, as in Keras."""
        given = in_order(f"{self}", inputs, self._graph.inputs, self.input_names)
        tensors = [layer.as_input(value) for layer, value in zip(self._graph.input_layers, given, strict=True)]
        return [with_last_axis(x, shape) for x, shape in zip(tensors, self._graph.input_shapes, strict=True)]

    def check_input(self, shape: Any) -> None:
        shapes = self._shapes(shape)
        for name, expected, got in zip(self.input_names, self._graph.input_shapes, shapes, strict=True):
            check_one(f"{self}, input {name!r}" if len(shapes) > 1 else f"{self}", expected, got)

    def _shapes(self, given: Any) -> list[Any]:
        """The shapes of the inputs in the order of the model's."""
        return in_order(f"{self}", [given] if is_shape(given) else given, self._graph.inputs, self.input_names)

    def call(self, x: list[Tensor]) -> Any:
        return _only(self._graph.run(x))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Found layer by layer."""
        values: list[Any] = [*self._shapes(input_shape), *[None] * self._graph.count]
        for step in self._graph.steps:
            shapes = step.layer.compute_output_shape(values[step.only]) if step.only is not None else None
            found = list(shape_leaves(shapes)) if shapes is not None else step.shapes
            for number, shape in zip(step.given, found, strict=True):
                values[number] = shape
        return _only(mapped(lambda place: values[place.number], self._graph.outputs))

    def output_shapes(self) -> list[Any]:
        """Shape of each layer's output, at its first call in the model."""
        found: dict[Layer, Any] = dict(zip(self._graph.input_layers, self._graph.input_shapes, strict=True))
        for step in self._graph.steps:
            found.setdefault(step.layer, step.shapes[0] if len(step.shapes) == 1 else step.shapes)
        return [found[layer] for layer in self._graph.layers]

    def layer_calls(self, expand_nested: bool = False) -> list[LayerCall]:
        """The inputs and the calls of layers, in an order in which they can be run."""
        return calls_of(self._graph, expand_nested)

    # Description and copies

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_symbols": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        vars(self)["_symbols"] = self._graph.symbols()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self._trainable, **wiring.describe(self._graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        with lookup.custom_object_scope(custom_objects or {}):
            inputs, outputs = wiring.connect(config)
        model = cls(inputs, outputs, name=config.get("name"))
        model._trainable = bool(config.get("trainable", True))
        return model


def _hint(value: Any) -> str:
    return f"; call the layer on a tensor: {type(value).__name__}(...)(x)" if isinstance(value, Layer) else ""


def _only(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs


MODELS["Functional"] = MODELS["Model"] = Functional
Model.functional = Functional
