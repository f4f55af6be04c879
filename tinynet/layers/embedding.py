"""Embedding: a vector for every integer, looked up in a table that is learned."""

from typing import Any

import numpy as np

from tinynet import ops
from tinynet.autograd import Tensor
from tinynet.backend import device
from tinynet.kernels import elementwise
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape


class Embedding(Layer):
    """y = table[x]: x (N, ...) integers from 0 to input_dim - 1; y (N, ..., output_dim).

    weights   the table to start with, (input_dim, output_dim).
              Floats among the inputs are truncated to integers.

    There are no masks in tinynet: mask_zero=True is refused.

    embeddings_initializer, embeddings_regularizer, embeddings_constraint
        what the table begins as, costs, and is put back to

    >>> Embedding(100, 8)(np.array([[3, 1, 4]])).shape
    (1, 3, 8)
    """

    _takes_many = False

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # of Keras 2; the length is that of the input
        super().__init__(**kwargs)
        self.input_dim = arguments.positive(input_dim, f"{self}: input_dim")
        self.output_dim = arguments.positive(output_dim, f"{self}: output_dim")
        self.embeddings_initializer, self.embeddings_regularizer, self.embeddings_constraint = (
            self._weight_arguments(embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        )
        if mask_zero:
            raise ValueError(
                f"{self}: masks are not part of tinynet; leave mask_zero out, and 0 is an id like others"
            )
        self.mask_zero = False
        if weights is not None:
            self.build((None,))
            self.set_weights(weights if isinstance(weights, list | tuple) else [weights])

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self._make_weight("embeddings", (self.input_dim, self.output_dim))
        super().build(input_shape)

    def _as_input(self, inputs: Any) -> Any:
        """`inputs` as a Tensor of integers."""
        array = inputs.data if isinstance(inputs, Tensor) else inputs
        array = array if hasattr(array, "dtype") else np.asarray(array)
        array = device.to_device(array) if isinstance(array, np.ndarray) else array
        return Tensor(array if array.dtype.kind in "iu" else elementwise.cast(array, np.dtype(np.int32)))

    def call(self, x: Any) -> Any:
        try:
            return ops.embedding(self.embeddings, x)
        except IndexError as error:
            found = f"{x.data.min()} to {x.data.max()}"
            raise ValueError(
                f"{self} has rows for ids from 0 to {self.input_dim - 1}, got ids from {found}"
            ) from error

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "weights"}
