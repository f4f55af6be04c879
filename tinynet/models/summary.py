"""The table that `summary` prints, in Keras's form."""

import shutil
from collections.abc import Iterable
from typing import Any

from tinynet.autograd import Tensor

COLUMNS = ("Layer (type)", "Output Shape", "Param #")
ENDS = (0.45, 0.8, 1.0)  # where the columns end, as fractions of the width


def summary_text(model: Any, line_length: int | None = None) -> str:
    """Title, boxed table of the layers, and the totals; optimizer parameters are counted once they exist."""
    width = line_length or min(88, shutil.get_terminal_size().columns - 4)
    return "\n".join([f'Model: "{model.name}"', *_table(model, width), *_totals(model)])


def _table(model: Any, width: int) -> list[str]:
    ends = [int(end * width) for end in ENDS]
    inner = [ends[0] - 1, ends[1] - ends[0] - 2, ends[2] - ends[1] - 1]
    rows = [_row(layer, shape, inner) for layer, shape in zip(model.layers, _shapes(model), strict=True)]
    lines = [_rule("┏━┳┓", inner), _line(COLUMNS, inner, "┃"), _rule("┡━╇┩", inner)]
    for i, row in enumerate(rows):
        lines += [_rule("├─┼┤", inner)] if i else []
        lines += [_line(cells, inner, "│") for cells in row]
    return [*lines, _rule("└─┴┘", inner)]


def _shapes(model: Any) -> list[Any]:
    known = getattr(model, "output_shapes", None)
    return known() if known else [None] * len(model.layers)


def _row(layer: Any, shape: Any, inner: list[int]) -> list[tuple[str, str, str]]:
    """The lines of one layer: its class goes to a second line where both do not fit."""
    kind = f"({type(layer).__name__})"
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    first = f"{layer.name} {kind}"
    described = "?" if shape is None else str(tuple(shape))
    if len(first) <= inner[0] - 2:
        return [(first, described, count)]
    return [(layer.name, described, count), (kind, "", "")]


def _line(cells: Iterable[str], inner: list[int], bar: str) -> str:
    fitted = [_fit(cell, width - 2) for cell, width in zip(cells, inner, strict=True)]
    name, shape, count = (cell.ljust(width - 2) for cell, width in zip(fitted, inner, strict=True))
    return f"{bar} {name} {bar} {shape} {bar} {count.strip().rjust(inner[2] - 2)} {bar}"


def _fit(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: max(width - 1, 0)] + "…"


def _rule(characters: str, inner: list[int]) -> str:
    left, fill, middle, right = tuple(characters)
    return left + middle.join(fill * width for width in inner) + right


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
    return f"{sum(t.size for t in tensors):,} ({_memory(sum(t.size * t.dtype.itemsize for t in tensors))})"


def _memory(size: float) -> str:
    """Bytes in the largest unit that leaves at least 1, in steps of 1024."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"
