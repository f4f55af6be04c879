"""Lambda: any function of a Tensor as a layer."""

import inspect
from collections.abc import Callable
from typing import Any

from tinynet.layers.base import Layer, Shape


class Lambda(Layer):
    """y = function(x, **arguments), with training=... too if the function has that parameter.

    The function computes with Tensors: operators and `tinynet.ops`. `output_shape` (without the batch; or a function of
    the input shape) is needed only where a trial run on zeros would fail.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"{self}: function must be callable, got {function!r}")
        self.function, self.output_shape = function, output_shape
        self.arguments = dict(arguments or {})
        self._asks_training = "training" in inspect.signature(function).parameters

    def call(self, x: Any, training: bool | None = None) -> Any:
        told = {"training": training} if self._asks_training else {}
        y = self.function(x, **{**told, **self.arguments})
        if not hasattr(y, "shape"):
            raise TypeError(f"{self}: the function must return a Tensor, got {y!r}; is there a return?")
        return y

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return tuple(self.output_shape(input_shape))
        return (input_shape[0], *self.output_shape)
