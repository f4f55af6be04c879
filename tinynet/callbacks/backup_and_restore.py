"""BackupAndRestore: a run that was killed goes on where it was, and ends with the same bits.

A backup is one file: what `model.training_state()` returns (weights, optimizer, random counters, position in the data,
running means) and the `state()` of every other callback. How the file is written is said in backup_file.py.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinynet.backend import tracebacks
from tinynet.callbacks import backup_file
from tinynet.callbacks.callback import Callback, Logs
from tinynet.callbacks.model_checkpoint import checked_save_freq

LATEST, PREVIOUS = "latest.backup", "previous.backup"


class BackupAndRestore(Callback):
    """Saves the state of training in the folder `backup_dir` after every epoch, or after every `save_freq` batches.

    If the folder holds a backup when `fit` begins, training goes on from there; start the same program again with the same
    data and arguments. It is called after all other callbacks, so that the backup knows what they did. With
    `double_checkpoint` the backup before the latest is kept, and used if the latest is damaged; `delete_checkpoint`
    removes the backups when training ends. As in Keras, the model must be built before `fit`. Unlike Keras's, the backup is
    exact: training goes on in the middle of an epoch too, and the History is that of the whole run.
    """

    last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir is empty; give the folder to keep backups in")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = checked_save_freq("BackupAndRestore", save_freq)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._batches = 0  # since the last backup

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.model.built:
            raise ValueError(
                f"BackupAndRestore: {self.model} must be built before fit, so that a backup can be put back; give it an "
                "Input, or call it on a batch first"
            )
        self._batches = 0
        self._remove_unfinished()
        if (found := self._read()) is not None:
            arrays, (numbers, states, self._batches) = found
            self.model.restore_training_state(arrays, numbers)
            self._restore_siblings(states)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches >= int(self.save_freq):
                self._batches = 0
                self._save()

    def wants_values(self) -> bool:
        return False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.delete_checkpoint:
            for name in (LATEST, PREVIOUS):  # in this order: a run killed in between goes on from the previous one
                (Path(self.backup_dir) / name).unlink(missing_ok=True)
            self._remove_unfinished()
            if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
                os.rmdir(self.backup_dir)

    def _save(self) -> None:
        if self.model.stop_training:
            return  # the end is near; if it is not reached, the backup before leads to the same end
        folder = Path(self.backup_dir)
        arrays, numbers = self.model.training_state()
        states = [(name, state) for name, other in self._named() if (state := other.state()) is not None]
        data = backup_file.pack(arrays, [numbers, states, self._batches])
        if self.double_checkpoint and (folder / LATEST).exists():
            os.replace(folder / LATEST, folder / PREVIOUS)
        backup_file.write(folder / LATEST, *data)

    def _read(self) -> Any:
        """What the newest whole backup holds; None if there is none, ValueError if all there are are damaged."""
        paths = [path for name in (LATEST, PREVIOUS) if (path := Path(self.backup_dir) / name).exists()]
        for path in paths:
            try:
                return backup_file.read(path)
            except backup_file.DamagedError as error:
                if path == paths[-1]:
                    raise ValueError(
                        f"BackupAndRestore: {error}. Nothing was restored. To begin training anew, delete {self.backup_dir}"
                    ) from error
                tracebacks.warn(f"BackupAndRestore: {error}; the backup before it is used")
        return None

    def _restore_siblings(self, states: Iterable[tuple[str, Any]]) -> None:
        callbacks = dict(self._named())
        for name, state in states:
            if name in callbacks:
                callbacks[name].set_state(state)
            else:
                tracebacks.warn(
                    f"BackupAndRestore: the backup knows a callback {name}, which this run does not have"
                )

    def _named(self) -> list[tuple[str, Callback]]:
        """The other callbacks, by class and number within it."""
        count: Counter[str] = Counter()
        named = []
        for callback in self.siblings:
            kind = type(callback).__name__
            named.append((f"{kind}_{count[kind]}", callback))
            count[kind] += 1
        return named

    def _remove_unfinished(self) -> None:
        """Removes what runs that were killed while writing a backup left."""
        for folder in Path(self.backup_dir).glob(".writing-*"):
            shutil.rmtree(folder, ignore_errors=True)
