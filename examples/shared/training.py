"""One training, and what is kept of it."""

import time
from collections.abc import Sequence
from typing import Any

from tinynet import callbacks

_most_epochs: int | None = None


def at_most(epochs: int | None) -> None:
    """No training runs longer than this from now on: for a quick look, or to time an epoch."""
    global _most_epochs
    _most_epochs = epochs


class EpochTimes(callbacks.Callback):
    """Seconds of each epoch, validation included, as the notebooks' progress bars counted them."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(round(time.perf_counter() - self.start, 3))


def fit(model: Any, *args: Any, epochs: int, callbacks: Sequence[Any] = (), **options: Any) -> dict[str, Any]:
    """`model.fit(...)`, as a record: parameters, history and the seconds of each epoch.

    With `initial_epoch` the training goes on to `epochs`, as in Keras.
    """
    first = options.get("initial_epoch", 0)
    if _most_epochs is not None:
        epochs = min(epochs, first + _most_epochs)
    times = EpochTimes()
    history = model.fit(*args, epochs=epochs, callbacks=[*callbacks, times], **options).history
    return {
        "params": model.count_params(),
        "history": {name: [float(f"{value:.6g}") for value in values] for name, values in history.items()},
        "epoch_seconds": times.seconds,
    }


def joined(*parts: dict[str, Any]) -> dict[str, Any]:
    """The record of a net that was trained in several calls of `fit`, one after the other."""
    names = parts[0]["history"]
    return {
        **parts[-1],
        "history": {name: [x for part in parts for x in part["history"][name]] for name in names},
        "epoch_seconds": [x for part in parts for x in part["epoch_seconds"]],
    }
