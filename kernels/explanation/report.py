"""What `explain` says, as lines: the work of an operation, and a loop nest."""

from typing import Any

import numpy as np

from ..emit import Emitted, Vectors, emitted
from .cases import Example
from .nest import Loop, Nest
from .tiles import TileLoop, in_words

MULTIPLY_ADDS = 2  # vectors, that a core starts in a cycle
BYTES = 16  # that a core moves to or from its second-level cache in a cycle, about; from memory it is less
WIDTH = 64  # column of the numbers of turns


def work_line(example: Example, result: Any, v: Vectors) -> str:
    """FLOPs of the definition, bytes, and the cycles that they take at least."""
    results = result if isinstance(result, tuple) else (result,)
    written = [a for a in results if isinstance(a, np.ndarray)]
    if not written:  # in place: everything but the gradient
        written = [a for i, a in enumerate(example.arrays) if i != 1]
    size = sum(a.nbytes for a in [*example.arrays, *written] if isinstance(a, np.ndarray))
    arithmetic, memory = example.flops / (2 * MULTIPLY_ADDS * v.lanes), size / BYTES
    bound = (
        f"arithmetic, {MULTIPLY_ADDS} multiply-adds of {v.lanes} numbers in each" if arithmetic > memory
        else f"memory, {BYTES} bytes in each"
    )  # fmt: skip
    cycles = f"{round(max(arithmetic, memory)):,} cycles of one core ({bound})"
    intensity = example.flops / max(size, 1)
    work = f"{_count(example.flops)}FLOPs, {_count(size)}B, {intensity:.3g} FLOPs for each byte"
    return f"{work}; by definition at least {cycles}"


def _count(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f} "


def nest_lines(nest: Nest) -> list[str]:
    """The nest, a line for each loop with the turns that it takes; then what it comes to."""
    lines = _inside(nest.root, 0)
    if nest.shortened:
        lines.append("of long loops, the first, the middle and the last turn were looked at")
    if vectors := nest.multiply_adds():
        lines.append(f"in all {vectors:,} multiply-adds of vectors")
    if nest.unfollowed:
        lines.append(f"not followed further: {nest.unfollowed}")
    return lines or ["no loop: each line once"]


def _inside(loop: Loop, depth: int) -> list[str]:
    lines: list[str] = []
    followed = {inner.text for inner in loop.inside.values() if inner.kind == "function" and inner.has_loops}
    tiles_shown = False
    for inner in loop.inside.values():
        if inner.kind == "function" and inner.has_loops:
            lines.append(_line(depth, f"{inner.text}:"))
            lines += _inside(inner, depth + 1)
        elif inner.kind == "statement" and inner.text.partition("(")[0] not in {"call_kernel", *followed}:
            lines += [_line(depth, part) for part in inner.text.split("\n")]
        elif inner.kind in ("loop", "shared"):
            lines.append(_line(depth, f"for {inner.text}:", _number(inner.turns, "turn")))
            lines += _inside(inner, depth + 1)
        elif inner.kind == "tile" and not tiles_shown:
            lines += _tiles(loop, depth)
            tiles_shown = True
    return lines


def _tiles(loop: Loop, depth: int) -> list[str]:
    """The tiles that are called here, those that say the same together."""
    found: dict[str, list[Loop]] = {}
    for inner in loop.inside.values():
        if inner.kind == "tile":
            found.setdefault("\n".join(_tile_lines(inner.tiles, 0)), []).append(inner)
    lines = []
    for text, alike in found.items():
        which = "tile" if len(alike) == 1 else f"{len(alike)} tiles, each"
        calls = {sum(len(tile.tiles) for tile in alike)}
        lines.append(_line(depth, f"{which} written by {alike[0].text}", _number(calls, "call")))
        lines += [f"{'  ' * (depth + 1)}{line}" for line in text.split("\n") if line]
    return lines


def _tile_lines(calls: list[TileLoop], depth: int) -> list[str]:
    """What the calls of one tile do: the same loops, whose bounds may differ."""
    first = calls[0]
    lines = [_line(depth, words)] if (words := in_words(first.counts)) else []
    for number, inner in enumerate(first.inside):
        alike = [call.inside[number] for call in calls]
        turns = {loop.turns for loop in alike}
        lines.append(_line(depth, f"loop {inner.bounds}:", "?" if None in turns else _number(turns, "turn")))
        lines += _tile_lines(alike, depth + 1)
    return lines


def _number(numbers: set[Any], what: str) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least} {what}{'' if least == 1 else 's'}" if least == most else f"{least} to {most} {what}s"


def _line(depth: int, text: str, number: str = "") -> str:
    text = "  " * depth + text
    return f"{text:{WIDTH}}  {number}" if number else text


def tile_addresses(nest: Nest) -> list[Emitted]:
    """Of each function that writes tiles, the called one with the most multiply-adds, or else calls."""
    best: dict[str, tuple[tuple[int, int], int]] = {}

    def look(loop: Loop) -> None:
        for key, inner in loop.inside.items():
            if inner.kind == "tile":
                weight = max(tile.total("multiply-add") for tile in inner.tiles), len(inner.tiles)
                best[inner.text] = max(best.get(inner.text, (weight, key)), (weight, key))
            look(inner)

    look(nest.root)
    return [emitted[address] for _, address in best.values()]
