"""save_model and load_model: the file's name says which format it has."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynet import registry
from tinynet.saving import native
from tinynet.saving.keras import archive as keras_archive
from tinynet.saving.native import suffix

if TYPE_CHECKING:
    from tinynet.models.model import Model

LEGACY = (
    "Keras 2's HDF5 format for whole models is not supported: name the file .tinynet or .keras, "
    "or keep its weights in a .weights.h5 file"
)


def save_model(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Writes a whole model, or nothing at all: architecture, weights,
    compile arguments and the optimizer's state.

    The end of `filepath` says the format:

    `.tinynet`  one safetensors file, from which training goes on with the same bits
    `.keras`    Keras 3's archive, which Keras reads too (needs h5py); counters of random layers stay behind,
                and the learning rate is rounded to single precision

    Raises ValueError for another suffix and for what cannot be described, such as Python lambdas, and
    FileExistsError for a file that is there unless `overwrite`.

    >>> tinynet.saving.save_model(model, "net.tinynet")
    >>> loaded = tinynet.saving.load_model("net.tinynet")
    >>> bool((loaded.predict(x, verbose=0) == model.predict(x, verbose=0)).all())
    True
    """
    path, kind = Path(filepath), _kind(filepath)
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already; pass overwrite=True to replace it")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the file another name")
    # what is not registered is saved by name: loading asks for them in custom_objects
    with registry.collect_unregistered():
        (native if kind == ".tinynet" else keras_archive).save(model, path)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> "Model":
    """The model in `filepath`, which `save_model`, `model.save` or Keras 3 wrote,
    with new parameters of the file's values.

    custom_objects  {name: class or function} for what is not registered
    compile         whether to compile the model as it was, with the optimizer's state
    safe_mode       without effect: code in files is never run,
                    a Python lambda in a Keras archive is refused in any case

    Everything is checked before anything is made. A file that is damaged, hostile, or does not fit what it
    describes ends in a `tinynet.saving.FileError`, a ValueError, and has changed nothing; a missing one in a
    FileNotFoundError.

    >>> model.save("net.tinynet")
    >>> tinynet.saving.load_model("net.tinynet").compiled
    True
    """
    kind = _kind(filepath)
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"there is no file {os.fspath(filepath)}")
    if stat.S_ISDIR(os.stat(filepath).st_mode):
        raise FileNotFoundError(f"there is no file {os.fspath(filepath)}, it is a folder")
    with native.in_scope(custom_objects):
        return (native if kind == ".tinynet" else keras_archive).load(filepath, compile)


def _kind(filepath: str | os.PathLike[str]) -> str:
    kind = suffix(filepath)
    if kind in (".h5", ".hdf5"):
        raise ValueError(f"{os.fspath(filepath)}: {LEGACY}")
    if kind not in (".tinynet", ".keras"):
        hint = (
            "; weights alone go to save_weights() and load_weights()"
            if kind in (".weights.h5", ".safetensors")
            else ""
        )
        raise ValueError(
            f"a model is kept in a file named .tinynet or .keras, got {os.fspath(filepath)!r}{hint}"
        )
    return kind
