"""Lookahead: fast weights explore, slow weights follow."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from tinynet.backend import device
from tinynet.callbacks import schema
from tinynet.callbacks.callback import Callback, Logs


class Lookahead(Callback):
    """Every `sync_period` training steps phi <- phi + alpha (w - phi) and then w <- phi, where phi, the slow
    weights, begin as the weights w of the model: those that are trained, and moving means too.

    M. Zhang et al., "Lookahead optimizer: k steps forward, 1 step back" (2019), algorithm 1.

    sync_period      k, a positive integer
    slow_step_size   alpha, a number in 0 .. 1, or a function of the number of steps done that returns one

    Raises ValueError for arguments out of range, and for a model that is not built.

    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[Lookahead(5, 0.5)])
    """

    _state_kinds: ClassVar = {"steps": schema.count, "slow": schema.several(schema.numbers)}

    def __init__(self, sync_period: int = 6, slow_step_size: float | Callable[[int], float] = 0.5) -> None:
        if isinstance(sync_period, bool) or not isinstance(sync_period, int) or sync_period < 1:
            raise ValueError(f"Lookahead: sync_period must be a positive integer, got {sync_period!r}")
        self.sync_period = sync_period
        self.slow_step_size = slow_step_size if callable(slow_step_size) else _checked(slow_step_size)
        self._steps_done = 0
        self._slow_weights: list[Any] = []

    def _wants_values(self) -> bool:
        return False

    def training_state(self) -> dict[str, Any]:
        return {"steps": self._steps_done, "slow": [device.to_host(slow) for slow in self._slow_weights]}

    def check_training_state(self, state: Any) -> None:
        super().check_training_state(state)
        if [one.shape for one in state["slow"]] != [one.shape for one in self.model.weights]:
            raise ValueError(f"the slow weights of Lookahead are not of the shapes of {self.model}")

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        self._steps_done = state["steps"]
        self._slow_weights = [device.to_device(slow) for slow in state["slow"]]

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.model.built:
            raise ValueError(
                f"Lookahead: {self.model} has no weights before its first batch, and slow weights begin as "
                "these; give the model an Input, or call model.build(input_shape)"
            )
        self._steps_done = 0
        self._slow_weights = [weight.data.copy() for weight in self.model.weights]

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._steps_done += 1
        if self._steps_done % self.sync_period == 0:
            size = self.slow_step_size
            self._sync(_checked(size(self._steps_done) if callable(size) else size))

    def _sync(self, alpha: float) -> None:
        for weight, slow in zip(self.model.weights, self._slow_weights, strict=True):
            slow += alpha * (weight.data - slow)
            weight.data[...] = slow
            weight.touch()


def _checked(alpha: Any) -> float:
    """`alpha` as a float; ValueError unless it is a number in 0 .. 1."""
    if isinstance(alpha, bool) or not isinstance(alpha, int | float | np.number) or not 0 <= alpha <= 1:
        raise ValueError(f"Lookahead: slow_step_size must be a number in [0, 1], got {alpha!r}")
    return float(alpha)
