"""ProgbarLogger: the progress of `fit`, `evaluate` and `predict` on standard output, in Keras's words.

verbose 1   a bar, redrawn in place on a terminal and in a notebook; elsewhere (a file, a pipe), as verbose 2
verbose 2   one line an epoch:
            469/469 - 4s - 7ms/step - accuracy: 0.9376 - loss: 0.2010 - val_accuracy:
            0.9700 - val_loss: 0.1021
"""

import shutil
import sys
import time
from typing import Any

import numpy as np

from tinynet.backend import device
from tinynet.callbacks.callback import Callback, Logs
from tinynet.console import is_notebook, redraws, say, shown

REDRAW_SECONDS = 0.1
REDRAW_SECONDS_ON_GPU = 0.3  # who reads the loss there waits for the steps that are under way


class ProgbarLogger(Callback):
    """Prints progress, the loss and the metrics.

    The time per step leaves out the first step, which includes compiling and warming up, and the validation
    at the end of an epoch; the seconds of an epoch include both.

    >>> history = model.fit(x, y, verbose=2, callbacks=[ProgbarLogger()])
    1/1 - ... - loss: ...
    """

    def __init__(self) -> None:
        self.verbose: int = 1
        self.epochs = 1
        self.target: int | None = None  # steps of an epoch, None while unknown
        self._in_fit = False
        self._start_line()

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    def _wants_values(self) -> bool:
        waited = time.perf_counter() - self._last_drawn
        if waited < REDRAW_SECONDS or not self._draws_bar():
            return False
        return waited >= REDRAW_SECONDS_ON_GPU or device.get_device() == "cpu"

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True  # validation inside of fit is silent

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.verbose and self.epochs > 1:
            say(f"Epoch {epoch + 1}/{self.epochs}")
        self._start_line()

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._start_line()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start_line()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step_done(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit:
            self._step_done(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step_done(batch, None)  # logs hold the predictions here

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish_line(logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._finish_line(logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish_line(None)

    def _start_line(self) -> None:
        self._seen = 0
        self._bar: Any = None
        self._start = self._first_step = self._last_step = self._last_drawn = time.perf_counter()

    def _step_done(self, batch: int, logs: Logs) -> None:
        now = self._last_step = time.perf_counter()
        self._seen = batch + 1
        if self._seen == 1:
            self._first_step = now
        if self._wants_values():
            self._last_drawn = now
            step = self._step_seconds()
            left = f"{_duration(step * (self.target - self._seen))} " if self.target else ""
            self._update_bar(f"{left}{_step_time(step)}{_values(logs)}")
            self._bar.refresh()

    def _finish_line(self, logs: Logs) -> None:
        if self.target is None:
            self.target = self._seen
        seconds = f"{time.perf_counter() - self._start:.0f}s"
        text = f"{_step_time(self._step_seconds())}{_values(logs, negative_as_power=self.verbose == 2)}"
        if self._draws_bar():
            self._update_bar(f"{seconds} {text}")
            self._bar.ncols = None  # the line that stays is printed whole
            line = str(self._bar)
            self._bar.leave = False
            self._bar.close()
            say(_broken(line, _width(), len(f"{self._seen}/{self.target} ")))
        elif self.verbose:
            width = len(str(self.target))
            say(f"{self._seen:{width}d}/{self.target} - {seconds} - {text}")

    def _draws_bar(self) -> bool:
        return self.verbose == 1 and redraws(sys.stdout)

    def _update_bar(self, text: str) -> None:
        if self._bar is None:
            self._bar = _make_bar(self.target)
        self._bar.n, self._bar.total = self._seen, self.target
        self._bar.bar_format = _bar_format(self.target)
        self._bar.ncols = _width()  # a longer line would wrap, and leave its copies behind
        self._bar.set_description_str(shown(text, sys.stdout), refresh=False)

    def _step_seconds(self) -> float:
        if self._seen > 1:
            return (self._last_step - self._first_step) / (self._seen - 1)
        return self._last_step - self._start


def _make_bar(total: int | None) -> Any:
    """A tqdm bar that is drawn only when told to."""
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that watches for bars which are not updated

    return Bar(
        total=total,
        file=sys.stdout,
        ncols=80,  # replaced at every draw; without it tqdm shows nothing on a terminal that states no size
        nrows=20,
        ascii="─━" if shown("─━", sys.stdout) == "─━" else "-=",
        bar_format=_bar_format(total),
    )


def _width() -> int:
    """Characters of a line: a notebook's cell breaks long ones by itself,
    and can take them back all the same.
    """
    return 400 if is_notebook() else shutil.get_terminal_size().columns


def _broken(line: str, width: int, indent: int) -> str:
    """`line` on as many lines of `width` characters as it takes, broken between values,
    the later ones indented.
    """
    first, *values = line.split(" - ")
    lines = [first]
    for value in values:
        if len(lines[-1]) + 3 + len(value) <= width:
            lines[-1] += f" - {value}"
        else:
            lines.append(f"{' ' * indent}- {value}")
    return "\n".join(lines)


def _bar_format(total: int | None) -> str:
    return "{n_fmt}/{total_fmt} {bar:20} {desc}" if total else "{n_fmt}/Unknown {desc}"


def _values(logs: Logs, negative_as_power: bool = False) -> str:
    """The entries as " - name: value"; of several their mean; small values,
    and negative ones if asked, as powers of ten.
    """
    text = ""
    for name, value in (logs or {}).items():
        number = float(np.mean(value))
        size = number if negative_as_power else abs(number)
        text += f" - {name}: {number:.4f}" if size > 1e-3 else f" - {name}: {number:.4e}"
    return text


def _step_time(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def _duration(seconds: float) -> str:
    """ "59s", "1:01" or "1:00:01"."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole > 60 else f"{whole}s"
