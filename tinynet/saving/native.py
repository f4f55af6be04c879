"""A whole model in one `.tinynet` file: architecture, weights, compile arguments,
optimizer state, random counters.

    description   {"format": 2, "model": {"class_name", "config"}, "frozen":
                  names of layers, "compile": {...} or null,
                   "optimizer": ..., "draws": ...}
    arrays        "weights/conv2d/kernel", ..., "optimizer/0", ... in the order of optimizer.variables

Training that goes on from the file ends with the same bits as training that was never interrupted: the
optimizer's arrays and counts, keys and counts of the layers that draw random numbers are kept exactly. The
order in which `fit` shuffles the samples belongs to the process and not to the model;
callbacks.BackupAndRestore keeps that too.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import tinynet
from tinynet import registry
from tinynet.autograd import Parameter
from tinynet.backend import limits, random
from tinynet.layers import naming
from tinynet.saving import container, older_formats, strict_json
from tinynet.saving import training_state as kept
from tinynet.saving.architecture import serialize_layer
from tinynet.saving.building import build, built_for, built_with, first_alone
from tinynet.saving.check import check_compiled, check_model
from tinynet.saving.errors import FileError, failure, shortened
from tinynet.saving.names import named_draws, named_layers, named_weights

FORMAT = 2  # what older.py brings up to date, is read as well
KEYS = {"sha256", "format", "tinynet", "model", "built_for", "frozen", "compile", "optimizer", "draws"}
MORE = {"arguments"}  # where a subclass was called with several


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes the model; ValueError, naming the place, if it holds what cannot be described."""
    refuse_sharing(model)
    arrays = kept.arrays_of(named_weights(model), model.optimizer if model.compiled else None)
    description: dict[str, Any] = {
        "format": FORMAT,
        "tinynet": tinynet.__version__,
        "model": serialize_layer(model),
        "built_for": built_for(model),
        "frozen": [name for name, layer in named_layers(model).items() if not layer.trainable],
        "compile": model.get_compile_config() if model.compiled else None,
        "optimizer": None,
        "draws": {name: kept.draws_of(layer) for name, layer in named_draws(model).items()},
    }
    if arguments := built_with(model):
        description["arguments"] = arguments
    if model.compiled and model.optimizer is not None:
        description["optimizer"] = _optimizer(model)
    whole = strict_json.parse(strict_json.write(description, f"{model}"), "the description")
    check_model(whole["model"], f"{model}")  # what could not be loaded is not written
    if whole["compile"] is not None:
        check_compiled(whole["compile"])
    container.write(path, whole, arrays)


def refuse_sharing(model: Any, seen: dict[int, Any] | None = None) -> None:
    """Raises ValueError for a layer that several models, or layers of one's own,
    hold: descriptions would make two of it.
    """
    seen = {} if seen is None else seen
    graph = hasattr(type(model), "inputs")
    for layer in model._layers_within() if graph else model._with_all_within()[1:]:
        if id(layer) in seen and (graph or layer.weights):
            other = f"{layer} is also a layer of {seen[id(layer)]}"
            raise ValueError(f"{model}: {other}; models that share layers cannot be saved in one file")
        seen[id(layer)] = model
        if graph:
            refuse_sharing(layer, seen)


def load(path: str | os.PathLike[str], compile: bool = True) -> Any:
    """The model that `save` wrote; FileError, with nothing made and nothing changed, for any other file."""
    with safely(path):
        description, arrays = container.read(path)
        _check(description, compile)
        weights, slots = kept.within(arrays, kept.WEIGHTS), kept.within(arrays, kept.OPTIMIZER)
        if len(weights) + len(slots) < len(arrays):
            raise FileError("it holds arrays that are neither weights nor the optimizer's")
        shapes = description.get("arguments") or first_alone(description["built_for"])
        model = build(description["model"], weights.values(), shapes)
        parameters = named_weights(model)
        compare(parameters, weights)
        _freeze(named_layers(model), description["frozen"])
        draws = _draws(model, description["draws"])
        if compile and description["compile"] is not None:
            with limits.within(limits.Left(0)):
                model.compile_from_config(description["compile"])
            _restore(model.optimizer, description["optimizer"], parameters, slots)
        for name, parameter in parameters.items():
            parameter.assign(weights[name])
        for layer, state in draws:
            kept.restore_draws(layer, state)
        return model


def compare(parameters: Mapping[str, Parameter], weights: Mapping[str, np.ndarray]) -> None:
    """Raises FileError unless the file's weights are those of the model, by name, shape and dtype."""
    for name in (*parameters, *weights):
        if name not in weights or name not in parameters:
            lacks = "the file has no" if name not in weights else "the model it describes has no"
            raise FileError(f"{lacks} weight {shortened(name)!r}")
        expected, found = parameters[name], weights[name]
        if (expected.shape, expected.dtype) != (found.shape, found.dtype):
            raise FileError(
                f"the weight {shortened(name)!r} has shape {found.shape} and dtype "
                f"{found.dtype} in the file, "
                f"{expected.shape} and {expected.dtype} in the model that it describes"
            )


