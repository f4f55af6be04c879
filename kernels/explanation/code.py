"""What the compiler made of a tile or a loop: LLVM's assembly or the machine's, and the part that counts.

That is the innermost loop whose instructions work on the most numbers; where there is none, all is shown.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numba

from .. import loops, thread_pool
from ..emit import Emitted, assembly, optimised

MOST = 160  # lines that are shown

# The widths of the vectors in a line: LLVM says how many numbers, x86 names the register, ARM says both.
_WIDTHS = {
    "llvm": re.compile(r"<(\d+) x (?:float|double|i\d+)>"),
    "asm": re.compile(r"p[sd]\b.*?(%[xyz]mm)\d|(%[yz]mm)\d|\bv\d+\.(\d+)[bhsd]\b"),
}
_SAYS_NOTHING = re.compile(r"^\s*(?:\.(?:cfi|p2align|loc|file)|#|;)")
_REGISTERS = {"%xmm": 4, "%ymm": 8, "%zmm": 16}
_LABEL = {"asm": re.compile(r"^([.\w$]+):"), "llvm": re.compile(r"^([-.\w$]+|\"[^\"]+\"):")}
_JUMP = {
    "asm": re.compile(r"^\s+(?:j\w+|b|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s+([.\w$]+)\s*$"),
    "llvm": re.compile(r"label %([-.\w$]+|\"[^\"]+\")"),
}


def of_tile(function: Emitted, show: str) -> str:
    return assembly(function) if show == "asm" else optimised(function)


def of_loop(function: Any, args: Sequence[Any], show: str) -> str:
    compiled, signature = _afresh(function, tuple(numba.typeof(arg) for arg in args))
    return (compiled.inspect_asm if show == "asm" else compiled.inspect_llvm)(signature)


@cache
def _afresh(function: Any, signature: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Compiled once more, since code that comes from the disk has no text."""
    return loops.afresh(function, signature, thread_pool.symbols), signature


def innermost(text: str, show: str) -> list[str]:
    """The lines of the innermost loop that works on the most numbers; all lines where none has vectors."""
    lines = [line for line in text.splitlines() if not _SAYS_NOTHING.match(line)]
    places = {label[1]: i for i, line in enumerate(lines) if (label := _LABEL[show].match(line))}
    back = {
        (places[label], i) for i, line in enumerate(lines) for label in _JUMP[show].findall(line)
        if places.get(label, i + 1) <= i
    }  # fmt: skip
    loops = [(a, b) for a, b in back if not any((a, b) != (c, d) and a <= c and d <= b for c, d in back)]
    bodies = [lines[a : b + 1] for a, b in sorted(loops)]
    best = max(bodies, key=lambda body: _weight(body, show), default=lines)
    return best if _weight(best, show) else lines


def _weight(lines: list[str], show: str) -> int:
    """Numbers that the vector instructions among `lines` work on."""
    widths = (found for line in lines if (found := _WIDTHS[show].search(line)))
    names = (next(part for part in found.groups() if part) for found in widths)
    return sum(_REGISTERS.get(name) or int(name) for name in names)


def shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST else [*lines[:MOST], f"... and {len(lines) - MOST} lines more"]
