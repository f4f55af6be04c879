"""Where Keras 3 keeps a layer's arrays in a .weights.h5 file.

vars/0, 1, ...                        the model's own: trainable ones first, then the others
layers/conv2d/vars/0, ...             of Sequential and Functional, layer by layer; the class in snake case,
numbered layers/sequential/layers/dense/...    models in models
block/vars/0, ...                     of subclasses: layers by the names of their attributes, in alphabetical
order, blocks/dense/vars/0, ...              private ones last; those in lists and dictionaries numbered
within them layers/dense/vars/0, ...              of subclassed models: all whose attributes come after
`layers` in that order, which
                                      is one of them (the others count where they are numbered)
optimizer/vars/0, 1, ...              iteration, learning rate (unless it is a schedule),
slots variable by variable
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinynet import registry
from tinynet.autograd import Parameter
from tinynet.backend import tracebacks
from tinynet.layers.base import Layer
from tinynet.layers.naming import numbered
from tinynet.saving.errors import FileError, shortened


def places(
    layer: Any, path: str = "", seen: set[int] | None = None
) -> Iterator[tuple[str, Any, list[Parameter]]]:
    """(path, layer, its own parameters in Keras's order) for a model and all within it, each layer once."""
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield path, layer, layer._own_trainable + layer._own_fixed
    for name, child in _children(layer):
        yield from places(child, f"{path}/{name}" if path else name, seen)


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    attributes = dict(vars(layer))
    if hasattr(type(layer), "inputs") or attributes.get("_inner_functional") is not None:  # a graph of layers
        yield from _in_container("layers", layer.layers)
    elif hasattr(type(layer), "get_layer"):  # another model, whose `layers` stand among its attributes
        attributes["layers"] = layer.layers
    for name, value in sorted(
        attributes.items(), key=lambda item: f"~{item[0]}" if item[0].startswith("_") else item[0]
    ):
        if isinstance(value, Layer):
            yield name, value
        elif isinstance(value, list | tuple | dict):
            yield from _in_container(name, value.values() if isinstance(value, dict) else value)


def _in_container(name: str, items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    used: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Layer):
            yield f"{name}/{numbered(registry.snake_case(type(item).__name__), used)}", item
        elif isinstance(item, list | tuple | dict):
            folder = numbered("container", used)
            yield from _in_container(f"{name}/{folder}", item.values() if isinstance(item, dict) else item)


def named(path: str, number: int) -> str:
    """Address of an array."""
    return f"{path}/vars/{number}" if path else f"vars/{number}"


def matched(
    model: Any, arrays: Mapping[str, np.ndarray], skip_mismatch: bool = False
) -> list[tuple[Parameter, np.ndarray]]:
    """(parameter, its array) for the arrays of a file; FileError unless all agree,
    or, to be skipped, a warning.
    """
    found, wrong, known = [], [], set()
    for path, layer, parameters in places(model):
        for number, parameter in enumerate(parameters):
            name = named(path, number)
            known.add(name)
            array = arrays.get(name)
            if array is None:
                wrong.append(f"{parameter.name} of {layer} should be at {name}, and is not in the file")
            elif array.shape != parameter.shape:
                wrong.append(
                    f"{parameter.name} of {layer} has shape {parameter.shape}, "
                    f"{name} in the file {array.shape}"
                )
            elif array.dtype.kind not in "fiu":
                wrong.append(f"{name} in the file holds no numbers")
            else:
                found.append((parameter, array))
    own = (
        name
        for name in arrays
        if not name.startswith(("optimizer/", "loss", "metrics")) and "seed_generator" not in name
    )
    wrong += [f"{shortened(name)} is in the file and not in the model" for name in own if name not in known]
    if wrong:
        report(f"it does not fit {model}", wrong, skip_mismatch)
    return found


def report(what: str, wrong: list[str], skip: bool) -> None:
    """Raises FileError that lists what is wrong; a warning if it may be skipped."""
    shown = "\n  ".join(wrong[:10] + ([f"and {len(wrong) - 10} more"] if len(wrong) > 10 else []))
    if skip:
        tracebacks.warn(f"{what}; skipped:\n  {shown}")
    else:
        raise FileError(f"{what}; nothing was changed:\n  {shown}")


def optimizer_arrays(arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The optimizer's arrays of a file, in order."""
    found: list[np.ndarray] = []
    while (array := arrays.get(named("optimizer", len(found)))) is not None:
        found.append(array)
    return found
