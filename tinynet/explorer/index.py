"""The index of a recording: all of it but the arrays, as JSON has it. Places in lists take the place of
references: quantity 12 is index["quantities"][12], and its array is called q12.
"""

import math
from typing import Any

import numpy as np

from tinynet import __version__
from tinynet.explorer.formulas import formulas_of, update_of
from tinynet.explorer.quantities import OUTPUTS
from tinynet.explorer.recording import KernelCall, Operation, Quantity, Recording, Rule
from tinynet.explorer.sources import Sources
from tinynet.explorer.stops import order_of, rows_of, stops_of

FORMAT = 1
MINUS = "\N{MINUS SIGN}"


def index_of(recording: Recording) -> dict[str, Any]:
    """The index. `sources` are the texts of functions, to which the others refer by place."""
    sources = Sources()
    operations = [_operation(operation, sources) for operation in recording.operations]
    return {
        "format": FORMAT, "tinynet": __version__, "title": recording.title, "kind": recording.kind,
        "notes": recording.notes, "batch": recording.batch, "given": recording.given,
        "images": recording.images,
        "drawn": recording.drawn or None,
        "losses": [as_json(loss) for loss in recording.losses], "loss": recording.loss,
        "layers": [vars(layer) for layer in recording.layers],
        "quantities": [_quantity(quantity, recording) for quantity in recording.quantities],
        "operations": operations, "order": order_of(recording), "stops": stops_of(recording),
        "rows": {"layer": rows_of(recording, True), "operation": rows_of(recording, False)},
        "sources": sources.all,
    }  # fmt: skip


def arrays_of(recording: Recording) -> dict[str, np.ndarray]:
    """{q0: array, ...} of all quantities that have one."""
    return {f"q{q.number}": q.array for q in recording.quantities if q.array is not None}


def as_json(value: Any) -> Any:
    """A setting or number as JSON has it; what is not finite, and what JSON has no word for, as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    if hasattr(value, "shape"):
        return f"array {tuple(value.shape)}"
    return getattr(value, "__name__", None) or f"<{type(value).__name__}>"


def _quantity(quantity: Quantity, recording: Recording) -> dict[str, Any]:
    return {
        "name": quantity.name, "role": quantity.role, "shape": list(quantity.shape), "dtype": quantity.dtype,
        "by": None if quantity.made_by is None else list(quantity.made_by),
        "of": quantity.of, "parts": quantity.parts, "note": quantity.note,
        "batch": _has_images(quantity, recording),
        "stats": None if quantity.array is None else _statistics(quantity.array),
    }  # fmt: skip


def _has_images(quantity: Quantity, recording: Recording) -> bool:
    """Whether its first axis is that of the images."""
    if quantity.of is not None:
        return _has_images(recording.quantities[quantity.of], recording)
    data = quantity.role in ("input", "value") and bool(quantity.shape)
    size = 1 if recording.drawn and quantity.number >= recording.drawn["input"] else recording.batch
    return data and quantity.shape[0] == size and not _of_channels(quantity, recording)


def _of_channels(quantity: Quantity, recording: Recording) -> bool:
    """Whether it is the mean or variance that batch norm gives beside y: as many as channels, not images."""
    if quantity.made_by is None:
        return False
    _, number, place = quantity.made_by
    operation = recording.operations[number]
    return OUTPUTS.get(operation.name, ())[place : place + 1] in (("mean",), ("var",))


def _statistics(array: np.ndarray) -> dict[str, Any]:
    """Smallest and largest number, mean, and how many are 0."""
    if not array.size or array.dtype.kind not in "fiub":
        return {"min": None, "max": None, "mean": None, "zeros": 0, "words": "no numbers"}
    mean = np.mean(array, dtype=np.float64)
    found = {"min": array.min(), "max": array.max(), "mean": mean, "zeros": np.sum(array == 0)}
    words = ", ".join(f"{name} {float(found[name]):.4g}" for name in ("min", "mean", "max"))
    zeros = f", {found['zeros'] / array.size:.0%} zeros" if array.size > 1 else ""
    words = words.replace("-", MINUS) + zeros
    return {**{name: as_json(value) for name, value in found.items()}, "words": words}


def _operation(operation: Operation, sources: Sources) -> dict[str, Any]:
    name, settings = operation.name, operation.settings
    lines: tuple[str, ...] = ()
    formulas = formulas_of(name, settings)
    if operation.phase == "update":
        lines, formulas = update_of(name, [one for one, _, _ in operation.inputs], settings)
    return {
        "phase": operation.phase, "name": name, "layer": operation.layer,
        "inputs": [
            {"name": name, "q": number, "value": as_json(value)} for name, number, value in operation.inputs
        ],
        "outputs": operation.outputs,
        "settings": as_json(settings), "lines": lines, "formulas": formulas,
        "kept": [{"name": k.name, "q": k.quantity, "bytes": k.size, "why": k.why} for k in operation.kept],
        "kernels": [_kernel(call, sources) for call in operation.calls],
        "flops": operation.cost[0], "bytes": operation.cost[1],
        "source": sources.of(operation.function),
        "rule": None if operation.rule is None else _rule(operation.rule, sources),
    }  # fmt: skip


def _rule(rule: Rule, sources: Sources) -> dict[str, Any]:
    return {
        "upstream": rule.upstream, "returned": rule.returned,
        "kernels": [_kernel(call, sources) for call in rule.calls],
        "flops": rule.cost[0], "bytes": rule.cost[1],
        "sources": [{"by": names, "source": sources.of(function)} for names, function in rule.functions],
    }  # fmt: skip


def _kernel(call: KernelCall, sources: Sources) -> dict[str, Any]:
    kernel = call.operation
    return {
        "name": kernel.__name__, "family": kernel.family, "chosen": call.implementation, "why": call.why,
        "reference": kernel.reference, "flops": call.flops, "bytes": call.size,
        "about": sources.of(kernel.__wrapped__),
        "source": sources.of(call.function),
        "reference source": sources.of(kernel[kernel.reference]),
    }  # fmt: skip
