"""overridable: properties that give way to an attribute of the same name,
so that subclasses may use the name.
"""

from collections.abc import Callable
from typing import Any


class overridable:  # noqa: N801 - used as property is
    """A property that is read as `property` is; `self.name = value` hides it,
    since the engine itself never reads it.
    """

    def __init__(self, get: Callable[[Any], Any], doc: str | None = None) -> None:
        self.get, self.__doc__ = get, doc or get.__doc__

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else self.get(owner)


class NotKnownError(AttributeError, ValueError):
    """An attribute that a layer or model does not know, or not yet: `hasattr` is false."""
