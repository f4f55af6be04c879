"""Stops: what happened in the step, in turn, as the page walks through it, and the rows of its tree."""

import math
from itertools import chain
from typing import Any

from tinynet.explorer.recording import Operation, Recording

UPDATES = "update of the weights"


def order_of(recording: Recording) -> list[list[Any]]:
    """What happened, in turn: ["forward" | "backward" | "update", operation]."""
    forward = [["forward", op.number] for op in recording.operations if op.phase == "forward"]
    updates = [["update", op.number] for op in recording.operations if op.phase == "update"]
    return [*forward, *[["backward", number] for number in recording.rules], *updates]


def stops_of(recording: Recording) -> list[dict[str, Any]]:
    """Of each stop: its title, what it makes and is given, and what it costs."""
    return [_stop(recording, phase, recording.operations[i]) for phase, i in order_of(recording)]


def _stop(recording: Recording, phase: str, operation: Operation) -> dict[str, Any]:
    quantities, inputs = recording.quantities, [number for _, number, _ in operation.inputs]
    part: Any = operation.rule if phase == "backward" else operation
    made, given, sign = operation.outputs, inputs, ""
    layer, kept, parameters = layer_name(operation.layer), 0, 0
    if phase == "backward":
        # y that was kept stands for all outputs
        saved = [operation.outputs if one.name == "y" else [one.quantity] for one in operation.kept]
        made, given, sign = part.returned, [*part.upstream, *chain(*saved)], "∂ "
    elif phase == "update":
        layer = quantities[inputs[0] or 0].name
    else:
        kept = sum(one.size for one in operation.kept)
        weights = [quantities[i] for i in inputs if i is not None and quantities[i].role == "weight"]
        parameters = sum(math.prod(weight.shape) for weight in weights)
    numbers = [[i for i in dict.fromkeys(some) if i is not None] for some in (made, given)]
    return {
        "title": sign + operation.name, "layer": layer, "made": numbers[0], "given": numbers[1],
        "flops": part.cost[0], "bytes": part.cost[1], "kept": kept, "parameters": parameters,
        "kernel": ", ".join(dict.fromkeys(call.implementation for call in part.calls)),
    }  # fmt: skip


def layer_name(path: str) -> str:
    """The path of a layer without the model, which is the same everywhere."""
    return (path.partition("/")[2] or path) if path else "loss"


def rows_of(recording: Recording, of_layers: bool) -> list[dict[str, Any]]:
    """The rows of the tree: stops of an operation, or of what one layer does, and of its derivative."""
    order = order_of(recording)
    backward = {number: i for i, (phase, number) in enumerate(order) if phase == "backward"}
    found: list[dict[str, Any]] = []
    for i, (phase, number) in enumerate(order):
        operation = recording.operations[number]
        if phase == "update":
            title = f"{operation.name} of {recording.quantities[operation.inputs[0][1] or 0].name}"
            found.append({"title": title, "group": UPDATES, "kind": "", "update": i})
        elif phase == "forward":
            # what a layer gives is what its last operation does; its derivative ends with that of its first.
            # A loss is no layer: its operations stand one by one
            alike = of_layers and operation.layer and found and found[-1]["layer"] == operation.layer
            last = found[-1] if alike else None
            if last is None:
                group = layer_name(operation.layer)
                kind = next((one.kind for one in recording.layers if one.path == operation.layer), "")
                title = group if of_layers and operation.layer else operation.name
                last = {"title": title, "group": group, "kind": kind, "layer": operation.layer}
                found.append(last)
            last["forward"] = i
            last["backward"] = backward.get(number) if last.get("backward") is None else last["backward"]
    return found
