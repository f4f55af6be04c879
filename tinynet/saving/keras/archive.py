"""Keras 3's .keras archives: a zip file of JSON and HDF5, read in memory and written.

    metadata.json      {"keras_version", "date_saved"}
    config.json        the architecture, and what the model was compiled with, as Keras serialises them
    model.weights.h5   the weights, and the optimizer's state

Nothing is ever extracted to disk, and what a member is said to hold is compared
with the archive before it is read.
"""

import io
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import utils
from tinynet.backend import limits, tracebacks
from tinynet.saving import building, container, native, strict_json
from tinynet.saving.architecture import serialize_layer
from tinynet.saving.check import check_compiled, check_model
from tinynet.saving.errors import FileError, shortened
from tinynet.saving.keras import hdf5
from tinynet.saving.keras import weights as keras_weights
from tinynet.saving.keras.config import from_keras, to_keras
from tinynet.saving.keras.layout import matched, optimizer_arrays

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
VERSION = "3.15.1"  # of the Keras whose format is written
STAMP = (1980, 1, 1, 0, 0, 0)  # of every member: the same model gives the same file
MOST_MEMBERS = 1_000
SMALL, MOST_TIMES = 1 << 23, 8  # a larger member must not be more than that many times its compressed size


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes a model that Keras can load; ValueError for what Keras does not have."""
    native.refuse_sharing(model)
    whole: dict[str, Any] = to_keras(serialize_layer(model), f"{model}")
    shapes, optimizer = building.built_for(model), None
    if shapes is not None:
        whole["build_config"] = {"input_shape": shapes}
    if arguments := building.built_with(model):
        whole["build_config"] = {"shapes_dict": {f"{name}_shape": shape for name, shape in arguments.items()}}
    if model.compiled:
        whole["compile_config"] = to_keras(model.get_compile_config(), f"{model}, what it was compiled with")
        optimizer = model.optimizer if model.optimizer is not None and model.optimizer.built else None
    config = strict_json.write(whole, f"{model}")
    written = strict_json.parse(config, "the description")
    check_model(from_keras(written), f"{model}")  # what could not be loaded is not written
    if model.compiled:
        check_compiled(from_keras(written["compile_config"], "what the model was compiled with"))
    metadata = strict_json.write(
        {"keras_version": VERSION, "date_saved": "1980-01-01@00:00:00"}, "the metadata"
    )
    members = {
        METADATA: metadata.encode(),
        CONFIG: config.encode(),
        WEIGHTS: keras_weights.encode(model, optimizer),
    }
    with utils.atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, STAMP), data)


def load(path: str | os.PathLike[str], compile: bool = True) -> Any:
    """The model that Keras, or `save`, wrote; FileError, with nothing made and nothing changed,
    for any other file.
    """
    with native.safely(path):
        config, arrays = read(path)
        entry = from_keras(config)
        check_model(entry)
        weights = [array for name, array in arrays.items() if not name.startswith("optimizer/")]
        model = building.build(entry, weights, _arguments(config.get("build_config")))
        found = matched(model, arrays)
        compiled = config.get("compile_config")
        if compile and compiled:
            _compile(
                model, from_keras(compiled, "what the model was compiled with"), optimizer_arrays(arrays)
            )
        for parameter, array in found:
            parameter.assign(array)
        return model


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(what Keras serialised, arrays by their address) of an archive."""
    data = container.contents(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
            config = strict_json.parse(_member(archive, members, CONFIG, len(data)), CONFIG)
            arrays = hdf5.read(_member(archive, members, WEIGHTS, len(data)))
    except FileError:
        raise
    except Exception as error:  # zipfile has a dozen ways to say it
        raise FileError(f"it is not a whole .keras archive ({shortened(str(error))})") from None
    if not isinstance(config, dict):
        raise FileError(f"{CONFIG} is not an object")
    return config, arrays


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name; FileError for names that lead out of a folder, or twice the same."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise FileError(f"it has {len(infos):,} members, more than {MOST_MEMBERS:,}")
    for info in infos:
        name = info.orig_filename
        if (
            name.startswith(("/", "\\"))
            or ":" in name
            or "\\" in name
            or ".." in name.split("/")
            or "\0" in name
        ):
            raise FileError(f"it has a member named {shortened(name)!r}, which leads out of the archive")
    members = {info.filename: info for info in infos}
    if len(members) < len(infos):
        raise FileError("it has several members of one name")
    return members


def _member(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, size: int) -> bytes:
    """The bytes of a member of an archive of `size` bytes, if they can be as many as it says."""
    if name not in members:
        raise FileError(f"it has no {name}: it is not what Keras 3 writes")
    info = members[name]
    # others may ask for gigabytes to work in
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(f"{name} is compressed in a way that Keras does not use")
    if info.file_size > max(SMALL, MOST_TIMES * min(info.compress_size, size)):
        raise FileError(
            f"{name} is said to have {info.file_size:,} bytes, compressed to {info.compress_size:,}; "
            "Keras stores it as it is"
        )
    with archive.open(info) as file:
        return file.read(info.file_size)


def _arguments(built: Any) -> Any:
    """{name or place of an argument: shapes} of the call that Keras's "build_config" means."""
    if not isinstance(built, dict):
        return {}
    several = built.get("shapes_dict")
    if built.get("input_shape") is not None or not isinstance(several, dict):
        return building.first_alone(built.get("input_shape"))
    return {name.removesuffix("_shape"): shape for name, shape in several.items()}


def _compile(model: Any, config: Any, state: list[np.ndarray]) -> None:
    """Compiles the model as it was, and gives the optimizer its state if there
    are as many arrays as it needs.
    """
    check_compiled(config)
    with limits.within(limits.Left(0)):
        model.compile_from_config(config)
    if model.optimizer is None or not state:
        return
    optimizer = model.optimizer
    with limits.within(
        limits.Left(0, max(4 * model.count_params(), sum(array.size for array in state)) + limits.OTHERS)
    ):
        optimizer.build(model.trainable_weights)
    if [array.shape for array in state] == [variable.shape for variable in optimizer.variables]:
        optimizer.set_weights(state)
    elif len(state) > 2:  # more than a count and a rate
        tracebacks.warn(
            f"{model}: the state of {optimizer.name} in the file is not that of tinynet's optimizer; "
            "it starts anew"
        )
