"""Operators between symbolic tensors, x + y or 2 * x: layers in tinynet, operations of their own in Keras.

tinynet    Operation(operator="multiply", constant=2.0, left=True), called on x
Keras      {"module": "keras.src.ops.numpy", "class_name": "Multiply", ...}, called on (2.0, x)
"""

from collections.abc import Mapping
from typing import Any

from tinynet.saving.errors import FileError, UnknownObjectError, shortened

MODULE = "keras.src.ops.numpy"
NAMES = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "TrueDivide", "matmul": "Matmul",
    "power": "Power", "negative": "Negative", "abs": "Absolute",
}  # fmt: skip
OPERATORS = {keras: ours for ours, keras in NAMES.items()} | {"Divide": "divide"}


def to_keras(entry: Mapping[str, Any], place: str) -> dict[str, Any]:
    """An Operation, with the calls of it, in Keras's words."""
    config, nodes = entry["config"], entry.get("inbound_nodes")
    if nodes is None:
        raise ValueError(f"{place}: Keras has operators only between the layers of Model(inputs, outputs)")
    kind = NAMES[config["operator"]]
    calls = []
    for node in nodes:
        (given,) = node["args"]
        args = list(given) if isinstance(given, list | tuple) else [given]
        if config.get("constant") is not None:
            args.insert(0 if config["left"] else 1, config["constant"])
        calls.append({"args": args, "kwargs": {}})
    own = {"module": MODULE, "class_name": kind, "config": {"name": config["name"]}, "registered_name": kind}
    return {**own, "name": config["name"], "inbound_nodes": calls}


def is_operation(value: Mapping[str, Any]) -> bool:
    """Whether Keras described an operation rather than a layer."""
    return isinstance(value.get("module"), str) and value["module"].startswith(("keras.src.ops", "keras.ops"))


def from_keras(value: Mapping[str, Any], nodes: Any, place: str) -> dict[str, Any]:
    """Keras's operation as an Operation; FileError for one that tinynet does not have."""
    name, config = value["class_name"], value["config"]
    if name not in OPERATORS:
        raise UnknownObjectError(
            f"{place}: tinynet has no operation {shortened(name)!r} between symbolic tensors"
        )
    if (
        not isinstance(nodes, list)
        or len(nodes) != 1
        or not isinstance(nodes[0], dict)
        or not isinstance(config, dict)
    ):
        raise FileError(f"{place}: the operation {name} is not called once")
    args = nodes[0].get("args")
    if not isinstance(args, list) or not 1 <= len(args) <= 2 or nodes[0].get("kwargs"):
        raise FileError(f"{place}: the operation {name} is called with {shortened(args)}")
    tensors = [one for one in args if isinstance(one, dict)]
    numbers = [one for one in args if isinstance(one, int | float) and not isinstance(one, bool)]
    if not tensors or len(tensors) + len(numbers) < len(args):
        raise FileError(f"{place}: the operation {name} is called with {shortened(args)}")
    settings: dict[str, Any] = {"operator": OPERATORS[name], "name": config.get("name")}
    if numbers:
        settings |= {"constant": numbers[0], "left": args[0] is numbers[0]}
    call = {"args": [tensors if len(tensors) == 2 else tensors[0]], "kwargs": {}}
    return {"class_name": "Operation", "config": settings, "name": value.get("name"), "inbound_nodes": [call]}
