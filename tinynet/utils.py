"""Small helpers: one-hot labels, vectors of unit length, one seed for everything, files written whole or not at all."""

import importlib
import os
import random as python_random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import gone
from tinynet.backend import random as backend_random

# What Keras has at this address and tinynet elsewhere, imported when it is asked for: rooms above this one use it.
_ELSEWHERE = {
    "CustomObjectScope": "tinynet.lookup.custom_object_scope",
    "PyDataset": "tinynet.data.PyDataset",
    "clear_session": "tinynet.layers.naming.reset_names",
    "custom_object_scope": "tinynet.lookup.custom_object_scope",
    "deserialize_keras_object": "tinynet.saving.deserialize_keras_object",
    "get_registered_name": "tinynet.lookup.registered_name",
    "get_registered_object": "tinynet.saving.get_registered_object",
    "plot_model": "tinynet.plotting.plot_model",
    "register_keras_serializable": "tinynet.lookup.register_keras_serializable",
    "serialize_keras_object": "tinynet.saving.serialize_keras_object",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise gone.missing(__name__, name)
    module, _, attribute = _ELSEWHERE[name].rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*_ELSEWHERE, *gone.public(__name__)])


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of integer labels: y[n, x[n]] = 1.

    x (N,), (N, 1) or any other shape, of integers in 0..num_classes - 1; a last axis of size 1 is dropped.
    y (*x.shape, num_classes) float64, as in Keras. num_classes None: max(x) + 1. Raises ValueError for a label out of
    range, naming it.
    """
    labels = np.asarray(x)
    if labels.size and not np.array_equal(labels, labels.astype(np.int64)):
        raise ValueError("to_categorical: labels must be whole numbers, got a value with a fraction")
    labels = labels.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        if not labels.size:
            raise ValueError("to_categorical: pass num_classes, it cannot be found from an empty array of labels")
        num_classes = int(labels.max()) + 1
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise ValueError(f"to_categorical: expected labels in 0..{num_classes - 1}, got {outside.flat[0]}")
    return np.eye(num_classes)[labels]


def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """x / |x| along `axis`, |x| the norm of that order: (sum |x|^order)^(1 / order); vectors of length 0 stay as they are."""
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, np.ones_like(norm), norm)


def set_random_seed(seed: int) -> None:
    """Seed tinynet's keys (initial weights, shuffles, dropout), Python's `random` and NumPy's global generator.

    Raises ValueError unless `seed` is an integer in 0..2**32 - 1, which is what NumPy's global generator takes.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: expected an integer in 0..2**32 - 1, got {seed!r}")
    python_random.seed(int(seed))
    np.random.seed(int(seed))
    backend_random.set_seed(int(seed))


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; at the end the file takes the name `path`, after an error it is deleted.

    A reader, or a run that is killed, therefore sees the old file or the whole new one. Missing folders are created.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own lets the temporary file have the final name, so whoever writes it sees the right suffix.
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # so that a power cut does not leave the new name with old contents
        os.replace(temporary, path)


def save_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write named arrays to a safetensors file, atomically; `metadata` is a mapping of strings to strings."""
    from safetensors.numpy import save

    with atomic_write(path) as temporary:
        # safetensors writes the buffer as it lies in memory, whatever the strides say.
        contiguous = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
        temporary.write_bytes(save(contiguous, metadata=dict(metadata) if metadata else None))


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays by name, metadata) of a safetensors file.

    The format holds numbers and strings only, so loading a file cannot run code. Raises ValueError naming the path if
    the file is truncated or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return arrays, dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path}: not a whole safetensors file ({error})") from error
