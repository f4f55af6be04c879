"""Names of files: what Keras 1 and 2 kept in .h5 files is kept in tinynet's own formats,
beside where they would be.
"""

import os
from pathlib import Path
from typing import Any

from tinynet.compat.warn import warn

HDF5 = (".h5", ".hdf5")


def to_write(path: Any, suffix: str) -> Any:
    """`path`, or for an HDF5 file the path that ends in `suffix` instead, with a warning."""
    if not is_hdf5(path):
        return path
    new = renamed(path, suffix)
    warn(
        f"{os.fspath(path)}: tinynet does not write HDF5 files of Keras 1 and 2; "
        f"the file is {new}, in its own format"
    )
    return new


def to_read(path: Any, *suffixes: str) -> Any:
    """`path`, or for an HDF5 file the first of the paths with other suffixes that exists.

    Raises ValueError where there is only a file of Keras's.
    """
    if not is_hdf5(path):
        return path
    for suffix in suffixes:
        if os.path.exists(new := renamed(path, suffix)):
            warn(f"{os.fspath(path)}: tinynet does not read HDF5 files of Keras 1 and 2; {new} is read")
            return new
    if os.path.exists(path):
        raise ValueError(
            f"{os.fspath(path)} is a file of Keras 1 or 2, which tinynet does not read. "
            "Where Keras 3 reads it: save it as a .keras or .weights.h5 file there"
        )
    raise FileNotFoundError(f"there is no file {renamed(path, suffixes[0])} (nor {os.fspath(path)})")


def is_hdf5(path: Any) -> bool:
    """Whether the name is one of Keras 1's and 2's files; those of Keras 3's weights are others."""
    return os.fspath(path).lower().endswith(HDF5) and not os.fspath(path).endswith(".weights.h5")


def renamed(path: Any, suffix: str) -> str:
    """`path` with `suffix` for its own; fields as {val_acc:.2f} may hold dots."""
    stem = os.fspath(path)[: -len(Path(path).suffix)]
    return stem + suffix