@contextmanager
def unchanged() -> Iterator[None]:
    """At the end, the counters of names and random keys are what they were."""
    names, drawn = dict(naming._used), random.state()
    try:
        yield
    finally:
        naming._used.clear()
        naming._used.update(names)
        random.set_state(drawn)


@contextmanager
def safely(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever goes wrong becomes a FileError that names the path,
    and counters of names and random keys go back.
    """
    keep = unchanged()
    keep.__enter__()
    try:
        yield
    except Exception as error:
        keep.__exit__(None, None, None)
        if isinstance(error, FileNotFoundError):
            raise
        raise failure(path, error) from (None if isinstance(error, FileError) else error)


def _check(description: Mapping[str, Any], compiled: bool) -> None:
    if set(description) - MORE != KEYS or type(description["format"]) is not int:
        raise FileError(
            f"its description should have {sorted(KEYS)}, and has {shortened(sorted(description))}"
        )
    if description["format"] not in (1, FORMAT):
        raise FileError(
            f"it is of format {description['format']}; this tinynet, {tinynet.__version__}, "
            f"reads 1 to {FORMAT}"
        )
    if description["format"] == 1:
        older_formats.from_format_1(description["model"])
    for key in ("compile", "optimizer"):
        if not isinstance(description[key], dict | None):
            raise FileError(f"its {key!r} is {shortened(description[key])}")
    check_model(description["model"])
    if compiled and description["compile"] is not None:
        check_compiled(description["compile"])


def _freeze(layers: Mapping[str, Any], names: Any) -> None:
    """Makes the layers of these names untrainable, and the others trainable:
    those within layers of one's own, too.
    """
    if not isinstance(names, list) or not all(isinstance(name, str) and name in layers for name in names):
        raise FileError(f"its frozen layers are {shortened(names)}, which are not layers of the model")
    frozen = set(names)
    for name, layer in layers.items():
        layer._trainable = name not in frozen
        for parameter in layer._own_trainable:
            parameter.trainable = layer._trainable


# The optimizer


def _optimizer(model: Any) -> dict[str, Any]:
    """What the optimizer's arrays belong to: the variables that it was built for,
    and those that weight decay leaves out.
    """
    parameters, optimizer = named_weights(model), model.optimizer
    names = {id(parameter): name for name, parameter in parameters.items()}
    if any(id(variable) not in names for variable in optimizer._trainable_variables):
        raise ValueError(
            f"{model}: its optimizer was built for variables of another model; compile it with one of its own"
        )
    excluded = [name for name, parameter in parameters.items() if optimizer._is_excluded(parameter)]
    return {
        "variables": [names[id(variable)] for variable in optimizer._trainable_variables],
        "excluded": excluded,
    }


def _restore(
    optimizer: Any, state: Any, parameters: Mapping[str, Parameter], slots: Mapping[str, np.ndarray]
) -> None:
    """Gives a new optimizer the state of the one that was saved."""
    if state is None:
        return
    lists = [state.get("variables"), state.get("excluded")]
    if set(state) != {"variables", "excluded"} or not all(isinstance(names, list) for names in lists):
        raise FileError("its optimizer should have lists of variables and of excluded ones")
    if not all(isinstance(name, str) and name in parameters for names in lists for name in names):
        raise FileError("its optimizer was built for variables that the model does not have")
    trained, excluded = ([parameters[name] for name in names] for names in lists)
    if excluded:
        optimizer.exclude_from_weight_decay(excluded)
    if trained:
        with limits.within(limits.Left(0, sum(array.size for array in slots.values()))):
            optimizer.build(trained)
    if set(slots) != {str(i) for i in range(len(slots))}:
        names = shortened(sorted(slots))
        raise FileError(f"the arrays of the optimizer should be called 0, 1, ..., and are {names}")
    kept.restore_optimizer(optimizer, [slots[str(i)] for i in range(len(slots))])


# Layers that draw random numbers


def _draws(model: Any, states: Any) -> list[tuple[Any, Any]]:
    """(layer, its key and count), checked."""
    layers = named_draws(model)
    if not isinstance(states, dict) or set(states) != set(layers):
        raise FileError(f"it holds the random counters of other layers than {sorted(layers)}")
    for name, state in states.items():
        kept.check_draws(state, f"the layer {shortened(name)!r}")
    return [(layers[name], state) for name, state in states.items()]


def in_scope(custom_objects: Mapping[str, Any] | None) -> Any:
    """The scope in which names in a file may mean the user's objects."""
    return registry.custom_object_scope(custom_objects or {})


def suffix(path: str | os.PathLike[str]) -> str:
    """The last suffix of a path, in lower case; ".weights.h5" as one."""
    name = Path(path).name.lower()
    return ".weights.h5" if name.endswith(".weights.h5") else Path(name).suffix
