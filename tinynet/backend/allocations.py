"""Allocations: before an array to be kept or a symbolic tensor is made, the listener is told here.

Usually there is no listener, and `weight` just calls the initializer. A listener may refuse, by raising an
error, or supply the values of a weight itself. `limits.within`, which guards the loading of files, is such
a listener.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol


class Listener(Protocol):
    """What a listener has; each method may raise an error."""

    def weight(self, make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
        """The first value of a weight: make(shape, dtype=dtype), or another array."""

    def array(self, shape: Sequence[int]) -> None:
        """Another array will be made and kept."""

    def symbol(self, shape: Sequence[Any]) -> None:
        """A symbolic tensor of this shape will be made; None stands for an unknown size."""

    def trial(self, shapes: Sequence[Sequence[Any]]) -> None:
        """A layer will be run on batches of these shapes, to find the shape of its output."""


listener: ContextVar[Listener | None] = ContextVar("tinynet_allocations", default=None)


def sparing() -> bool:
    """Whether to save memory: shapes are then found with arrays without numbers, where possible."""
    return listener.get() is not None


def weight(make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
    """The first value of a weight: make(shape, dtype=dtype), unless a listener supplies another."""
    current = listener.get()
    return make(shape, dtype=dtype) if current is None else current.weight(make, shape, dtype)


def array(shape: Sequence[int]) -> None:
    """To be called before an array is made that is kept and is not a weight."""
    if (current := listener.get()) is not None:
        current.array(shape)


def symbol(shape: Sequence[Any]) -> None:
    """To be called before a symbolic tensor of this shape is made."""
    if (current := listener.get()) is not None:
        current.symbol(shape)


def trial(shapes: Sequence[Sequence[Any]]) -> None:
    """To be called before a layer is run on batches of these shapes to find the shape of its output."""
    if (current := listener.get()) is not None:
        current.trial(shapes)
