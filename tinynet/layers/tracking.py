"""Tracking: what a layer's attributes hold, and in which order it came there,
which is that of its weights, as in Keras.

A layer in an attribute came when that was set. One in a list or a dictionary came with it, or when the layer
was made, if that was later: self.blocks = [], then self.blocks.append(Dense(2)).
"""

from collections.abc import Iterable
from itertools import count
from operator import itemgetter
from typing import Any

from tinynet.tree import STRUCTURES

clock = count(1)  # of what is made and set


class Values:
    """What a layer's attributes held when so many had been set;
    whatever is in its lists and dictionaries is looked up anew.

    held   (when it was set, value) for layers (of the class `kind`), what is of `others`,
           and collections; the earliest first
    """

    __slots__ = ("count", "held", "kind", "known", "values")

    def __init__(
        self, count: int, attributes: Iterable[tuple[str, Any]], set_at: Any, kind: type, *others: type
    ) -> None:
        self.count, self.kind, kinds = count, kind, (kind, *others, *STRUCTURES)
        found = [(set_at.get(name, 0), value) for name, value in attributes if isinstance(value, kinds)]
        self.held = sorted((entry for entry in found if not _holds_nothing(entry[1])), key=itemgetter(0))
        self.values = [value for _, value in self.held]
        # the layers as they were found last, and in their order
        self.known: tuple[list[Any], list[Any]] = [], []

    def layers(self) -> list[Any]:
        """The layers, each once, in the order in which they came."""
        found, known = objects(self.kind, self.values), self.known
        if found != known[0]:
            known = self.known = found, self._in_order()
        return known[1]

    def _in_order(self) -> list[Any]:
        came: list[tuple[int, Any]] = []
        for when, value in self.held:
            late = 0 if isinstance(value, self.kind) else 1  # one that is alone may be older
            came += [
                (max(when, late * vars(one).get("_made_at", 0)), one) for one in objects(self.kind, [value])
            ]
        return list(dict.fromkeys(one for _, one in sorted(came, key=itemgetter(0))))


def _holds_nothing(value: Any) -> bool:
    """Whether it is a tuple of numbers and names, as sizes of kernels and the like are."""
    return isinstance(value, tuple) and all(isinstance(item, int | float | str | None) for item in value)


def objects(kind: type, values: Iterable[Any]) -> list[Any]:
    """The objects of a kind among `values`, or in lists, tuples and dictionaries there."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, kind):
            found.append(value)
        elif isinstance(value, STRUCTURES):
            found += objects(kind, value.values() if isinstance(value, dict) else value)
    return found
