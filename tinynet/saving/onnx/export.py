"""ONNX export: what `predict` computes, as a graph of the operators of the ONNX standard, opset 18.

    model.export("net.onnx")
    onnxruntime.InferenceSession("net.onnx").run(None, {"input_layer": x})

Inputs and outputs keep their names, shapes and data format; the size of the batch is free. Layers are written
one by one by their converters, the functions in windows.py, layers.py and activations.py, found by the name
of the class. A layer may have none: `export` then says so.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

import tinynet
from tinynet import utils
from tinynet.saving.native import suffix
from tinynet.saving.onnx import layers as onnx_layers  # noqa: F401 - they fill CONVERTERS
from tinynet.saving.onnx import windows as onnx_windows  # noqa: F401 - they fill CONVERTERS
from tinynet.saving.onnx.graph import CONVERTERS, Graph, Value
from tinynet.tree import leaves

OPSET, IR = 18, 8  # versions that runtimes have understood since 2022


def export(model: Any, filepath: str | os.PathLike[str], format: str = "onnx", **settings: Any) -> None:
    """Writes the file, whole or not at all; ValueError names a layer that has no counterpart in ONNX."""
    if format != "onnx":
        raise ValueError(f"export: the format must be 'onnx', got {format!r}")
    for name in set(settings) - {"verbose", "input_signature"}:
        raise TypeError(f"export() got an unexpected argument {name!r}")
    if suffix(filepath) != ".onnx":
        raise ValueError(f"an ONNX model is kept in a file named .onnx, got {os.fspath(filepath)!r}")
    data = convert(model).SerializeToString()
    with utils.atomic_write(filepath) as temporary:
        Path(temporary).write_bytes(data)


def convert(model: Any) -> Any:
    """The onnx.ModelProto of a built Sequential or Functional."""
    symbols = _symbols(model)
    g = Graph(model.dtype)
    inputs = [
        Value(name, one.shape, one.dtype or model.dtype)
        for name, one in zip(*_named(model, symbols[0]), strict=True)
    ]
    made = _model(g, model, [Value(one.name, one.shape, one.dtype) for one in inputs])
    names = _output_names(model, len(made))
    outputs = []
    for name, value in zip(names, made, strict=True):
        g.nodes.append(g.onnx.helper.make_node("Identity", [value.name], [name], name=f"output {name}"))
        outputs.append(Value(name, value.shape, value.dtype))
    graph = g.onnx.helper.make_graph(
        g.nodes,
        model.name,
        [_info(g, one) for one in inputs],
        [_info(g, one) for one in outputs],
        g.constants,
    )
    proto = g.onnx.helper.make_model(
        graph, opset_imports=[g.onnx.helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="tinynet",
        producer_version=tinynet.__version__,
    )  # fmt: skip
    g.onnx.checker.check_model(proto)
    return proto


def _symbols(model: Any) -> tuple[list[Any], list[Any]]:
    if not hasattr(type(model), "inputs"):
        raise ValueError(
            f"{model}: only Sequential and Model(inputs, outputs) can be exported; a subclass hides its graph"
        )
    return model.inputs, model.outputs  # raises ValueError while the shape of the input is unknown


def _named(model: Any, symbols: list[Any]) -> tuple[list[str], list[Any]]:
    return [symbol.layer.name for symbol in symbols], symbols


def _output_names(model: Any, count: int) -> list[str]:
    """The names of the outputs, kept apart from those of nodes and inputs."""
    given = getattr(model, "output_names", None)
    names = list(given) if given is not None and len(given) == count else [model.layers[-1].name]
    inputs = {symbol.layer.name for symbol in model.inputs}
    return [f"{name}_output" if name in inputs else name for name in names]


def _info(g: Graph, value: Value) -> Any:
    kind = g.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
    sizes = [f"{value.name}_{i}" if n is None else n for i, n in enumerate(value.shape)]
    if sizes:
        sizes[0] = "batch"
    return g.onnx.helper.make_tensor_value_info(value.name, kind, sizes)


def _model(g: Graph, model: Any, inputs: list[Value]) -> list[Value]:
    """The outputs of a Sequential or Functional, which may be a layer of another one."""
    if not hasattr(model, "_call_graph"):
        for layer in model.layers:
            inputs = [*_layer(g, layer, inputs[0])]
        return inputs
    values: list[Any] = [*inputs, *[None] * (model._call_graph.count - len(inputs))]
    for step in model._call_graph.steps:
        if step.kwargs or len(step.args) != 1:
            raise ValueError(
                f"{step.layer} is called with further arguments, which have no counterpart in ONNX"
            )
        places = list(leaves(step.args[0]))
        given = [values[place.number] for place in places]
        nested = isinstance(step.args[0], list | tuple | dict)
        for number, value in zip(
            step.given, _layer(g, step.layer, given if nested else given[0]), strict=True
        ):
            values[number] = value
    return [values[place.number] for place in leaves(model._call_graph.outputs)]


def _layer(g: Graph, layer: Any, given: Any) -> list[Value]:
    """The outputs of one layer."""
    if hasattr(type(layer), "inputs"):
        return _model(g, layer, given if isinstance(given, list) else [given])
    converter = CONVERTERS.get(type(layer).__name__)
    # A user's class may have the name of a layer of tinynet's, and compute something else.
    if converter is None or not type(layer).__module__.startswith("tinynet."):
        raise ValueError(
            f"{layer} has no counterpart in ONNX, so the model cannot be exported: "
            "expected layers that have a "
            f"converter (tinynet/saving/onnx/), which {type(layer).__name__} has not; "
            "write it with layers that have "
            "one, or export the layers before it, Model(model.inputs, layer.input)"
        )
    if layer.dtype != g.dtype and type(layer).__name__ != "InputLayer":
        raise ValueError(
            f"{layer} computes in {layer.dtype}, the model in {g.dtype}: ONNX export takes one number format"
        )
    several = isinstance(given, list)
    values = [_cast(g, layer, one) for one in (given if several else [given])]
    shapes = [one.shape for one in values]
    shape = layer.compute_output_shape(shapes if several else shapes[0])
    return [Value(converter(g, layer, values if several else values[0]), tuple(shape), g.dtype)]


def _cast(g: Graph, layer: Any, value: Value) -> Value:
    """Layers compute in floats, but for an Embedding, which takes integers as they are."""
    if type(layer).__name__ == "Embedding":
        return value
    return Value(g.cast(value, g.dtype), value.shape, g.dtype)
