"""CSVLogger: one row of values an epoch, in a text file that spreadsheets and pandas read."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np

from tinynet.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes `epoch` (from 0) and the logged values, in alphabetical order, to `filename`.

    The columns are those of the first epoch; if it has no validation, columns `val_...` are added for later epochs. A value
    that is missing is NA. Every row is handed to the system in one piece, so a run that is killed leaves whole rows. An
    existing file is replaced when the first row is written, or continued with `append=True`.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.csv_file: IO[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        self.csv_file = open(self.filename, "a", newline="", encoding="utf-8")  # noqa: SIM115 - open while the run lasts
        self.keys = None
        self._old = not self.append  # whether what stands in the file belongs to an earlier run

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        assert self.csv_file is not None
        logs = logs or {}
        self._discard_old()
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
            self._discard_old()
        self._close()

    def state(self) -> dict[str, Any]:
        written = 0 if self.csv_file is None or self._old else self.csv_file.tell()
        return {"keys": self.keys, "bytes": written}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on after the rows that the backup knows; later ones are cut off, they will be written again."""
        assert self.csv_file is not None
        self.keys = state["keys"]
        if self.keys is not None:
            self._old = False
            self.csv_file.truncate(min(state["bytes"], os.path.getsize(self.filename)))
            self.csv_file.seek(0, os.SEEK_END)

    def _discard_old(self) -> None:
        assert self.csv_file is not None
        if self._old:
            self.csv_file.truncate(0)
            self.csv_file.seek(0)
            self._old = False

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value: Any) -> Any:
    """What is written: lists in brackets and quotes, as in Keras, everything else as it is."""
    scalar = isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, Iterable) and not scalar else value
