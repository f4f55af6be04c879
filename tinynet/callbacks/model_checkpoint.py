"""ModelCheckpoint: saves the model, or its weights, while it trains."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinynet import utils
from tinynet.backend import tracebacks
from tinynet.callbacks import schema
from tinynet.callbacks.callback import Logs
from tinynet.callbacks.monitor import MonitorCallback
from tinynet.console import say

MODEL_FILES = (".tinynet", ".keras")
WEIGHTS_FILES = (".safetensors", ".weights.h5")


class ModelCheckpoint(MonitorCallback):
    """Saves to `filepath` after every epoch, or after every `save_freq` batches, counted through all epochs.

    `filepath` may hold fields as in "{epoch:02d}-{val_loss:.2f}.tinynet": epoch and, when saving after
    batches, batch, both from 1, and any logged value. Its end says what is written: the whole model to
    .tinynet or .keras, or with `save_weights_only` the weights to .safetensors or .weights.h5. Files are
    written whole or not at all; missing folders are made. `save_best_only` saves when `monitor` improves
    (see MonitorCallback), at first on `initial_value_threshold`. `mode` is as there; with verbose=1 it says
    what it saves. Raises ValueError for another end of `filepath`.

    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[ModelCheckpoint("net-{epoch}.tinynet")])
    >>> tinynet.models.load_model("net-2.tinynet").name == model.name
    True
    """

    _state_kinds: ClassVar = {"best": schema.optional(schema.number), "_batches": schema.count}

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = checked_save_freq("ModelCheckpoint", save_freq)
        endings = WEIGHTS_FILES if save_weights_only else MODEL_FILES
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only={save_weights_only} filepath must end in "
                f"{' or '.join(endings)}, got {self.filepath!r}"
            )
        self._path = self.filepath  # from the beginning of training on wherever the process goes
        self._epoch = 0
        self._batches = 0  # since the last time a file was due

    def training_state(self) -> dict[str, Any]:
        return {"best": self.best, "_batches": self._batches}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._path = os.path.abspath(self.filepath)
        folder = os.path.dirname(self._path)
        if "{" not in folder:
            utils.remove_unfinished(folder)

    def _wants_values(self) -> bool:
        return self.save_freq != "epoch" and self._batches + 1 >= int(self.save_freq)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches >= int(self.save_freq):
                self._batches = 0
                self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: Mapping[str, Any]) -> None:
        try:
            path = self._path.format(**{"epoch": epoch + 1, **logs})
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, "
                f"which is not logged; there are epoch, {', '.join(logs)}"
            ) from None
        if self.save_best_only and not self._is_best(epoch, logs, path):
            return
        if self.verbose > 0 and not self.save_best_only:
            say(f"\nEpoch {epoch + 1}: saving model to {path}")
        if os.path.isdir(path):
            raise IsADirectoryError(f"ModelCheckpoint: filepath must be a file, but {path} is a folder")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _is_best(self, epoch: int, logs: Mapping[str, Any], path: str) -> bool:
        """Whether to save; without a number to compare that is so, after a warning."""
        current = logs.get(self.monitor)
        if current is None or np.ndim(current):
            reason = "is not logged" if current is None else f"is {current!r} and not one number"
            tracebacks.warn(f"ModelCheckpoint: `{self.monitor}` {reason}, so the model is saved as it is")
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        better = self._improves(current, self.best)
        if self.verbose > 0:
            change = f"improved from {before} to {current:.5f}, saving model to {path}"
            say(
                f"\nEpoch {epoch + 1}: {self.monitor} "
                f"{change if better else f'did not improve from {before}'}"
            )
        if better:
            self.best = current
        return better


def checked_save_freq(callback: str, save_freq: Any) -> str | int:
    """ "epoch" or a number of batches; raises ValueError for anything else."""
    if save_freq == "epoch":
        return "epoch"
    if isinstance(save_freq, bool) or not isinstance(save_freq, int | np.integer) or save_freq < 1:
        raise ValueError(
            f"{callback}: save_freq must be 'epoch' or a number of batches, at least 1; got {save_freq!r}"
        )
    return int(save_freq)
