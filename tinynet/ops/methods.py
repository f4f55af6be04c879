"""How operations become methods of Tensor: each is attached in the file that defines it.

Tensor stands in `autograd`, below the operations and without knowledge of them,
so that imports point one way.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from tinynet.autograd import Tensor

Value = Any  # a Tensor, or an array (then the result is an array and nothing is recorded)


def method(name: str, function: Callable[..., Any]) -> None:
    """`t.name(...)` is `function(t, ...)`."""

    @wraps(function)
    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    setattr(Tensor, name, call)


def operator(name: str, function: Callable[..., Any]) -> None:
    """The operator of Python's method `__name__` is `function`, with the Tensor on either side."""
    setattr(Tensor, f"__{name}__", lambda self, other: function(self, other))
    setattr(Tensor, f"__r{name}__", lambda self, other: function(other, self))
