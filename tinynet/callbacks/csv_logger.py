"""CSVLogger: one row of values an epoch, in a text file that spreadsheets and pandas read."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from typing import IO, Any, ClassVar

import numpy as np

from tinynet import utils
from tinynet.callbacks import schema
from tinynet.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes `epoch` (from 0) and the logged values, in alphabetical order, to `filename`.

    The columns are those of the first epoch; if it has no validation, columns `val_...` are added for later
    epochs. They are separated by `separator`, a value that is missing is NA. Every row is handed to the
    system in one piece, so a run that is killed leaves whole rows. An existing file is replaced when the
    first row is written, or continued with `append=True`.

    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[CSVLogger("log.csv")])
    >>> print(open("log.csv").readline().strip())
    epoch,loss,val_loss
    """

    _state_kinds: ClassVar = {"keys": schema.optional(schema.several(schema.text)), "bytes": schema.count}

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.csv_file: IO[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        self._path = os.path.abspath(self.filename)  # wherever the process goes
        self.csv_file = open(self._path, "a", newline="", encoding="utf-8")  # noqa: SIM115 - open while the run lasts
        self.keys = None
        # bytes of what stands in the file that the next row follows; None: all
        self._keep = None if self.append else 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        with utils.named_in_errors(self._path):
            self._write(epoch, logs or {})

    def _write(self, epoch: int, logs: Mapping[str, Any]) -> None:
        assert self.csv_file is not None
        self._cut()
        text = io.StringIO()
        write = csv.writer(text, delimiter=self.sep).writerow
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        if self.csv_file.tell() == 0:
            write(["epoch", *self.keys])
        write([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self.csv_file.write(text.getvalue())
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.csv_file is not None:
            self._cut()
        self._close()

    def training_state(self) -> dict[str, Any]:
        if self.csv_file is None:
            return {"keys": self.keys, "bytes": 0}
        return {"keys": self.keys, "bytes": self.csv_file.tell() if self._keep is None else self._keep}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        """Goes on after the rows that the backup knows; later ones are cut off by the next,
        they will be written again.
        """
        self.keys = state["keys"]
        if self.keys is not None:
            self._keep = state["bytes"]

    def _cut(self) -> None:
        """Takes from the file what the next row does not follow."""
        assert self.csv_file is not None
        if self._keep is not None:
            self.csv_file.truncate(min(self._keep, os.path.getsize(self._path)))
            self.csv_file.seek(0, os.SEEK_END)
            self._keep = None

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value: Any) -> Any:
    """What is written: lists in brackets and quotes, as in Keras, everything else as it is."""
    scalar = isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, Iterable) and not scalar else value
