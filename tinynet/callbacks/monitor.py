"""What callbacks that watch one logged value share: which value, which direction is good,
and what counts as better.
"""

from typing import Any

import numpy as np

from tinynet.backend import config, tracebacks
from tinynet.callbacks.callback import Callback, Logs


class MonitorCallback(Callback):
    """Base class: a value is an improvement if

        min   current + |min_delta| < best
        max   current - |min_delta| > best

    or if there is no best value yet (`baseline` is the first one). A number always beats NaN, and NaN no
    number. As in Keras, both sides are rounded to the default float before they are compared. `mode` "auto"
    takes the direction from the name in `monitor`, or from the model's metric of that name.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            tracebacks.warn(f"{type(self).__name__}: mode {mode!r} is unknown, 'auto' is used instead")
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)

    def _current(self, logs: Logs) -> Any:
        """The monitored value, or None after a warning; ValueError if its direction is not known."""
        self._direction()
        current = (logs or {}).get(self.monitor)
        if current is None:
            names = ", ".join(logs or ())
            tracebacks.warn(f"{type(self).__name__}: `{self.monitor}` is not logged; available are: {names}")
        return current

    def _improves(self, current: float, reference: float | None) -> bool:
        falls = self._direction() == "min"
        if reference is None or (np.isnan(reference) and not np.isnan(current)):
            return True
        rounded = np.dtype(config.floatx()).type
        with np.errstate(over="ignore"):
            if falls:
                return bool(rounded(current + self.min_delta) < rounded(reference))
            return bool(rounded(current - self.min_delta) > rounded(reference))

    def _direction(self) -> str:
        """ "min" or "max": whether a good value of the monitored quantity is small or large."""
        name = self.monitor.removeprefix("val_")
        if self.mode != "auto":
            return self.mode
        if name == "loss":
            return "min"
        for metric in getattr(self.model, "metrics", ()):
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None):
                return "max" if metric._direction == "up" else "min"
        if name in ("acc", "accuracy") or name.endswith("_accuracy"):
            return "max"
        raise ValueError(
            f"{type(self).__name__}: whether {self.monitor!r} should rise or fall is not known; "
            "pass mode='max' or mode='min'"
        )
