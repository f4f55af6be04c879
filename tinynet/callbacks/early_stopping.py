"""EarlyStopping: ends training when a logged value no longer improves."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tinynet.callbacks import schema
from tinynet.callbacks.callback import Logs
from tinynet.callbacks.monitor import MonitorCallback
from tinynet.console import say


class EarlyStopping(MonitorCallback):
    """Stops when `monitor` has not improved for `patience` epochs, beginning with epoch `start_from_epoch`.

    What improves, by more than `min_delta` in the direction `mode`, is said in MonitorCallback; with
    verbose=1 it says when it stops. With `baseline` only an improvement that also beats the baseline resets
    the count. `restore_best_weights` puts back the weights of the best epoch at the end of training, whether
    it was stopped or ran to completion. As in Keras, epoch 0 never stops training, and patience 0 stops at
    the first epoch without improvement.

    >>> stop = EarlyStopping("loss", min_delta=10.0)  # no epoch is better by so much
    >>> len(model.fit(x, y, epochs=50, verbose=0, callbacks=[stop]).epoch)
    2
    """

    _state_kinds: ClassVar = {
        "wait": schema.count, "stopped_epoch": schema.count, "best": schema.optional(schema.number),
        "best_epoch": schema.count,
        "best_weights": schema.optional(schema.several(schema.numbers)),
    }  # fmt: skip

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
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def training_state(self) -> dict[str, Any]:
        names = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")
        return {name: getattr(self, name) for name in names}

    def check_training_state(self, state: Any) -> None:
        super().check_training_state(state)
        weights = state["best_weights"]
        if weights is not None and [one.shape for one in weights] != [
            one.shape for one in self.model.get_weights()
        ]:
            raise ValueError(f"the best weights of EarlyStopping are not of the shapes of {self.model}")

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = self._current(logs)
        if current is None or epoch < self.start_from_epoch:
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
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
