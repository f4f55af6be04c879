"""History: the record of a training run that `fit` returns."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tinynet import markup, signature
from tinynet.callbacks import schema
from tinynet.callbacks.callback import Callback, Logs

ROWS = 10  # epochs that a notebook shows


def _at(logged: list[float], place: int) -> str:
    """The value so many places from the end: what is not logged in every epoch is shorter."""
    return f"{logged[place]:.4g}" if -place <= len(logged) else ""


class History(Callback):
    """`history` maps each logged name to its values, one an epoch; `epoch` lists the epochs they belong to.

    >>> history = model.fit(x, y, epochs=3, verbose=0)
    >>> history.epoch, len(history.history["loss"])
    ([0, 1, 2], 3)
    """

    _state_kinds: ClassVar = {
        "history": schema.by_name(schema.several(schema.values)),
        "epoch": schema.several(schema.count),
    }

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def __repr__(self) -> str:
        epochs = len(self.epoch)
        values = [
            f"{name} {signature.first_to_last(values)}" for name, values in self.history.items() if values
        ]
        return (
            f"History({epochs} epoch{'s' if epochs != 1 else ''}{''.join(f', {value}' for value in values)})"
        )

    def _repr_html_(self) -> str:
        """In a notebook: the curves of the losses, and the values of the first and the last epochs."""
        values = {
            name: [float(np.mean(v)) for v in logged] for name, logged in self.history.items() if logged
        }
        if not values:
            return markup.paragraph(repr(self))
        count = len(self.epoch)
        shown = range(count) if count <= ROWS else [0, 1, *range(count - ROWS + 2, count)]
        rows = [[self.epoch[i] + 1, *(_at(logged, i - count) for logged in values.values())] for i in shown]
        losses = {name: logged for name, logged in values.items() if name in ("loss", "val_loss")}
        return markup.curves(losses) + markup.table(["epoch", *values], rows)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def training_state(self) -> dict[str, Any]:
        return {"history": self.history, "epoch": self.epoch}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        self.history, self.epoch = dict(state["history"]), list(state["epoch"])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
