"""Revision: how often anything was changed that a recorded step was made from. What was derived before is out of date."""

import operator
from typing import Any

# Attributes of layers, regularizers and constraints, those two of parameters; and `trainable` of layers.
revision = {"attributes": 0, "trainable": 0}


class Counted:
    """Base of objects whose attributes are counted when they are set."""

    def __setattr__(self, name: str, value: Any) -> None:
        revision["attributes"] += 1
        super().__setattr__(name, value)


def counted(slot: str) -> Any:
    """The property that `slot` holds, counted when it is set."""

    def put(self: Any, value: Any) -> None:
        revision["attributes"] += 1
        setattr(self, slot, value)

    return property(operator.attrgetter(slot), put)
