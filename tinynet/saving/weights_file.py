"""Files of weights: .safetensors, Keras's .weights.h5, and the weights inside of .tinynet and .keras files.

All hold numbers only, so loading one cannot run code.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import utils
from tinynet.autograd import Parameter
from tinynet.layers.base import Layer
from tinynet.saving import container
from tinynet.saving.errors import FileError, failure
from tinynet.saving.keras import archive as keras_archive
from tinynet.saving.keras import weights as keras_weights
from tinynet.saving.keras.layout import matched, report
from tinynet.saving.names import named_weights
from tinynet.saving.native import suffix

__all__ = ["load", "named_weights", "save"]


def save(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Writes the weights of a built model: .safetensors, or .weights.h5 as Keras has it."""
    path, kind = _path(model, filepath, (".safetensors", ".weights.h5"))
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already; pass overwrite=True to replace it")
    if kind == ".weights.h5":
        keras_weights.write(model, path)
        return
    arrays = {name: parameter.numpy() for name, parameter in named_weights(model).items()}
    # one entry: several have no fixed order
    utils.save_arrays(path, arrays, {"tinynet": f"weights of {model.name}"})


def load(model: Layer, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
    """Copies the weights of a file into a built model, after comparing all names and shapes.

    With `skip_mismatch` what does not fit is left out, with a warning. Otherwise it is a FileError, a
    ValueError, and nothing is changed.
    """
    path, kind = _path(model, filepath, (".safetensors", ".weights.h5", ".tinynet", ".keras"))
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}" + (", it is a folder" if path.is_dir() else ""))
    try:
        found = _found(model, path, kind, skip_mismatch)
    except Exception as error:
        raise failure(path, error) from (None if isinstance(error, FileError) else error)
    for parameter, array in found:
        parameter.assign(array)


def _found(model: Layer, path: Path, kind: str, skip_mismatch: bool) -> list[tuple[Parameter, np.ndarray]]:
    """(parameter, its value) for all that the file holds."""
    if kind == ".weights.h5":
        return matched(model, keras_weights.read(path), skip_mismatch)
    if kind == ".keras":
        return matched(model, keras_archive.read(path)[1], skip_mismatch)
    if kind == ".tinynet":
        whole = container.read(path)[1]
        arrays = {name[8:]: array for name, array in whole.items() if name.startswith("weights/")}
    else:
        arrays, _ = utils.load_arrays(path)
    parameters = named_weights(model)
    if wrong := _differences(arrays, parameters):
        report(f"it does not fit {model}", wrong, skip_mismatch)
    return [
        (p, arrays[name])
        for name, p in parameters.items()
        if name in arrays and arrays[name].shape == p.shape
    ]


def _differences(arrays: dict[str, Any], parameters: dict[str, Parameter]) -> list[str]:
    found = [f"{name} is in the model and not in the file" for name in parameters if name not in arrays]
    found += [f"{name} is in the file and not in the model" for name in arrays if name not in parameters]
    for name, parameter in parameters.items():
        if name in arrays and arrays[name].shape != parameter.shape:
            found.append(
                f"{name} has shape {parameter.shape} in the model and {arrays[name].shape} in the file"
            )
    return found


def _path(model: Layer, filepath: str | os.PathLike[str], kinds: tuple[str, ...]) -> tuple[Path, str]:
    kind = suffix(filepath)
    if kind not in kinds:
        hint = "; Keras's files of weights end in .weights.h5" if kind in (".h5", ".hdf5") else ""
        raise ValueError(
            f"weights are kept in files named {' or '.join(kinds)}; got the name {str(filepath)!r}{hint}"
        )
    if not model.built:
        raise ValueError(
            f"{model} is not built yet, so it has no weights: call it on a batch, or give it an Input"
        )
    return Path(filepath), kind
