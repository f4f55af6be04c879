"""What the values in a callback's state must be, when they come back from a backup."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Kind = Callable[[Any], bool]


def count(value: Any) -> bool:
    """Whether it is a whole number, at least 0."""
    return type(value) is int and 0 <= value < 1 << 62


def truth(value: Any) -> bool:
    """Whether it is True or False."""
    return type(value) is bool


def number(value: Any) -> bool:
    """Whether it is a number."""
    return isinstance(value, float) or (type(value) is int and abs(value) < 1 << 62)


def optional(kind: Kind) -> Kind:
    """None, or of that kind."""
    return lambda value: value is None or kind(value)


def several(kind: Kind) -> Kind:
    """A list of that kind."""
    return lambda value: isinstance(value, list) and all(map(kind, value))


def by_name(kind: Kind) -> Kind:
    """A dictionary of values of that kind, with names."""
    return lambda value: (
        isinstance(value, dict) and all(isinstance(key, str) and kind(one) for key, one in value.items())
    )


def text(value: Any) -> bool:
    """Whether it is a string."""
    return isinstance(value, str)


def numbers(value: Any) -> bool:
    """Whether it is an array of numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def point(value: Any) -> bool:
    """Whether it is an epoch and a number."""
    return isinstance(value, list | tuple) and len(value) == 2 and count(value[0]) and number(value[1])


def values(value: Any) -> bool:
    """Whether it can be the value of a metric: a number, an array of them, or a list of such."""
    return number(value) or numbers(value) or (isinstance(value, list) and all(map(values, value)))


def check(state: Any, kinds: Mapping[str, Kind], whose: str) -> None:
    """Raises ValueError unless `state` has just these entries, each of its kind."""
    if not isinstance(state, dict) or set(state) != set(kinds):
        raise ValueError(
            f"the state of {whose} must have {', '.join(sorted(kinds))}, and is {repr(state)[:200]}"
        )
    for name, kind in kinds.items():
        if not kind(state[name]):
            raise ValueError(
                f"the state of {whose} has the {name} {repr(state[name])[:200]}, which cannot be"
            )
