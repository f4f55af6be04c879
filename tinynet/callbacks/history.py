"""History: the record of a training run that `fit` returns."""

from collections.abc import Mapping
from typing import Any

from tinynet import signature
from tinynet.callbacks.callback import Callback, Logs


class History(Callback):
    """`history` maps each logged name to its values, one an epoch; `epoch` lists the epochs they belong to."""

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def __repr__(self) -> str:
        epochs = len(self.epoch)
        values = [f"{name} {signature.first_to_last(values)}" for name, values in self.history.items() if values]
        return f"History({epochs} epoch{'s' if epochs != 1 else ''}{''.join(f', {value}' for value in values)})"

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def state(self) -> dict[str, Any]:
        return {"history": self.history, "epoch": self.epoch}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.history, self.epoch = dict(state["history"]), list(state["epoch"])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
