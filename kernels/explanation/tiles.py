"""The loops of an emitted tile, with the bounds that they have for the numbers it is called with.

Its LLVM assembly is read line by line: what it computes with integers (steps, addresses, bounds) is computed
here too, for the first turn of each loop; vectors are counted.
"""

import ctypes
import re
from collections import Counter
from typing import NamedTuple

from ..emit import Emitted

_INTEGER = re.compile(r"  %(\w+) = (add|mul) i64 (\S+), (\S+)$")
_POINTER = re.compile(r"  %(\w+) = (?:inttoptr i64 (\S+) to ptr|getelementptr i8, ptr (\S+), i64 (\S+))$")
_LOADED = re.compile(r"  %(\w+) = load i64, ptr (\S+), align 8$")
_BEGIN = re.compile(r"  %(\w+) = phi i64 \[ (\S+), ")
_END = re.compile(r"  %more\d+ = icmp slt i64 (\S+), (\S+)$")
# What is counted, in the order in which it is shown. Loads without "align" are of variables: registers.
_COUNTED = (
    ("multiply-add", "multiply-adds", re.compile(r"call .*@llvm\.fmuladd")),
    ("addition", "additions", re.compile(r" = f(?:add|sub) <")),
    ("multiplication", "multiplications", re.compile(r" = f(?:mul|div) <")),
    ("comparison", "comparisons", re.compile(r" = fcmp ")),
    ("vector loaded", "vectors loaded", re.compile(r" = (?:load <.*, align|call .*@llvm\.masked\.load)")),
    ("number into all lanes", "numbers into all lanes", re.compile(r" = load (?:float|double),")),
    ("vector stored", "vectors stored", re.compile(r"  (?:store <.*, align|call void @llvm\.masked\.store)")),
    ("shuffle", "shuffles", re.compile(r" = shufflevector .*i32 [1-9]")),
)


class TileLoop(NamedTuple):
    """A loop of `turns` (None: not known), what it does itself in each turn, and the loops inside."""

    bounds: str
    turns: int | None
    counts: Counter[str]
    inside: list["TileLoop"]

    def total(self, name: str) -> int:
        """How often the whole loop does what `name` says."""
        return (self.turns or 0) * (self.counts[name] + sum(loop.total(name) for loop in self.inside))


def tile_loops(function: Emitted, arguments: tuple[int, ...]) -> TileLoop:
    """The whole function, as a loop of one turn."""
    known = {f"%{name}": int(value) for name, value in zip(function.arguments, arguments, strict=True)}
    open_loops = [TileLoop("", 1, Counter(), [])]
    begin: int | None = 0
    start = ""

    def value(text: str) -> int | None:
        return known.get(text) if text.startswith("%") else int(text)

    for line in function.text.splitlines():
        if found := _INTEGER.match(line):
            name, operation, *operands = found.groups()
            a, b = map(value, operands)
            if a is not None and b is not None:
                known[f"%{name}"] = a + b if operation == "add" else a * b
        elif found := _POINTER.match(line):
            name, number, pointer, offset = found.groups()
            parts = [value(part) for part in (number, pointer, offset) if part]
            if None not in parts:
                known[f"%{name}"] = sum(part for part in parts if part is not None)
        elif found := _LOADED.match(line):
            if (place := value(found[2])) is not None:
                known[f"%{found[1]}"] = ctypes.c_int64.from_address(place).value
        elif found := _BEGIN.match(line):
            start, begin = found[2], value(found[2])
            if begin is not None:
                known[f"%{found[1]}"] = begin
        elif found := _END.match(line):
            end = value(found[2])
            turns = None if begin is None or end is None else max(0, end - begin)
            bounds = f"from {_name(start)} to {_name(found[2])}"
            open_loops[-1].inside.append(TileLoop(bounds, turns, Counter(), []))
            open_loops.append(open_loops[-1].inside[-1])
        elif line.startswith("exit"):
            open_loops.pop()
        else:
            open_loops[-1].counts.update(one for one, _, pattern in _COUNTED if pattern.search(line))
    return open_loops[0]


def _name(value: str) -> str:
    """An argument's name or a number; what the tile computes itself has none."""
    return "..." if re.match(r"%v\d", value) else value.lstrip("%")


def in_words(counts: Counter[str]) -> str:
    """63 multiply-adds, 5 vectors loaded, ..."""
    found = [(counts[one], one, many) for one, many, _ in _COUNTED if counts[one]]
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in found)
