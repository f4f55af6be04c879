"""Health: a row for each layer, on whether learning goes through it, as a table of the page.

What it gives, its gradient and its weights as a line of blocks (how many numbers lie in each of 16 equal
parts of their range), how many units are 0 for all images, and how far the update moves the weights:
|update| / |weights|, of which about 0.001 is usual.
"""

import html
from typing import Any

import numpy as np

from tinynet.explorer.recording import Operation, Quantity, Recording
from tinynet.explorer.stops import layer_name

BLOCKS = "▁▂▃▄▅▆▇█"
BINS = 16
HEAD = (
    "layer", "remarks", "what it gives", "zeros", "dead units", "its gradient", "weights",
    "|update| / |weights|",
)  # fmt: skip
USUAL = (1e-5, 1e-1)  # outside of it a sentence is said
DEAD = 0.5  # from which part of dead units on


def health_of(recording: Recording) -> str:
    """The table as HTML; names are escaped here."""
    names = dict.fromkeys(op.layer for op in recording.operations if op.phase == "forward" and op.layer)
    rows = [_row(recording, layer) for layer in names]
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in HEAD)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(recording: Recording, layer: str) -> list[str]:
    quantities, name = recording.quantities, layer_name(layer)
    own = [op for op in recording.operations if op.phase == "forward" and op.layer == layer]
    given = quantities[own[-1].outputs[0]]
    used = {number for op in own for _, number, _ in op.inputs if number is not None}
    weights = [quantities[i] for i in sorted(used) if quantities[i].role == "weight"]
    dead, moved = dead_units(given.array), update_ratio(recording, weights)
    zeros = _share_of_zeros(given.array) if _is_float(given.array) else ""
    remarks = []
    if dead is not None and dead > DEAD:
        remarks.append(f"{dead:.0%} of {name}'s units are 0 for all images: no gradient goes through them.")
    if moved is not None and not USUAL[0] < moved < USUAL[1]:
        how = "hardly move" if moved <= USUAL[0] else "move far"
        remarks.append(f"The weights {how}: by {moved:.1e} of their size.")
    gradients = [q for q in quantities if q.of == given.number and q.role == "gradient"]
    gradient = max(gradients, key=lambda q: len(q.parts), default=None)  # the sum of those that several sent
    if gradient is not None and _is_float(gradient.array) and not np.any(gradient.array):
        remarks.append("Its gradient is 0 everywhere.")
    return [
        name, " ".join(remarks), blocks(given.array), zeros, "" if dead is None else f"{dead:.0%}",
        "" if gradient is None else blocks(gradient.array), "  ".join(blocks(w.array) for w in weights),
        "" if moved is None else f"{moved:.1e}",
    ]  # fmt: skip


def blocks(array: Any) -> str:
    """Where the numbers of an array lie, as "-1 ▁▂█▂▁ 1"; "" for what is not kept, and for no floats."""
    if not _is_float(array):
        return ""
    finite = array[np.isfinite(array)]
    if not finite.size:
        return "not finite"
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return f"all {low:.3g}"
    counts = np.histogram(finite.astype(np.float64), BINS, (low, high))[0]
    steps = np.ceil(counts / counts.max() * (len(BLOCKS) - 1)).astype(int)  # what is there is seen
    return f"{low:.2g} {''.join(BLOCKS[step] for step in steps)} {high:.2g}"


def dead_units(array: Any) -> float | None:
    """Of an array of images: the part of its channels, or units, that are 0 in all of them."""
    if not _is_float(array) or array.ndim < 2:
        return None
    return float(np.mean(~np.any(array, axis=tuple(range(array.ndim - 1)))))


def update_ratio(recording: Recording, weights: list[Quantity]) -> float | None:
    """|new - old| / |old| over all of some weights that were updated; None without any."""
    numbers = {weight.number for weight in weights}
    updates = [op for op in recording.operations if op.phase == "update" and op.inputs[0][1] in numbers]
    pairs = [_old_and_new(recording, op) for op in updates]
    old = sum(float(np.sum(old**2)) for old, _ in pairs)
    change = sum(float(np.sum((new - old) ** 2)) for old, new in pairs)
    return (change / old) ** 0.5 if old > 0 else None


def _old_and_new(recording: Recording, operation: Operation) -> tuple[np.ndarray, np.ndarray]:
    numbers = (operation.inputs[0][1], operation.outputs[0])
    old, new = (np.asarray(recording.quantities[i or 0].array, np.float64) for i in numbers)
    return old, new


def _is_float(array: Any) -> bool:
    return array is not None and array.dtype.kind == "f" and array.size > 0


def _share_of_zeros(array: Any) -> str:
    return f"{np.mean(array == 0):.0%}"
