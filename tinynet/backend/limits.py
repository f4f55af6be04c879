"""Limits: while a model is made from a file, nothing is allocated that the file does not hold.

A description of a few bytes can ask for Dense(10**12). Within `limits.within(left)` weights, and other arrays
that are kept, have at most so many elements, and weights are zeros, which the file's arrays replace later;
layers that do not say the shape of their output are run on arrays without numbers (layers/infer_shape.py),
or, if they are the user's and need numbers, on small ones; shapes must be of a sane size. Who makes arrays
does not know of it: `Left` listens to `allocations`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet.backend import allocations, device

LONGEST = 1 << 24  # size of one axis
LARGEST = 1 << 28  # elements of a sample
MOST_AXES = 8
UNKNOWN = 96  # what a size that is not known counts as
# elements of samples on which a layer of the user's is tried, and all of them together
TRIAL, TRIALS = 1 << 20, 1 << 25
# elements of arrays beside the weights: constants of layers, variables of metrics, slots of optimizers
OTHERS = 1 << 21


class TooLargeError(ValueError):
    """More than is left."""


@dataclass
class Left:
    """What may still be allocated: elements of weights, of other arrays that are kept, and of trial runs.

    `first(shape, dtype)` gives the values that weights begin with; None: what their initializers give.
    """

    weights: int
    others: int = OTHERS
    first: Callable[..., Any] | None = np.zeros
    tried: int = TRIALS

    def weight(self, make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
        """The first value of a weight; ValueError if nothing is left."""
        self.weights -= math.prod(shape)
        if self.weights < 0:
            raise _too_large(shape)
        value = make(shape, dtype=dtype) if self.first is None else self.first(shape, dtype)
        return device.to_device(value) if isinstance(value, np.ndarray) else value

    def array(self, shape: Sequence[int]) -> None:
        """Counts an array that will be kept and is no weight; ValueError if nothing is left."""
        self.others -= math.prod(shape)
        if self.others < 0:
            raise _too_large(shape)

    def symbol(self, shape: Sequence[Any]) -> None:
        """Raises ValueError for the shape of a batch whose samples are too large, or no shape at all."""
        sizes = shape[1:]
        whole = all(size is None or 0 <= size <= LONGEST for size in sizes)
        if len(shape) > MOST_AXES or not whole or _elements(shape) > LARGEST:
            raise TooLargeError(f"no model has a tensor of shape {tuple(shape)}")

    def trial(self, shapes: Sequence[Sequence[Any]]) -> None:
        """Raises ValueError for a trial run on inputs, of these shapes, that are too large."""
        size = sum(_elements(shape) for shape in shapes)
        self.tried -= size
        if size > TRIAL or self.tried < 0:
            raise ValueError(
                "it takes too much memory to find its output's shape by running it on inputs of shapes "
                f"{list(shapes)}: give the Lambda an output_shape, the layer a compute_output_shape"
            )


@contextmanager
def within(left: Left) -> Iterator[None]:
    """Until the end, no more is kept than is left."""
    token = allocations.listener.set(left)
    try:
        yield
    finally:
        allocations.listener.reset(token)


def _too_large(shape: Sequence[int]) -> TooLargeError:
    return TooLargeError(
        f"an array of shape {tuple(shape)} is larger than what the file holds, or than may be asked for"
    )


def _elements(shape: Sequence[Any]) -> int:
    """Elements of one sample."""
    return math.prod(UNKNOWN if size is None else size for size in shape[1:])
