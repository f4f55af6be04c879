"""How the calls of a graph are described as JSON, in Keras's form, and made again from it.

    {"layers": [{"class_name", "config", "name", "inbound_nodes": [{"args": [...], "kwargs": {}}, ...]}, ...],
     "input_layers": [name, 0, 0], "output_layers": [name, call, output]}

A symbolic tensor among the arguments is {"class_name": "__keras_tensor__", "config": {"shape", "dtype",
"keras_history": [layer's name, which of its calls in the model, which output of that call]}}.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinynet import registry
from tinynet.layers.base import Layer
from tinynet.layers.input import InputLayer
from tinynet.layers.symbolic import SymbolicTensor
from tinynet.models.graph import Graph, Place
from tinynet.saving.architecture import deserialize_layer, serialize_layer
from tinynet.tree import leaves, like, mapped


def output_names(outputs: Any) -> list[str]:
    """The names of a model's outputs: the keys of a dictionary, "key/name" within it,
    else the layers that give them.
    """
    if isinstance(outputs, dict):
        within = [(key, name) for key in sorted(outputs) for name in output_names(outputs[key])]
        return [key if isinstance(outputs[key], SymbolicTensor) else f"{key}/{name}" for key, name in within]
    names = [tensor.layer.name for tensor in leaves(outputs)]
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        names[i] = f"{name}_{seen[name]}" if seen[name] else name
        seen[name] += 1
    return names


def describe(graph: Graph) -> dict[str, Any]:
    """The layers of a graph, and the calls that connect them."""
    histories = graph.histories()
    shapes = dict(enumerate(graph.input_shapes))
    for step in graph.steps:
        shapes.update(zip(step.given, step.shapes, strict=True))

    def described(item: Any) -> Any:
        if not isinstance(item, Place):
            return registry.describe(item)
        config = {"shape": shapes[item.number], "dtype": "float32", "keras_history": histories[item.number]}
        return {"class_name": "__keras_tensor__", "config": config}

    nodes: dict[Layer, list[Any]] = {layer: [] for layer in graph.layers}
    for step in graph.steps:
        nodes[step.layer].append(
            {"args": mapped(described, list(step.args)), "kwargs": mapped(described, step.kwargs)}
        )
    layers = [
        {**serialize_layer(layer), "name": layer.name, "inbound_nodes": nodes[layer]}
        for layer in graph.layers
    ]
    ends = (mapped(lambda place: histories[place.number], part) for part in (graph.inputs, graph.outputs))
    return dict(zip(("layers", "input_layers", "output_layers"), (layers, *ends), strict=True))


def connect(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """(inputs, outputs): the layers made anew and called as `describe` says.
    Raises ValueError for calls in a circle.
    """
    layers = {entry["name"]: deserialize_layer(entry) for entry in config["layers"]}
    tensors: dict[tuple[Any, ...], SymbolicTensor] = {}
    for name, layer in layers.items():
        if layer.name != name:  # the constructor of a subclass does not take it
            layer.name = name
        if isinstance(layer, InputLayer):
            tensors[name, 0, 0] = layer.output
    waiting = [
        (entry["name"], i, node)
        for entry in config["layers"]
        for i, node in enumerate(entry["inbound_nodes"])
    ]
    while waiting:
        later = []
        for name, i, node in waiting:
            if all(place in tensors for place in _places([node["args"], node["kwargs"]])):
                args, kwargs = (_filled(part, tensors) for part in (node["args"], node["kwargs"]))
                outputs = layers[name](*args, **kwargs)
                tensors.update({(name, i, j): tensor for j, tensor in enumerate(leaves(outputs))})
            else:
                later.append((name, i, node))
        if len(later) == len(waiting):
            raise ValueError(f"the calls of {later[0][0]!r} depend on tensors that no layer gives")
        waiting = later
    return tuple(_ends(config[end], tensors) for end in ("input_layers", "output_layers"))  # type: ignore[return-value]


def _is_tensor(item: Any) -> bool:
    return isinstance(item, dict) and item.get("class_name") == "__keras_tensor__"


def _places(item: Any) -> list[tuple[Any, ...]]:
    """The tensors that arguments name."""
    if _is_tensor(item):
        return [tuple(item["config"]["keras_history"])]
    if isinstance(item, dict):
        item = list(item.values())
    return [place for part in item for place in _places(part)] if isinstance(item, list | tuple) else []


def _filled(item: Any, tensors: Mapping[Any, SymbolicTensor]) -> Any:
    """Arguments, with the tensors that they name."""
    if _is_tensor(item):
        return tensors[tuple(item["config"]["keras_history"])]
    if isinstance(item, dict):
        return {key: _filled(part, tensors) for key, part in item.items()}
    return [_filled(part, tensors) for part in item] if isinstance(item, list | tuple) else item


def _ends(item: Any, tensors: Mapping[Any, SymbolicTensor]) -> Any:
    """The inputs or outputs of a model: [name, call, output], or a list or dictionary of such."""
    if isinstance(item, list | tuple) and len(item) == 3 and isinstance(item[0], str):
        if tuple(item) not in tensors:
            raise ValueError(f"the model ends at {list(item)}, which no layer gives")
        return tensors[tuple(item)]
    if isinstance(item, dict):
        return {key: _ends(part, tensors) for key, part in item.items()}
    return like(item, [_ends(part, tensors) for part in item])
