"""Keras's .weights.h5 files: written with h5py, read without it (hdf5.py)."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import utils
from tinynet.saving import container
from tinynet.saving.keras import hdf5
from tinynet.saving.keras.layout import places
from tinynet.saving.optional import needed


def encode(model: Any, optimizer: Any = None) -> bytes:
    """The bytes of an HDF5 file with the model's weights, and the optimizer's state if one is given."""
    h5py = needed("h5py", "keras", "writing HDF5 files")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, layer, parameters in places(model):
            group = file.create_group(f"{path}/vars" if path else "vars")
            group.attrs["name"] = layer.name
            for number, parameter in enumerate(parameters):
                group[str(number)] = parameter.numpy()
        if optimizer is not None:
            group = file.create_group("optimizer/vars")
            group.attrs["name"] = optimizer.name
            for number, array in enumerate(optimizer.get_weights()):
                group[str(number)] = _as_keras_keeps_it(array)
    return buffer.getvalue()


def write(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes the model's weights, whole or not at all; as in Keras,
    with the optimizer's state once it has one.
    """
    optimizer = getattr(model, "optimizer", None)
    data = encode(model, optimizer if optimizer is not None and optimizer.built else None)
    with utils.atomic_write(path) as temporary:
        Path(temporary).write_bytes(data)


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """{"layers/dense/vars/0": array, ...} of a file that Keras or `write` made; FileError for any other."""
    return hdf5.read(container.contents(path))


def _as_keras_keeps_it(array: np.ndarray) -> np.ndarray:
    """Numbers of single precision, counts of 32 bits."""
    if array.ndim:
        return array
    return array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
