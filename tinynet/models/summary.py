"""The table that `summary` prints, in Keras's form."""

import shutil
from collections import Counter
from typing import Any

from tinynet import markup
from tinynet.autograd import Tensor
from tinynet.layers.base import Layer
from tinynet.models.compiled import Compiled
from tinynet.models.footprint import training_memory
from tinynet.models.text_table import table

HEADER = ("Layer (type)", "Output Shape", "Param #", "Connected to", "Trainable")
# Where the columns end, as fractions of the width, by their number.
ENDS = {3: (0.45, 0.8, 1.0), 4: (0.3, 0.56, 0.74, 1.0), 5: (0.27, 0.5, 0.66, 0.89, 1.0)}
WITH_TRAINABLE = (0.4, 0.7, 0.87, 1.0)


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
    batch_size: int | None = None,
) -> str:
    """Title, boxed table of the layers, and the totals; optimizer parameters are counted once they exist."""
    connected = _connections(model)
    columns = [0, 1, 2, *([3] if connected else []), *([4] if show_trainable else [])]
    width = line_length or min(108 if connected else 88, shutil.get_terminal_size().columns - 4)
    ends = positions or (WITH_TRAINABLE if columns == [0, 1, 2, 4] else ENDS[len(columns)])
    ends = [int(end * width) if end <= 1 else int(end) for end in ends]
    rows = _rows(model, connected or {}, expand_nested, _within(model, layer_range))
    aligned = [("<", "<", ">", "<", "^")[column] for column in columns]
    cells = [[row[column] for column in columns] for row in rows]
    lines = [
        f'Model: "{model.name}"',
        *table([HEADER[column] for column in columns], cells, ends, aligned),
        *_totals(model),
    ]
    if batch_size is not None:
        parts = training_memory(model, batch_size)
        held = ", ".join(f"{name} {_memory(size)}" for name, size in parts.items())
        lines.append(
            f" Training memory at batch size {batch_size}: about {_memory(sum(parts.values()))} ({held})"
        )
    return "\n".join(lines)


def summary_html(model: Any) -> str:
    """The same table for notebooks."""
    connected = _connections(model)
    columns = [0, 1, 2, *([3] if connected else [])]
    rows = [
        [row[column] for column in columns]
        for row in _rows(model, connected or {}, False, _within(model, None))
    ]
    totals = "".join(markup.paragraph(line.strip()) for line in _totals(model))
    return markup.table([HEADER[column] for column in columns], rows, f'Model: "{model.name}"') + totals


def _rows(
    model: Any, connected: dict[Any, str], expand: bool, layers: list[Any], depth: int = 0
) -> list[tuple[str, ...]]:
    """(name and class, output shape, number of parameters,
    what it is connected to, Y, N or -) for every layer.
    """
    shapes = getattr(model, "_output_shapes", None)
    known = dict(zip(model.layers, shapes(), strict=True)) if shapes else {}
    rows: list[tuple[str, ...]] = []
    for layer in layers:
        shape, indent = known.get(layer), "   " * depth + ("└ " if depth else "")
        model_within = isinstance(layer, Compiled)
        unbuilt = not layer.built and (type(layer).build is not Layer.build or model_within)
        count = "0 (unbuilt)" if unbuilt else f"{sum(p.size for p in layer.weights):,}"
        trainable = "Y" if layer.trainable else "N"
        if layer.built and not layer.weights:
            trainable = "-"
        described = "?" if shape is None else str(shape if isinstance(shape, list) else tuple(shape))
        rows.append(
            (
                f"{indent}{layer.name} ({type(layer).__name__})",
                described,
                count,
                connected.get(layer, "-"),
                trainable,
            )
        )
        if expand and model_within and layer.layers:
            rows += _rows(
                layer,
                {},
                True,
                [inner for inner in layer.layers if inner.weights or not _is_input(inner)],
                depth + 1,
            )
    return rows


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"


def _connections(model: Any) -> dict[Any, str] | None:
    """What each layer of a graph that branches is connected to: "conv[0][0], sum[0][0]"; None for a chain."""
    graph = getattr(model, "_call_graph", None)
    if graph is None:
        return None
    users = Counter(number for step in graph.steps for number in step.used)
    chain = (
        len(graph.input_layers) == 1
        and all(len(step.used) == 1 for step in graph.steps)
        and set(users.values()) <= {1}
    )
    if chain and max(Counter(step.layer for step in graph.steps).values(), default=1) == 1:
        return None
    names = ["{}[{}][{}]".format(*history) for history in graph.histories()]
    found: dict[Any, list[str]] = {}
    for step in graph.steps:
        found.setdefault(step.layer, []).extend(names[number] for number in step.used)
    return {layer: ", ".join(origins) for layer, origins in found.items()}


def _within(model: Any, layer_range: Any) -> list[Any]:
    """The layers from the first of two names to the second."""
    layers = model.layers
    if layer_range is None:
        return layers
    names = [layer.name for layer in layers]
    if len(layer_range) != 2 or any(name not in names for name in layer_range):
        raise ValueError(
            "layer_range takes the names of the first and the last layer to show, "
            f"of {names}, got {layer_range!r}"
        )
    return layers[names.index(layer_range[0]) : names.index(layer_range[1]) + 1]


def _totals(model: Any) -> list[str]:
    trainable = _distinct(model.trainable_weights)
    fixed = _distinct(model.non_trainable_weights)
    optimizer = model.optimizer
    slots = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    lines = [
        f" Total params: {_amount([*trainable, *fixed, *slots])}",
        f" Trainable params: {_amount(trainable)}",
        f" Non-trainable params: {_amount(fixed)}",
    ]
    return [*lines, f" Optimizer params: {_amount(slots)}"] if slots else lines


def _distinct(tensors: list[Tensor]) -> list[Tensor]:
    return list(dict.fromkeys(tensors))


def _amount(tensors: list[Tensor]) -> str:
    """Number of elements, and their memory; the optimizer's counter and learning rate count 4 bytes each,
    as in Keras.
    """
    size = sum(
        t.size * (4 if t.name in ("iteration", "learning_rate") else t.dtype.itemsize) for t in tensors
    )
    return f"{sum(t.size for t in tensors):,} ({_memory(size)})"


def _memory(size: float) -> str:
    """Bytes in the largest unit that leaves at least 1, in steps of 1024."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"
