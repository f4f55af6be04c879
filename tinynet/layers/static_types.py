"""What type checkers and editors are told of layers: the type of a call, and the arguments in **kwargs.

With them a layer's output is a Tensor that has its methods,
and a misspelt argument is a mistake before anything runs.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypedDict, overload

import numpy as np

from tinynet.autograd import Tensor
from tinynet.layers.symbolic import SymbolicTensor

Symbols = SymbolicTensor | list[SymbolicTensor]
Numbers = Tensor | np.ndarray | list[Tensor]


class Call(Protocol):
    """A layer's call: a Tensor of arrays and Tensors, a symbolic tensor of those."""

    @overload
    def __call__(
        self, x: Symbols, /, *args: Any, training: bool | None = None, **kwargs: Any
    ) -> SymbolicTensor: ...
    @overload
    def __call__(self, x: Numbers, /, *args: Any, training: bool | None = None, **kwargs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any: ...


def as_call(method: Any) -> Call:
    """Decorator: `method` as it is, of that type."""
    return method


def of_any_arguments(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: `method` as it is, which subclasses may define with arguments of other names and numbers."""
    return method


class ShapeArguments(TypedDict, total=False):
    """Keras's older way to say the shape of a sample: see arguments.input_shape."""

    input_shape: Any
    input_dim: int | None


class UnnamedArguments(ShapeArguments, total=False):
    """Of layers that name `name` among their own arguments."""

    trainable: bool
    dtype: Any
    activity_regularizer: Any


class LayerArguments(UnnamedArguments, total=False):
    """All of them: see Layer."""

    name: str | None


class UnpenalisedArguments(ShapeArguments, total=False):
    """Of layers that name `activity_regularizer` among their own arguments."""

    trainable: bool
    dtype: Any
    name: str | None
