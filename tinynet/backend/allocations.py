"""Allocations: arrays that are kept, and shapes, are announced here before they are made.

As a rule nobody listens, and `weight` is a call of the initializer. A listener may refuse, by an error, or
give the values of a weight itself: `limits.within`, while a model is made from a file, is one.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol


class Listener(Protocol):
    """Who is told; each method may raise an error."""

    def weight(self, make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
        """The first value of a weight: make(shape, dtype=dtype), or another array."""

    def array(self, shape: Sequence[int]) -> None:
        """Another array will be kept."""

    def symbol(self, shape: Sequence[Any]) -> None:
        """A batch of this shape is described, None for sizes that are unknown."""

    def trial(self, shapes: Sequence[Sequence[Any]]) -> None:
        """A layer will be run on batches of these shapes, to find the shape of its output."""


listener: ContextVar[Listener | None] = ContextVar("tinynet_allocations", default=None)


def sparing() -> bool:
    """Whether memory is to be spared: shapes are found on arrays without numbers where that can be."""
    return listener.get() is not None


def weight(make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
    """The first value of a weight, as `make(shape, dtype=dtype)` gives it."""
    told = listener.get()
    return make(shape, dtype=dtype) if told is None else told.weight(make, shape, dtype)


def array(shape: Sequence[int]) -> None:
    """Before an array is made that is kept and is no weight."""
    if (told := listener.get()) is not None:
        told.array(shape)


def symbol(shape: Sequence[Any]) -> None:
    """Before a batch of this shape is described."""
    if (told := listener.get()) is not None:
        told.symbol(shape)


def trial(shapes: Sequence[Sequence[Any]]) -> None:
    """Before a layer is run on batches of these shapes."""
    if (told := listener.get()) is not None:
        told.trial(shapes)
