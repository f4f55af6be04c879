"""Activations as layers: an elementwise function, or softmax, between two others."""

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from tinynet import activations, ops
from tinynet.autograd.untracked import untracked
from tinynet.backend import tracebacks
from tinynet.layers import arguments
from tinynet.layers.base import Elementwise, Layer, Shape
from tinynet.layers.normalization_base import axis_argument
from tinynet.layers.static_types import LayerArguments


class Activation(Layer):
    """y = activation(x): a name such as "relu", or a function of a Tensor.

    >>> Activation("relu")(np.array([[-1.0, 2.0]])).numpy()
    array([[0., 2.]], dtype=float32)
    """

    _takes_many = False
    supports_masking = True
    _read_when_set: ClassVar = {**Layer._read_when_set, "activation": arguments.activation}

    def __init__(self, activation: Any, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.activation = activation

    def call(self, x: Any) -> Any:
        return self.activation(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if isinstance(self.activation, Layer):
            return self.activation.compute_output_shape(input_shape)
        # All of tinynet's activations but glu keep the shape; of another function it is found by a trial run.
        known = getattr(self.activation, "__module__", None) == activations.__name__
        keeps_shape = known and self.activation is not activations.glu
        return tuple(input_shape) if keeps_shape else super().compute_output_shape(input_shape)


class ReLU(Elementwise):
    """y = min(x, max_value) for x >= threshold, negative_slope (x - threshold) below it.

    >>> ReLU(max_value=6.0)(np.array([[-1.0, 2.0, 9.0]])).numpy()
    array([[0., 2., 6.]], dtype=float32)
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
        **kwargs: Unpack[LayerArguments],
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else arguments.number(max_value, f"{self}: max_value", 0)
        self.negative_slope = arguments.number(negative_slope, f"{self}: negative_slope", 0)
        self.threshold = arguments.number(threshold, f"{self}: threshold", 0)

    def call(self, x: Any) -> Any:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Elementwise):
    """y = x for x >= 0, negative_slope x below; `alpha` is Keras 2's name of the slope.

    >>> LeakyReLU(0.1)(np.array([[-10.0, 2.0]])).numpy()
    array([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self, negative_slope: float = 0.3, *, alpha: float | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        if alpha is not None:
            tracebacks.warn(f"{self}: `alpha` is written `negative_slope` today")
            negative_slope = alpha
        self.negative_slope = arguments.number(negative_slope, f"{self}: negative_slope", 0)

    def call(self, x: Any) -> Any:
        return ops.leaky_relu(x, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "negative_slope": self.negative_slope}
        config.pop("alpha")
        return config


class PReLU(Elementwise):
    """y = max(x, 0) + alpha min(x, 0), alpha learned: one for each element of a sample.

    `shared_axes` counts from 1: [1, 2] gives one alpha for each channel of images (N, H, W, C).

    alpha_initializer, alpha_regularizer, alpha_constraint   what alpha begins as, costs, and is put back to

    K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 1.

    >>> PReLU(alpha_initializer="ones")(np.array([[-2.0, 3.0]])).numpy()
    array([[-2.,  3.]], dtype=float32)
    """

    _least_rank = 2

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer, self.alpha_regularizer, self.alpha_constraint = self._weight_arguments(
            alpha_initializer, alpha_regularizer, alpha_constraint
        )
        axes = (shared_axes,) if isinstance(shared_axes, int) else shared_axes or ()
        self.shared_axes = arguments.integers(axes, f"{self}: shared_axes")

    def build(self, input_shape: Shape) -> None:
        shared = self.shared_axes
        if any(not 1 <= axis < len(input_shape) for axis in shared):
            raise ValueError(
                f"{self}: shared_axes count from 1 to {len(input_shape) - 1} for inputs of "
                f"shape {input_shape}, got {shared}"
            )
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in shape:
            raise ValueError(
                f"{self}: axes of unknown size must be in shared_axes, got inputs of shape {input_shape}"
            )
        self.alpha = self._make_weight("alpha", shape)
        self._input_sizes = {
            axis: self.alpha.shape[axis - 1] for axis in range(1, len(input_shape)) if axis not in shared
        }
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return ops.relu(x) - self.alpha * ops.relu(-x)


class ELU(Elementwise):
    """y = x for x >= 0, alpha (exp(x) - 1) below.

    >>> ELU(alpha=0.5)(np.array([-1.0, 2.0])[None]).numpy().round(3)
    array([[-0.316,  2.   ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.alpha = arguments.number(alpha, f"{self}: alpha")

    def call(self, x: Any) -> Any:
        return ops.elu(x, alpha=self.alpha)


class Softmax(Elementwise):
    """y = exp(x) / sum exp(x) along `axis`, or over several axes if it is a tuple.

    layer(x, mask=m) leaves out the elements where m is false: y is 0 there. m has the shape of x, or sizes 1.

    >>> Softmax()(np.zeros((1, 4))).numpy()
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """

    def __init__(self, axis: int | tuple[int, ...] = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = (
            arguments.integers(axis, f"{self}: axis")
            if isinstance(axis, list | tuple)
            else axis_argument(self, axis)
        )

    def call(self, x: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.softmax(x, axis=self.axis)
        mask = self._as_mask(mask, x.shape)
        return ops.where(mask, ops.softmax(ops.where(mask, x, -1e9), axis=self.axis), 0.0)

    def _as_mask(self, mask: Any, shape: Shape) -> Any:
        mask = untracked(mask if hasattr(mask, "dtype") else np.asarray(mask))
        if len(mask.shape) != len(shape) or any(
            m not in (1, n) for m, n in zip(mask.shape, shape, strict=True)
        ):
            raise ValueError(
                f"{self}: the mask has shape {mask.shape}; it must have that of the input, "
                f"{shape}, or sizes 1"
            )
        return mask if mask.dtype == bool else mask > 0.5
