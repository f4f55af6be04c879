"""Changes: how often attributes were set that steps depend on. What was derived before the last change is out of date."""

import operator
from typing import Any

# Attributes of layers, regularizers and constraints, those two of parameters; and `trainable` of layers.
counts = {"attributes": 0, "trainable": 0}
last = ("", "")  # the attribute that was set last: the class of its owner, and its name


def attribute(owner: Any, name: str) -> None:
    """Counts that an attribute was set."""
    global last
    last = type(owner).__name__, name
    counts["attributes"] += 1


class Counted:
    """Base of objects whose attributes are counted when they are set."""

    def __setattr__(self, name: str, value: Any) -> None:
        attribute(self, name)
        super().__setattr__(name, value)


def counted(slot: str) -> Any:
    """The property that `slot` holds, counted when it is set."""

    def put(self: Any, value: Any) -> None:
        attribute(self, slot)
        setattr(self, slot, value)

    return property(operator.attrgetter(slot), put)
