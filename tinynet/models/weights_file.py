"""Weights in .safetensors files: named arrays, which hold numbers only, so loading a file cannot run code."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

from tinynet import lookup, utils
from tinynet.autograd import Parameter
from tinynet.layers.base import Layer
from tinynet.layers.naming import numbered


def named_weights(layer: Layer, prefix: str = "") -> dict[str, Parameter]:
    """{"conv2d_1/kernel": parameter, ...}: numbered within the model, so that names do not depend on the process."""
    named: dict[str, Parameter] = {}
    used: Counter[str] = Counter()
    for parameter in layer._own_trainable + layer._own_fixed:
        named[prefix + numbered((parameter.name or "weight").rpartition("/")[2], used)] = parameter
    for child in layer.sublayers():
        folder = numbered(lookup.snake_case(type(child).__name__), used)
        named.update(named_weights(child, f"{prefix}{folder}/"))
    return named


def save(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Writes the weights of a built model."""
    path = _path(model, filepath)
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already; pass overwrite=True to replace it")
    arrays = {name: parameter.numpy() for name, parameter in named_weights(model).items()}
    utils.save_arrays(path, arrays, {"tinynet": f"weights of {model.name}"})  # one entry: several have no fixed order


def load(model: Layer, filepath: str | os.PathLike[str]) -> None:
    """Copies the weights of a file into a built model, after comparing all names and shapes."""
    path = _path(model, filepath)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}" + (", it is a folder" if path.is_dir() else ""))
    arrays, _ = utils.load_arrays(path)
    parameters = named_weights(model)
    differences = _differences(arrays, parameters)
    if differences:
        shown = "\n  ".join(differences[:10] + ([f"and {len(differences) - 10} more"] if len(differences) > 10 else []))
        raise ValueError(f"{path} does not fit {model}; nothing was changed:\n  {shown}")
    for name, parameter in parameters.items():
        parameter.assign(arrays[name])


def _differences(arrays: dict[str, Any], parameters: dict[str, Parameter]) -> list[str]:
    found = [f"{name} is in the model and not in the file" for name in parameters if name not in arrays]
    found += [f"{name} is in the file and not in the model" for name in arrays if name not in parameters]
    for name, parameter in parameters.items():
        if name in arrays and arrays[name].shape != parameter.shape:
            found.append(f"{name} has shape {parameter.shape} in the model and {arrays[name].shape} in the file")
    return found


def _path(model: Layer, filepath: str | os.PathLike[str]) -> Path:
    path = Path(filepath)
    if path.suffix != ".safetensors":
        raise ValueError(f"weights are kept in .safetensors files; got the name {str(filepath)!r}")
    if not model.built:
        raise ValueError(f"{model} is not built yet, so it has no weights: call it on a batch, or give it an Input")
    return path
