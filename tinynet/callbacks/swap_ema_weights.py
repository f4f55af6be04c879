"""SwapEMAWeights: the optimizer's averages take the place of the weights while the model is evaluated."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tinynet.callbacks import schema
from tinynet.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Exchanges weights and their averages (an optimizer with `use_ema=True`) before `evaluate`, validation
    and `predict`, and back after them.

    With `swap_on_epoch` the averages also stand in the model from the end of an epoch to the beginning of the
    next, so that a ModelCheckpoint behind this callback saves them; put an EarlyStopping before it. Raises
    ValueError if the optimizer keeps no averages.

    >>> model.compile(tinynet.optimizers.SGD(use_ema=True), "mse")
    >>> history = model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[SwapEMAWeights()])
    >>> list(history.history)
    ['loss', 'val_loss']
    """

    _state_kinds: ClassVar = {"_swapped": schema.truth}

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False  # whether the averages are in the model

    def training_state(self) -> dict[str, Any]:
        return {"_swapped": self._swapped}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)
            if epoch == (self.params or {}).get("epochs", 0) - 1 or self.model.stop_training:
                # The end of `fit` copies averages to weights: both are averages now.
                for variable, average in self._pairs():
                    average[...] = variable.data

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def _swap(self, averages_in_model: bool) -> None:
        if self._swapped == averages_in_model:
            return
        for variable, average in self._pairs():
            before = variable.data.copy()
            variable.data[...] = average
            average[...] = before
            variable.touch()
        self._swapped = averages_in_model

    def _pairs(self) -> list[tuple[Any, Any]]:
        """(trained variable, array of its averages)."""
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights: the optimizer keeps no averages; create it with use_ema=True")
        if not optimizer.built:
            raise ValueError(
                "SwapEMAWeights: there are no averages before the first training step; call fit first"
            )
        return list(zip(optimizer._trainable_variables, optimizer._weight_averages, strict=True))
