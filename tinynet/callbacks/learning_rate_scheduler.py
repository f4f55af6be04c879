"""LearningRateScheduler: sets the learning rate at the beginning of every epoch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet.callbacks.callback import Callback, Logs
from tinynet.console import say


class LearningRateScheduler(Callback):
    """learning rate of an epoch = schedule(epoch, learning_rate),
    or schedule(epoch) if it takes one argument.

    `epoch` counts from 0; with verbose=1 it says what it sets. The rate is logged as `learning_rate` at the
    epoch's end. Raises ValueError if the schedule returns something other than a float, or the model has no
    optimizer with a learning rate.

    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
    >>> model.fit(x, y, epochs=2, verbose=0, callbacks=[halve]).history["learning_rate"]
    [0.005, 0.0025]
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer: Any = getattr(self.model, "optimizer", None)
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(
                f"LearningRateScheduler: {optimizer!r} has no learning rate; compile the model first"
            )
        if self._takes_two_arguments():
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        else:
            rate = self.schedule(epoch)
        if not isinstance(rate, float | np.float32):  # np.float64 is a float
            raise ValueError(f"LearningRateScheduler: expected `schedule` to return a float, got {rate!r}")
        optimizer.learning_rate = rate
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def _takes_two_arguments(self) -> bool:
        """Asked of the signature, not by calling: a TypeError inside the schedule stays visible."""
        try:
            signature = inspect.signature(self.schedule)
        except ValueError:  # some functions written in C do not say
            return True
        try:
            signature.bind(0, 0.0)
        except TypeError:
            return False
        return True
