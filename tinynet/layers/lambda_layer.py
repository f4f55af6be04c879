"""Lambda: any function of a Tensor as a layer."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from tinynet import activations, ops, registry
from tinynet.layers import infer_shape, symbolic
from tinynet.layers.base import Layer
from tinynet.layers.static_types import LayerArguments
from tinynet.tree import shape_leaves


class Lambda(Layer):
    """y = function(x, **arguments), with training=... and mask=None too if the function has such parameters.

    The function computes with Tensors: operators and `tinynet.ops`. `output_shape` (without the batch; or a
    function of the input shape) is needed only where a trial run on zeros would fail. A file holds the
    function's name alone, never its code: loading asks for one that is not registered
    (`register_keras_serializable`) in `custom_objects`.

    >>> Lambda(lambda x: x * 2)(np.ones((1, 2))).numpy()
    array([[2., 2.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if mask is not None:
            raise ValueError(
                f"{self}: mask must be None, got {mask!r}; tinynet has no masks that travel with Tensors"
            )
        self.function = _named(function)
        self.output_shape = _named(output_shape) if isinstance(output_shape, str | Mapping) else output_shape
        if not callable(self.function):
            raise TypeError(f"{self}: function must be callable, got {function!r}")
        self.arguments = dict(arguments or {})
        asked = inspect.signature(self.function).parameters
        self._told = {"mask": None} if "mask" in asked else {}
        self._asks_training = "training" in asked

    def _check_input(self, shape: Any) -> None:
        """Nothing: the function takes what it takes, lists of Tensors too."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        told = {**self._told, "training": training} if self._asks_training else self._told
        y = self.function(x, **{**told, **self.arguments})
        if not hasattr(y, "shape") and not isinstance(y, list | tuple | dict):
            raise TypeError(f"{self}: the function must return a Tensor, got {y!r}; is there a return?")
        return y

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like the outputs of this call; the function is tried on inputs of these dtypes."""
        if self.output_shape is not None:
            return super().compute_output_spec(*args, **kwargs)
        return symbolic.tensors(infer_shape.output_shapes(self, args, kwargs), self._output_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return tuple(self.output_shape(input_shape))
        batch = next(shape_leaves(input_shape))[0]  # of the first input, if there are several
        return (batch, *self.output_shape)


def _named(function: Any) -> Any:
    """The function that a configuration names: a registered one, an operation or an activation."""
    if isinstance(function, Mapping):
        function = registry.registered(function.get("function")) or function.get("function")
    if not isinstance(function, str):
        return function
    if function in ops.__all__:
        return getattr(ops, function)
    return registry.registered(function) or activations.get(function)
