"""Changes: counts how often attributes were set that a step may depend on.

Code that derives something from these attributes keeps it together with the count: another count means that
it is out of date.
"""

import operator
from typing import Any

# "attributes": of layers, regularizers and constraints, and which of the latter two a parameter has;
# "trainable": the flag of that name of layers.
counts = {"attributes": 0, "trainable": 0}
last = ("", "")  # (class of the owner, name) of the attribute that was set last


def attribute(owner: Any, name: str) -> None:
    """To be called when an attribute is set; counts it."""
    global last
    last = type(owner).__name__, name
    counts["attributes"] += 1


class Counted:
    """Base of classes: setting an attribute of their objects is counted."""

    def __setattr__(self, name: str, value: Any) -> None:
        attribute(self, name)
        super().__setattr__(name, value)


def counted(slot: str) -> Any:
    """A property that stores its value in `slot`; setting it is counted."""

    def put(self: Any, value: Any) -> None:
        attribute(self, slot)
        setattr(self, slot, value)

    return property(operator.attrgetter(slot), put)
