"""Logged values under their older names: acc for accuracy, lr for learning_rate;
whichever is asked for is found.
"""

import re
from collections.abc import Mapping
from typing import Any

from tinynet.callbacks import CallbackList

PAIRS = {"acc": "accuracy", "accuracy": "acc", "lr": "learning_rate", "learning_rate": "lr"}


def other_name(name: Any) -> Any:
    """acc for accuracy and the reverse, also behind val_ or an output's name;
    lr for learning_rate and the reverse.
    """
    if name in PAIRS:
        return PAIRS[name]
    match = re.fullmatch(r"(.+_)(acc|accuracy)", name) if isinstance(name, str) else None
    return match and match[1] + PAIRS[match[2]]


class Logs(dict[str, Any]):
    """A dictionary in which both names find a value; it has that of the era as its key."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__("lr" if name == "learning_rate" else name, value)

    def __missing__(self, name: str) -> Any:
        found = other_name(name)
        if found is not None and super().__contains__(found):
            return super().__getitem__(found)
        raise KeyError(name)

    def __contains__(self, name: Any) -> bool:
        return super().__contains__(name) or super().__contains__(other_name(name))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def with_both_names(self) -> dict[str, Any]:
        """Every value under both names."""
        return {**{other: value for name, value in self.items() if (other := other_name(name))}, **self}


def named(logs: Any) -> Any:
    """Logs of a dictionary; anything else stays what it is."""
    return Logs(logs) if isinstance(logs, Mapping) else logs


class OlderCallbackList(CallbackList):
    """Calls callbacks with Logs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.history is not None:
            self.history.history = Logs(self.history.history)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # type: ignore[override]
        super().on_epoch_end(epoch, named(logs))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # type: ignore[override]
        super().on_train_batch_end(batch, named(logs))

    def on_train_end(self, logs: Any = None) -> None:  # type: ignore[override]
        super().on_train_end(named(logs))

    def on_test_end(self, logs: Any = None) -> None:  # type: ignore[override]
        super().on_test_end(named(logs))
