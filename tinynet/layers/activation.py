"""Activations as layers: an elementwise function, or softmax, between two others."""

from collections.abc import Sequence
from typing import Any

from tinynet import activations, initializers, ops
from tinynet.layers.base import Elementwise, Shape


class Activation(Elementwise):
    """y = activation(x): a name such as "relu", or a function of a Tensor."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Any) -> Any:
        return self.activation(x)


class ReLU(Elementwise):
    """y = min(x, max_value) for x >= threshold, negative_slope (x - threshold) below it."""

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        if min(0.0 if max_value is None else max_value, negative_slope, threshold) < 0:
            raise ValueError(
                f"{self}: max_value, negative_slope and threshold must not be negative, "
                f"got {max_value}, {negative_slope}, {threshold}"
            )

    def call(self, x: Any) -> Any:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Elementwise):
    """y = x for x >= 0, negative_slope x below."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"{self}: negative_slope must be a number >= 0, got {negative_slope!r}")
        self.negative_slope = float(negative_slope)

    def call(self, x: Any) -> Any:
        return ops.leaky_relu(x, negative_slope=self.negative_slope)


class PReLU(Elementwise):
    """y = max(x, 0) + alpha min(x, 0), alpha learned: one for each element of a sample.

    `shared_axes` counts from 1: [1, 2] gives one alpha for each channel of images (N, H, W, C).

    K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 1.
    """

    min_rank = 2

    def __init__(
        self, alpha_initializer: Any = "zeros", shared_axes: int | Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        axes = (shared_axes,) if isinstance(shared_axes, int) else shared_axes or ()
        self.shared_axes = tuple(int(axis) for axis in axes)

    def build(self, input_shape: Shape) -> None:
        shared = self.shared_axes
        if any(not 1 <= axis < len(input_shape) for axis in shared):
            raise ValueError(
                f"{self}: shared_axes count from 1 to {len(input_shape) - 1} for inputs of shape {input_shape}, got {shared}"
            )
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in shape:
            raise ValueError(f"{self}: axes of unknown size must be in shared_axes, got inputs of shape {input_shape}")
        self.alpha = self.add_weight("alpha", shape, self.alpha_initializer)  # type: ignore[arg-type]
        self._sizes = {axis: self.alpha.shape[axis - 1] for axis in range(1, len(input_shape)) if axis not in shared}
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return ops.relu(x) - self.alpha * ops.relu(-x)


class ELU(Elementwise):
    """y = x for x >= 0, alpha (exp(x) - 1) below."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, x: Any) -> Any:
        return ops.elu(x, alpha=self.alpha)


class Softmax(Elementwise):
    """y = exp(x) / sum exp(x) along `axis`, or over several axes if it is a tuple."""

    def __init__(self, axis: int | tuple[int, ...] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = tuple(axis) if isinstance(axis, list | tuple) else int(axis)

    def call(self, x: Any) -> Any:
        return ops.softmax(x, axis=self.axis)
