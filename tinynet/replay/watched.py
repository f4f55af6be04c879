"""Watched: an array that calls a function when Python computes with its numbers or reads one.

In the trial run of a step the user's Python gets such arrays as its arguments and as `tensor.data`. It may
pass them on. But what NumPy computes from them, no launch repeats; and what Python decides by their numbers
would not be decided again.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


class Watched(np.ndarray):
    """A view of an array; `tell(what)` is called before anything is computed from its numbers or read."""

    array_module = np
    tell: Callable[[str], None] | None
    unwatched = property(lambda self: self.view(np.ndarray), doc="The array itself, for tinynet's functions.")

    def __array_finalize__(self, other: Any) -> None:
        self.tell = getattr(other, "tell", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if any(not isinstance(x, np.ndarray) and hasattr(x, "__array_ufunc__") for x in inputs):
            return NotImplemented  # a Tensor's operator
        _tell([*inputs, *settings.get("out", ())], f"computes with NumPy (np.{ufunc.__name__})")
        settings = {**settings, "out": tuple(map(plain, settings["out"]))} if "out" in settings else settings
        return getattr(ufunc, method)(*map(plain, inputs), **settings)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        _tell([self], f"computes with NumPy (np.{function.__name__})")
        return super().__array_function__(function, types, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if not isinstance(found, np.ndarray):
            _tell([self], "looks at the numbers of an array")
        return found

    def __setitem__(self, index: Any, value: Any) -> None:
        _tell([self], "changes an array in place")
        super().__setitem__(index, value)

    def _looked(name: str) -> Any:  # type: ignore[misc]  # noqa: N805 - makes methods
        def method(self: "Watched", *args: Any, **kwargs: Any) -> Any:
            _tell([self], "looks at the numbers of an array")
            return getattr(self.view(np.ndarray), name)(*args, **kwargs)

        return method

    for _name in (
        "__bool__", "__float__", "__int__", "__index__", "__complex__", "__repr__", "__str__", "__format__",
        "__contains__", "item", "tolist", "tobytes", "copy", "astype", "round", "argmax", "argmin", "argsort",
        "nonzero", "dot", "take", "clip",
    ):  # fmt: skip
        locals()[_name] = _looked(_name)


def plain(value: Any) -> Any:
    """The array itself of one that is watched; anything else unchanged."""
    return value.view(np.ndarray) if type(value) is Watched else value


def _tell(values: Any, what: str) -> None:
    for value in values:
        if type(value) is Watched and value.tell is not None:
            value.tell(what)
            return
