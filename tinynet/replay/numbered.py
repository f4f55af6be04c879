"""Numbered: the values that somebody's Python goes by, looked at at each call,
and a number for each set of them.
"""

from collections.abc import Iterable
from itertools import count
from operator import is_
from typing import Any

from tinynet.replay.names import Names
from tinynet.replay.values import is_plain

KEPT = 64  # sets of values that have numbers


class Numbered:
    """A number for what `things` go by: the same for the same values, of all that there were lately."""

    def __init__(self, things: Iterable[Any] = ()) -> None:
        self._things = list(things)
        self._numbers: dict[Any, int] = {}
        self._next = count()
        self.read()

    def read(self) -> None:
        """Walks through what the things name."""
        self.names = Names(self._things)
        self._take(self.names.now())

    def look(self) -> bool:
        """Reads what is named now, at each call. True if other objects are,
        so that what they lead to was read anew.
        """
        now, before = self.names.now(), self._now
        if len(now) == len(before) and all(map(is_, now, before)):
            return False
        if len(now) == len(before) and all(
            a is b or (is_plain(a) and is_plain(b)) for a, b in zip(now, before, strict=True)
        ):
            self._take(now)
            return False
        self.read()
        return True

    def _take(self, now: list[Any]) -> None:
        self._now, self.last = now, self.names.key(now)
        if len(self._numbers) > KEPT:
            self._numbers.clear()
        self.number = self._numbers.setdefault(self.last, next(self._next))
