"""Sequential: one layer after the other."""

from collections.abc import Iterable
from typing import Any, ClassVar

from tinynet import registry
from tinynet.autograd import Tensor
from tinynet.backend import tracebacks
from tinynet.layers.base import Layer, Shape
from tinynet.layers.input import Input, InputLayer
from tinynet.layers.joined import in_turn
from tinynet.layers.overridable import NotKnownError, overridable
from tinynet.layers.symbolic import SymbolicTensor, call
from tinynet.models.check_inputs import check_one, in_order, with_last_axis
from tinynet.models.graph import Graph
from tinynet.models.layer_calls import LayerCalls, calls_of
from tinynet.models.model import Model
from tinynet.saving.architecture import MODELS, deserialize_layer, serialize_layer
from tinynet.signature import text
from tinynet.tree import is_nested, is_shape


class Sequential(Model):
    """y = layer_n(... layer_2(layer_1(x))).

    With an Input as the first element, layers are built as they are added and shapes are checked at once;
    without one, they are built by the first batch. trainable and name are as in Layer. Raises TypeError for
    what is no list of layers.

    >>> model = Sequential([layers.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(2)])
    >>> model(np.ones((3, 4))).shape
    (3, 2)
    """

    _not_searched: ClassVar = {"_chain_tensors"}

    @tracebacks.entry
    def __init__(
        self,
        layers: Iterable[Layer | SymbolicTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        if isinstance(layers, Layer | SymbolicTensor) or (
            layers is not None and not isinstance(layers, Iterable)
        ):
            raise TypeError(
                f"Sequential takes its layers in one list: Sequential([layer, layer]), got {layers!r}"
            )
        super().__init__(trainable=trainable, name=name)
        self._given_arguments = {}  # the layers of today are in _layers
        self._layers: list[Layer] = []
        self._input_layer: InputLayer | None = None  # if one was given
        # the input, then the output of every layer; empty while unknown
        self._chain_tensors: list[SymbolicTensor] = []
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def _layers_within(self) -> Any:
        return iter(self._layers)

    # Construction

    @tracebacks.entry
    def add(self, layer: Layer | SymbolicTensor) -> None:
        """Appends a layer; an Input can only come first. Raises ValueError for one that is there,
        or of a name that is.
        """
        layer = layer.layer if isinstance(layer, SymbolicTensor) else layer
        if isinstance(layer, InputLayer):
            self._add_input(layer)
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"{self}: expected a layer, got {text(layer)}{_hint(layer)}")
        if any(other is layer for other in self._layers):
            raise ValueError(
                f"{self}: {layer} is in it already, and in a Sequential a layer comes once: "
                "make another one, or, to use its weights twice, a Model(inputs, outputs)"
            )
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(
                f"{self}: there is a layer named {layer.name!r} already; give this one another name=..."
            )
        if not self._layers:
            self._start_with(layer)
        if self._chain_tensors:
            self._chain_tensors.append(call(layer, (self._chain_tensors[-1],), {}))
        self._layers.append(layer)
        self.built = all(layer.built for layer in self._layers)

    def _add_input(self, layer: InputLayer) -> None:
        if self._input_layer is not None or self._layers:
            raise ValueError(f"{self}: an Input must be the first element, and there can be only one")
        self._input_layer, self._chain_tensors = layer, [layer.output]

    def _start_with(self, layer: Layer) -> None:
        """The first layer decides the dtype of the input; a model with an Input of its own also its shape."""
        self.dtype = layer.dtype
        shape, dtype = (
            layer._known_input() if isinstance(layer, Model) else (vars(layer).get("_batch_shape"), None)
        )
        if self._input_layer is None and shape is not None:
            self._add_input(Input(batch_shape=shape, dtype=dtype).layer)

    def pop(self) -> Layer:
        """Removes the last layer and returns it."""
        if not self._layers:
            raise ValueError(f"{self} has no layer to remove")
        layer = self._layers.pop()
        if self._chain_tensors:
            node = self._chain_tensors.pop().node
            if layer._inbound_nodes[-1] is node:
                layer._inbound_nodes.pop()
        self.built = bool(self._layers) and all(layer.built for layer in self._layers)
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers for inputs of `input_shape`, whose first entry is None;
        or for several, if the first takes them.

        Raises ValueError if that contradicts the Input, or the shape that it was built for.
        """
        if input_shape is None:
            raise ValueError(f"{self}: build takes the input's shape, batch first, such as (None, 28, 28, 1)")
        if not is_shape(input_shape):
            self.compute_output_shape(input_shape)
        elif self._chain_tensors:
            check_one(f"{self}", self._chain_tensors[0].shape, tuple(input_shape))
        else:
            self._connect_layers(Input(batch_shape=tuple(input_shape), dtype=self.dtype))
        self.built = True

    def _known_input(self) -> tuple[Shape | None, Any]:
        return (
            (self._chain_tensors[0].shape, self._chain_tensors[0].dtype)
            if self._chain_tensors
            else (None, None)
        )

    def _connect_layers(self, tensor: SymbolicTensor) -> None:
        tensors = [tensor]
        for layer in self._layers:
            tensors.append(call(layer, (tensors[-1],), {}))
        self._chain_tensors = tensors

    @property
    def _names_of_outputs(self) -> list[str]:  # type: ignore[override]
        return [self._layers[-1].name] if self._layers else [""]

    output_names = overridable(lambda self: self._names_of_outputs, doc="The name of the last layer.")

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic input, from which other models may start."""
        return [self._known_tensors()[0]]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic output."""
        return [self._known_tensors()[-1]]

    def _known_tensors(self) -> list[SymbolicTensor]:
        if not self._chain_tensors:
            raise NotKnownError(
                f"{self} does not know its input shape yet: begin with an Input, or call it on a batch"
            )
        return self._chain_tensors

    # The call

    def call(self, x: Any) -> Any:
        if not self._layers:
            raise ValueError(f"{self} has no layers: add(layer) first")
        return in_turn(self._layers, x)

    def _as_input(self, inputs: Any) -> Tensor:
        """As in Keras, a last axis of size 1 that is missing is added, and one too many is dropped."""
        if isinstance(inputs, list | tuple | dict) and is_nested(inputs) and not self._takes_structures():
            named = isinstance(inputs, dict) and len(inputs) == 1  # which needs no name: there is one input
            names = list(inputs) if named else [self._input_layer.name if self._input_layer else "input"]
            (inputs,) = in_order(f"{self}", inputs, None, names)
        if self._input_layer is None:
            return super()._as_input(inputs)
        taker: Layer = super() if self._input_layer.dtype.kind == "f" else self._input_layer  # type: ignore[assignment]
        return with_last_axis(taker._as_input(inputs), self._input_layer.shape)

    def _takes_structures(self) -> bool:
        """Whether lists or dictionaries of inputs go to the first layer as they are."""
        return self._input_layer is None and bool(self._layers) and self._layers[0]._takes_many is not False

    def _check_input(self, shape: Any) -> None:
        super()._check_input(shape)
        if self._input_layer is not None:
            check_one(f"{self}", self._input_layer.shape, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._layers:
            layer._build_once(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _output_shapes(self) -> list[Shape | None]:
        """Shape of each layer's output, None while unknown."""
        return (
            [tensor.shape for tensor in self._chain_tensors[1:]]
            if self._chain_tensors
            else [None] * len(self._layers)
        )

    def _layer_calls(self) -> LayerCalls:
        """The input and the calls of layers, in order."""
        known = self._known_tensors()
        return calls_of(Graph(known[0], known[-1]))

    # Description and copies

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_chain_tensors": [],
            "_shape": self._chain_tensors[0].shape if self._chain_tensors else None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        shape = state.pop("_shape")
        vars(self).update(state)
        if shape is not None:
            self._connect_layers(Input(batch_shape=shape, dtype=self.dtype))

    def get_config(self) -> dict[str, Any]:
        first = [] if self._input_layer is None else [self._input_layer]
        shape = self._chain_tensors[0].shape if self._chain_tensors else None
        layers = [serialize_layer(layer) for layer in (*first, *self._layers)]
        return {"name": self.name, "trainable": self._trainable, "layers": layers, "build_input_shape": shape}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        with registry.custom_object_scope(custom_objects or {}):
            layers = [deserialize_layer(layer) for layer in config["layers"]]
        model = cls(layers, name=config.get("name"))
        if config.get("build_input_shape") and not model.built:
            model.build(tuple(config["build_input_shape"]))
        model._trainable = bool(config.get("trainable", True))
        return model


MODELS["Sequential"] = Sequential


def _hint(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Layer):
        return f"; write {value.__name__}(...) with its arguments"
    if isinstance(value, str):
        return f"; write Activation({value!r}) for an activation"
    if isinstance(value, list | tuple):
        return "; write the layers in one list"
    if hasattr(value, "shape"):
        return "; a model is made of layers, and called on arrays"
    return "; wrap a function as Lambda(function)" if callable(value) else ""
