"""Files: the arrays and the index of a recording as one .npz, and how both kinds of files are read."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tinynet.explorer.index import arrays_of, index_of
from tinynet.explorer.page import read_html
from tinynet.explorer.recording import Recording
from tinynet.utils import atomic_write

INDEX = "index"  # the array that holds the index, as bytes of JSON


def write_npz(recording: Recording, path: Path) -> None:
    """Arrays q0, q1, ... and the index, compressed; the same recording gives the same bytes."""
    text = json.dumps(index_of(recording), allow_nan=False, ensure_ascii=True, sort_keys=True)
    arrays: dict[str, Any] = {**arrays_of(recording), INDEX: np.frombuffer(text.encode("ascii"), np.uint8)}
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(index, {"q0": array, ...}) of the file `path` that `explore` wrote; ValueError for another one.

    >>> index, q = explorer.load(tinynet.explore(model, x, y, "step.npz"))
    step.npz: ...
    >>> index["kind"], index["quantities"][0]["name"], q["q0"].shape
    ('training step', 'x', (4, 1))
    """
    if Path(path).suffix == ".html":
        return read_html(Path(path))
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{os.fspath(path)!r} was not written by tinynet.explore")
    with np.load(path, allow_pickle=False) as archive:
        if INDEX not in archive.files:
            raise ValueError(f"{os.fspath(path)!r} was not written by tinynet.explore: it has no index")
        arrays = {name: archive[name] for name in archive.files if name != INDEX}
        return json.loads(archive[INDEX].tobytes()), arrays
