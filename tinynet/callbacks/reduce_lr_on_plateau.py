"""ReduceLROnPlateau: lowers the learning rate when a logged value no longer improves."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tinynet.callbacks import schema
from tinynet.callbacks.callback import Logs
from tinynet.callbacks.monitor import MonitorCallback
from tinynet.console import say


class ReduceLROnPlateau(MonitorCallback):
    """learning rate <- max(learning rate * factor, min_lr) when `monitor` has not
    improved for `patience` epochs.

    After that it waits `cooldown` epochs before it counts again; what improves (`min_delta`, `mode`) is said
    in MonitorCallback. The rate of the epoch, before the change, is logged as `learning_rate`; with verbose=1
    it says what it sets. Raises ValueError for a factor of 1 or more, and TypeError when it should lower a
    rate that follows a schedule.

    >>> # no epoch is better by so much
    >>> halve = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
    >>> model.fit(x, y, epochs=3, verbose=0, callbacks=[halve]).history["learning_rate"]
    [0.01, 0.01, 0.005]
    """

    _state_kinds: ClassVar = {
        "best": schema.optional(schema.number),
        "wait": schema.count,
        "cooldown_counter": schema.count,
    }

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau: factor must be below 1, or the rate would not fall; got {factor}"
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def training_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    def in_cooldown(self) -> bool:
        """Whether epochs without improvement are not counted now."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self._current(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        """Lowers the rate; False where it is as low as it may be."""
        rate = float(self.model.optimizer.learning_rate)
        if not np.float32(rate) > np.float32(self.min_lr):  # Keras keeps the rate in float32
            return False
        lower = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = lower
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {lower}.")
        return True
