"""Boxed tables of text, as `summary` prints them."""

import itertools
from collections.abc import Sequence


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], ends: Sequence[int], align: Sequence[str]
) -> list[str]:
    """The lines of a table whose columns end at `ends` (in characters); align:
    "<", ">" or "^" for each column.

    Cells are broken at spaces; a word that is longer than its column is cut off.
    """
    inner = [ends[0] - 1, *(b - a - 1 for a, b in itertools.pairwise(ends))]
    inner[-2 if len(ends) < 5 else -1] -= 1  # the last line of the box
    lines = [_rule("┏━┳┓", inner), *_cells(header, inner, align, "┃"), _rule("┡━╇┩", inner)]
    for i, row in enumerate(rows):
        lines += [_rule("├─┼┤", inner)] if i else []
        lines += _cells(row, inner, align, "│")
    return [*lines, _rule("└─┴┘", inner)]


def _cells(cells: Sequence[str], inner: Sequence[int], align: Sequence[str], bar: str) -> list[str]:
    wrapped = [_wrapped(cell, max(width - 2, 1)) for cell, width in zip(cells, inner, strict=True)]
    lines = []
    for i in range(max(map(len, wrapped))):
        parts = (part[i] if i < len(part) else "" for part in wrapped)
        fitted = (f"{part:{how}{width - 2}}" for part, how, width in zip(parts, align, inner, strict=True))
        lines.append(f"{bar} " + f" {bar} ".join(fitted) + f" {bar}")
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """`text` on lines of at most `width` characters."""
    lines: list[str] = []
    indent = text[: len(text) - len(text.lstrip())]
    for word in text.split():
        word = word if len(word) <= width else word[: width - 1] + "…"
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word if lines or len(indent + word) > width else indent + word)
    return lines or [""]


def _rule(characters: str, inner: Sequence[int]) -> str:
    left, fill, middle, right = tuple(characters)
    return left + middle.join(fill * width for width in inner) + right
