"""Flatten, Reshape, Permute, RepeatVector, Identity: the same numbers under another shape."""

import math
from collections.abc import Sequence
from typing import Any, Unpack

from tinynet import ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Elementwise, Layer, Shape
from tinynet.layers.static_types import LayerArguments


class Flatten(Layer):
    """All axes but the batch in one, in C order: x (N, ...); y (N, F).

    As in Keras, "channels_first" moves the channels last before,
    so that the order is the same in both data formats.

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> Flatten()(np.ones((2, 7, 7, 16))).shape
    (2, 784)
    """

    _takes_many = False

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)

    def call(self, x: Any) -> Any:
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.moveaxis(x, 1, -1)
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))  # type: ignore[arg-type]


class Reshape(Layer):
    """All axes but the batch in the shape `target_shape`, one entry of which may be -1.

    x (N, ...); y (N, *target_shape).

    >>> Reshape((7, 7, -1))(np.ones((2, 784))).shape
    (2, 7, 7, 16)
    """

    _takes_many = False

    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if isinstance(target_shape, int):
            raise ValueError(
                f"{self}: target_shape must be a tuple such as ({target_shape},), got {target_shape}"
            )
        self.target_shape = arguments.integers(target_shape, f"{self}: target_shape")
        if self.target_shape.count(-1) > 1 or any(size < -1 for size in self.target_shape):
            raise ValueError(f"{self}: target_shape may hold one -1 and sizes >= 0, got {target_shape}")

    def call(self, x: Any) -> Any:
        return ops.reshape(x, self.compute_output_shape(x.shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if None in input_shape[1:]:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        total = math.prod(input_shape[1:])  # type: ignore[arg-type]
        known = math.prod(size for size in self.target_shape if size != -1)
        if -1 in self.target_shape and known and total % known == 0:
            return (input_shape[0], *(total // known if size == -1 else size for size in self.target_shape))
        if known != total or -1 in self.target_shape:
            raise ValueError(
                f"{self}: an input of shape {input_shape} has {total} elements per sample, "
                f"which do not fill the target shape {self.target_shape}"
            )
        return (input_shape[0], *self.target_shape)


class Permute(Layer):
    """The axes of a sample in another order, counted from 1: y's axis i is x's axis dims[i - 1].

    x (N, ...); y (N, ...). Permute((2, 1)) exchanges the two axes behind the batch.

    >>> Permute((2, 1))(np.ones((2, 10, 4))).shape
    (2, 4, 10)
    """

    _takes_many = False

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.dims = arguments.integers((dims,) if isinstance(dims, int) else dims, f"{self}: dims")
        if not self.dims or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{self}: dims must be the numbers from 1 on in some order, such as (2, 1), got {dims!r}"
            )
        self._input_rank = len(self.dims) + 1
        self._input_words = f", the batch and those that dims={self.dims} orders"

    def call(self, x: Any) -> Any:
        return ops.transpose(x, (0, *self.dims))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class RepeatVector(Layer):
    """Every sample `n` times along a new axis: x (N, F); y (N, n, F).

    >>> RepeatVector(3)(np.ones((2, 4))).shape
    (2, 3, 4)
    """

    _takes_many = False
    _input_rank = 2
    _input_words = ", vectors (N, F)"

    def __init__(self, n: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.n = arguments.positive(n, f"{self}: n")

    def call(self, x: Any) -> Any:
        return ops.broadcast_to(ops.expand_dims(x, 1), (x.shape[0], self.n, x.shape[1]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])


class Identity(Elementwise):
    """y = x, whatever its shape.

    >>> Identity()(np.ones((1, 2))).numpy()
    array([[1., 1.]], dtype=float32)
    """

    def call(self, x: Any) -> Any:
        return x
