"""Input: the shape and type of what a model is fed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.backend import config
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.symbolic import Node, SymbolicTensor


class InputLayer(Layer):
    """Where data enter a model: it says the shape of one sample, and its output is its input.
    Made by `Input`.

    shape   of one sample;  batch_size   None: any;  batch_shape   both, the size of the batch first

    >>> InputLayer((28, 28, 1)).output.shape
    (None, 28, 28, 1)
    """

    _takes_many = False

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype, name=name)
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input takes either shape, without the batch axis, or batch_shape, with it")
        if batch_size is not None and batch_shape is not None:
            raise ValueError(
                f"Input: batch_shape={batch_shape} holds the size of the batch; leave batch_size out"
            )
        if batch_shape is not None:
            batch_size, *shape = batch_shape
        self.shape = (batch_size, *_sizes(shape))
        self.built = True
        self._inbound_nodes.append(Node(self, (), {}, SymbolicTensor(self.shape, self.dtype)))

    def _number_format(self, dtype: Any) -> np.dtype:
        return np.dtype(dtype)  # data may be of any type; the layer that takes them converts

    def call(self, x: Any) -> Any:
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.shape

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": self.shape, "dtype": self.dtype.name, "name": self.name}


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """A symbolic batch of samples of `shape`, the batch axis left out: Input((28, 28, 1));
    None: a size that may vary.

    batch_size    None: any;  batch_shape   in place of shape and batch_size, the size of the batch first
    dtype         None: `config.floatx()`;  name   of the input.
                  Raises ValueError for what is no shape of positive sizes.

    The first element of a Sequential, or what the layers of a functional model are called on.

    >>> layers.Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    if isinstance(shape, int) and isinstance(batch_size, int | None):
        sizes = [str(one) for one in (shape, batch_size, dtype) if isinstance(one, int)]
        written = ", ".join(sizes)
        meant = written if len(sizes) > 1 else f"{written},"
        raise ValueError(
            f"Input takes the shape of one sample as one tuple: Input(({meant})), got Input({written})"
        )
    return InputLayer(shape, batch_size, dtype or config.floatx(), batch_shape, name).output


def _sizes(shape: Any) -> Shape:
    if isinstance(shape, int) or not isinstance(shape, Sequence):
        raise ValueError(f"Input: shape must be a tuple such as (28, 28, 1) or (784,), got {shape!r}")
    return tuple(None if size is None else arguments.positive(size, "Input: each size") for size in shape)
