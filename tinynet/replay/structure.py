"""Structures of what a step is given and returns: lists, tuples,
named tuples and dictionaries, exactly these.

Unlike in tree.py dictionaries keep their order, and classes derived from them count as single things.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tinynet.tree import like


def _is_tuple(kind: type) -> bool:
    return kind is list or kind is tuple or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def leaves(value: Any) -> Iterator[Any]:
    """The values in a structure, in order.

    >>> list(leaves({"b": [2, 3], "a": 1}))
    [2, 3, 1]
    """
    kind = type(value)
    if kind is dict or _is_tuple(kind):
        for item in value.values() if kind is dict else value:
            yield from leaves(item)
    else:
        yield value


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """The structure with function(one) for every value in it.

    >>> mapped(lambda one: 2 * one, {"b": 1, "a": [2, 3]})
    {'b': 2, 'a': [4, 6]}
    """
    kind = type(value)
    if kind is dict:
        return {key: mapped(function, item) for key, item in value.items()}
    return like(value, [mapped(function, item) for item in value]) if _is_tuple(kind) else function(value)
