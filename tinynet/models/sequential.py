"""Sequential: one layer after the other."""

from collections.abc import Iterable
from typing import Any

from tinynet import ops
from tinynet.autograd import Tensor
from tinynet.layers.base import Layer, Shape
from tinynet.layers.input import Input, InputLayer
from tinynet.models.model import Model


class Sequential(Model):
    """y = layer_n(... layer_2(layer_1(x))).

    With an Input as the first element, layers are built as they are added and shapes are checked at once; without one,
    they are built by the first batch.
    """

    def __init__(self, layers: Iterable[Layer] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None
        self._shapes: list[Shape] = []  # input shape, then the output shape of every layer; empty while unknown
        for layer in layers or ():
            self.add(layer)

    def sublayers(self) -> Any:
        return iter(self._layers)

    # Construction

    def add(self, layer: Any) -> None:
        """Appends a layer; an Input can only come first."""
        if isinstance(layer, InputLayer):
            self._add_input(layer)
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"{self}: expected a layer, got {layer!r}{_hint(layer)}")
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(f"{self}: there is a layer named {layer.name!r} already; give this one another name=...")
        if not self._layers:
            self._start_with(layer)
        if self._shapes:
            self._shapes.append(_build(layer, self._shapes[-1]))
        self._layers.append(layer)
        self.built = all(layer.built for layer in self._layers)

    def _add_input(self, layer: InputLayer) -> None:
        if self._input is not None or self._layers:
            raise ValueError(f"{self}: an Input must be the first element, and there can be only one")
        self._input, self._shapes = layer, [layer.shape]

    def _start_with(self, layer: Layer) -> None:
        """The first layer decides the dtype of the input; a model with an Input of its own also its shape."""
        self.dtype = layer.dtype
        given = getattr(layer, "_input", None)
        if self._input is None and isinstance(given, InputLayer):
            self._add_input(Input(batch_shape=given.shape))

    def pop(self) -> Layer:
        """Removes the last layer and returns it."""
        if not self._layers:
            raise ValueError(f"{self} has no layer to remove")
        if self._shapes:
            self._shapes.pop()
        layer = self._layers.pop()
        self.built = bool(self._layers) and all(layer.built for layer in self._layers)
        return layer

    def build(self, input_shape: Shape | None = None) -> None:
        """Builds the layers for inputs of `input_shape`, whose first entry is None."""
        if input_shape is None:
            raise ValueError(f"{self}: build takes the input's shape, batch first, such as (None, 28, 28, 1)")
        if self._input is None:
            self._shapes = [tuple(input_shape)]
            for layer in self._layers:
                self._shapes.append(_build(layer, self._shapes[-1]))
        self.built = True

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, the batch first."""
        return self._known_shapes()[0]

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, the batch first."""
        return self._known_shapes()[-1]

    def _known_shapes(self) -> list[Shape]:
        if not self._shapes:
            raise ValueError(f"{self} does not know its input shape yet: begin with an Input, or call it on a batch")
        return self._shapes

    # The call

    def call(self, x: Any) -> Any:
        for layer in self._layers:
            x = layer(x)
        return x

    def as_input(self, inputs: Any) -> Tensor:
        """As in Keras, a last axis of size 1 that is missing is added, and one too many is dropped."""
        x = super().as_input(inputs)
        if self._input is not None:
            expected = self._input.shape
            if x.ndim == len(expected) - 1 and expected[-1] == 1:
                return ops.expand_dims(x, axis=-1)
            if x.ndim == len(expected) + 1 and x.shape[-1] == 1:
                return ops.squeeze(x, axis=-1)
        return x

    def check_input(self, shape: Shape) -> None:
        if self._input is None:
            return
        expected = self._input.shape
        if len(shape) != len(expected) or any(e not in (None, n) for e, n in zip(expected, shape, strict=True)):
            raise ValueError(
                f"{self} expects inputs of shape {expected}, as its Input says, got {shape}; "
                "reshape the data, or change the Input"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def output_shapes(self) -> list[Shape | None]:
        """Shape of each layer's output, None while unknown."""
        return list(self._shapes[1:]) if self._shapes else [None] * len(self._layers)

    def get_config(self) -> dict[str, Any]:
        layers = [{"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self._layers]
        return {"name": self.name, "layers": layers, "build_input_shape": self._shapes[0] if self._shapes else None}


def _build(layer: Layer, input_shape: Shape) -> Shape:
    """Builds the layer if it is not built; its output shape."""
    layer.check_input(input_shape)
    if not layer.built:
        layer.build(input_shape)
        layer.built = True
    return layer.compute_output_shape(input_shape)


def _hint(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Layer):
        return f"; write {value.__name__}(...) with its arguments"
    return "; wrap a function as Lambda(function)" if callable(value) else ""
