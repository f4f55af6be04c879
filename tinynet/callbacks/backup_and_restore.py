"""BackupAndRestore: a run that was killed goes on where it was, and ends with the same bits.

A backup is one file: what `model.training_state()` returns (weights, optimizer, random counters, position in
the data, running means) and the `training_state()` of every other callback. How the file is written is said
in backup_file.py.
"""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tinynet import utils
from tinynet.backend import tracebacks
from tinynet.callbacks import backup_file, schema
from tinynet.callbacks.callback import Callback, Logs
from tinynet.callbacks.model_checkpoint import checked_save_freq

LATEST, PREVIOUS = "latest.backup", "previous.backup"


class BackupAndRestore(Callback):
    """Saves the state of training in the folder `backup_dir` after every epoch,
    or after every `save_freq` batches.

    If the folder holds a backup when `fit` begins, training goes on from there; start the same program again
    with the same data and arguments. It is called after all other callbacks, so that the backup knows what
    they did. With `double_checkpoint` the backup before the latest is kept, and used if the latest is
    damaged; `delete_checkpoint` removes the backups when training ends. As in Keras, the model must be built
    before `fit`. Unlike Keras's, the backup is exact: training goes on in the middle of an epoch too, and the
    History is that of the whole run. Raises ValueError for a model that is not built, and where all backups
    are damaged.

    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[BackupAndRestore("backup")])
    >>> history.epoch
    [0, 1]
    """

    _comes_last = True

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
        self._folder = Path(self.backup_dir)  # from the beginning of training on wherever the process goes

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.model.built:
            raise ValueError(
                f"BackupAndRestore: {self.model} must be built before fit, "
                "so that a backup can be put back; give it an Input, or call it on a batch first"
            )
        self._batches, self._folder = 0, Path(self.backup_dir).absolute()
        utils.remove_unfinished(self._folder)
        if (found := self._read()) is not None:
            path, (arrays, other) = found
            self._restore(path, arrays, other)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches >= int(self.save_freq):
                self._batches = 0
                self._save()

    def _wants_values(self) -> bool:
        return False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.delete_checkpoint:
            # in this order: a run killed in between goes on from the previous one
            for name in (LATEST, PREVIOUS):
                (self._folder / name).unlink(missing_ok=True)
            utils.remove_unfinished(self._folder)
            if self._folder.is_dir() and not os.listdir(self._folder):
                self._folder.rmdir()

    def _save(self) -> None:
        if self.model.stop_training:
            return  # the end is near; if it is not reached, the backup before leads to the same end
        folder = self._folder
        arrays, numbers = self.model.training_state()
        states = [
            (name, state) for name, other in self._named() if (state := other.training_state()) is not None
        ]
        data = backup_file.pack(arrays, [numbers, states, self._batches])
        if self.double_checkpoint and (folder / LATEST).exists():
            os.replace(folder / LATEST, folder / PREVIOUS)
        backup_file.write(folder / LATEST, *data)

    def _read(self) -> Any:
        """(path, what it holds) of the newest whole backup; None if there is none,
        ValueError if all there are are damaged.
        """
        paths = [path for name in (LATEST, PREVIOUS) if (path := self._folder / name).exists()]
        for path in paths:
            try:
                return path, backup_file.read(path)
            except backup_file.DamagedError as error:
                if path == paths[-1]:
                    raise ValueError(
                        f"BackupAndRestore: {error}. Nothing was restored. To begin training anew, "
                        f"delete {self._folder}"
                    ) from error
                tracebacks.warn(f"BackupAndRestore: {error}; the backup before it is used")
        return None

    def _restore(self, path: Path, arrays: Any, other: Any) -> None:
        """Takes up a backup, all of it or nothing: ValueError if it is of another training, or forged."""
        callbacks = dict(self._named())
        before = [
            (callback, state)
            for callback in callbacks.values()
            if (state := callback.training_state()) is not None
        ]
        undo = None
        try:
            numbers, states, batches = _parts(other)
            for name, state in states.items():
                if name in callbacks:
                    callbacks[name].check_training_state(state)
            undo = self.model.restore_training_state(arrays, numbers)
            for name in [name for name in states if name in callbacks]:
                callbacks[name].restore_training_state(states[name])
        except Exception as error:
            if undo is not None:
                undo()
            for callback, state in before:
                with suppress(Exception):  # what failed may fail again
                    callback.restore_training_state(state)
            raise ValueError(
                f"BackupAndRestore: {path} is no backup of this training ({error}). "
                f"Nothing was restored. To begin training anew, delete {self._folder}"
            ) from error
        self._batches = batches
        for name in [name for name in states if name not in callbacks]:
            tracebacks.warn(
                f"BackupAndRestore: the backup knows a callback {name}, which this run does not have"
            )

    def _named(self) -> list[tuple[str, Callback]]:
        """The other callbacks, by class and number within it."""
        count: Counter[str] = Counter()
        named = []
        for callback in self._other_callbacks:
            kind = type(callback).__name__
            named.append((f"{kind}_{count[kind]}", callback))
            count[kind] += 1
        return named


def _parts(other: Any) -> tuple[dict[str, Any], dict[str, Any], int]:
    """(numbers of the training, {callback: its state},
    batches since the last backup) of what a backup holds.
    """
    if (
        not isinstance(other, list)
        or len(other) != 3
        or not isinstance(other[1], list)
        or not schema.count(other[2])
    ):
        raise ValueError("it does not hold numbers, states of callbacks and a count of batches")
    numbers, states, batches = other
    pairs = all(isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in states)
    if not pairs or len({name for name, _ in states}) < len(states) or "History_0" not in dict(states):
        raise ValueError("it does not hold one state of each callback")
    return numbers, dict(states), batches
