"""Input: the shape and type of what a model is fed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape


class InputLayer(Layer):
    """First element of a Sequential that says the shape of one sample; its output is its input. Made by `Input`."""

    def __init__(self, shape: Sequence[int | None], batch_size: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = (batch_size, *_sizes(shape))
        self.built = True

    def _number_format(self, dtype: Any) -> np.dtype:
        return np.dtype(dtype)  # data may be of any type; the layer that takes them converts

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.shape


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> InputLayer:
    """The shape of one sample, without the batch axis: Input((28, 28, 1)). None stands for a size that may vary."""
    if (shape is None) == (batch_shape is None):
        raise ValueError("Input takes either shape, without the batch axis, or batch_shape, with it")
    if batch_shape is not None:
        batch_size, *shape = batch_shape
    return InputLayer(shape, batch_size, dtype=dtype, name=name)  # type: ignore[arg-type]


def _sizes(shape: Any) -> Shape:
    if isinstance(shape, int) or not isinstance(shape, Sequence):
        raise ValueError(f"Input: shape must be a tuple such as (28, 28, 1) or (784,), got {shape!r}")
    return tuple(None if size is None else arguments.positive(size, "Input: each size") for size in shape)
