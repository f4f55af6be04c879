"""Tables of plain text, and how numbers are written in them."""

from collections.abc import Sequence


def text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need; the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, ["-" * width for width in widths], *rows]:
        first, *others = row
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """The same for a Markdown page; the columns of these numbers stand to the left."""
    align = ["---" if i in left else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, align, *rows])


def time(seconds: float) -> str:
    """Three digits and a unit: 12.3 us, 4.56 ms, 1.23 s."""
    for limit, factor, unit in ((1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{_digits(seconds * factor)} {unit}"
    return f"{_digits(seconds)} s"


def milliseconds(seconds: float) -> str:
    return _digits(seconds * 1e3)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def size(count: float) -> str:
    """Bytes as MiB."""
    return f"{count / 2**20:.0f} MiB"


def count(number: int, thing: str) -> str:
    """1 thread, 2 threads"""
    return f"{number} {thing}{'s' * (number != 1)}"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
