"""EarlyStopping: ends training when a logged value no longer improves."""

import warnings
from typing import Any

from tinynet.callbacks.callback import Callback, Logs


class EarlyStopping(Callback):
    """Stops when `monitor` has not improved for `patience` epochs, beginning with epoch `start_from_epoch`.

    An improvement is a value below best - |min_delta| (mode "min") or above best + |min_delta| ("max"); "auto" takes
    the direction from the name or from the model's metric of that name. With `baseline` only an improvement that also
    beats the baseline resets the count. `restore_best_weights` puts back the weights of the best epoch at the end of
    training, whether it was stopped or ran to completion. As in Keras, epoch 0 never stops training, and patience 0
    stops at the first epoch without improvement.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"EarlyStopping: mode {mode!r} is unknown, 'auto' is used instead", stacklevel=2)
            mode = "auto"
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = (logs or {}).get(self.monitor)
        if current is None:
            names = ", ".join(logs or ())
            warnings.warn(f"EarlyStopping: `{self.monitor}` is not logged; available are: {names}", stacklevel=2)
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)  # so that there is something to restore if every value is NaN
        self.wait += 1
        if self._improves(current, self.best):
            self.best = current
            self._remember(epoch)
            if self._improves(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def _improves(self, current: float, reference: float | None) -> bool:
        sign = -1 if self._direction() == "min" else 1
        return reference is None or sign * current - self.min_delta > sign * reference

    def _direction(self) -> str:
        """ "min" or "max": whether a good value of the monitored quantity is small or large."""
        name = self.monitor.removeprefix("val_")
        if self.mode != "auto":
            return self.mode
        if name == "loss":
            return "min"
        for metric in getattr(self.model, "metrics", ()):
            if getattr(metric, "name", None) == name and getattr(metric, "direction", None):
                return "max" if metric.direction == "up" else "min"
        if name in ("acc", "accuracy") or name.endswith("_accuracy"):
            return "max"
        raise ValueError(
            f"EarlyStopping: whether {self.monitor!r} should rise or fall is not known; pass mode='max' or mode='min'"
        )
