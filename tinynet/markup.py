"""Small pieces of HTML for notebooks. Whatever comes from outside (names,
values) is escaped here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

# Okabe and Ito's: see plotting/figure.py
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def table(header: Sequence[Any], rows: Sequence[Sequence[Any]], caption: str = "") -> str:
    """A table; cells that are numbers stand on the right."""
    head = "".join(f'<th style="text-align:left">{escape(str(cell))}</th>' for cell in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    title = f'<caption style="text-align:left">{escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    right = isinstance(value, int | float | np.number) or str(value).replace(",", "").isdecimal()
    return f'<td style="text-align:{"right" if right else "left"}">{escape(str(value))}</td>'


def paragraph(text: str) -> str:
    """A line of text."""
    return f"<p>{escape(text)}</p>"


def grid(values: np.ndarray) -> str:
    """Numbers (rows, columns) in fields whose shade follows their size:
    white is the smallest, blue the largest.
    """
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    rows = "".join(f"<tr>{''.join(_field(float(value), low, high) for value in row)}</tr>" for row in values)
    return f'<table style="font-size:80%">{rows}</table>'


def _field(value: float, low: float, high: float) -> str:
    shade = 0.0 if not np.isfinite(value) or high <= low else (value - low) / (high - low)
    style = f"text-align:right;color:#000;background:rgba(0,114,178,{0.6 * shade:.2f})"
    return f'<td style="{style}">{value:.4g}</td>'


def curves(lines: Mapping[str, Sequence[float]], width: int = 320, height: int = 120) -> str:
    """Curves of values over their number, each with its name below in its colour; an SVG picture."""
    drawn = {name: np.asarray(values, float) for name, values in lines.items()}
    finite = np.concatenate([values[np.isfinite(values)] for values in drawn.values()] or [np.zeros(0)])
    if not finite.size:
        return ""
    low, span = float(finite.min()), float(np.ptp(finite)) or 1.0
    longest = max(max(map(len, drawn.values())) - 1, 1)
    parts = []
    for i, (name, values) in enumerate(drawn.items()):
        points = [
            f"{4 + (width - 8) * x / longest:.1f},{4 + (height - 8) * (1 - (y - low) / span):.1f}"
            for x, y in enumerate(values) if np.isfinite(y)
        ]  # fmt: skip
        colour = COLOURS[i % len(COLOURS)]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(points)}"/>'
        )
        where = f'x="{4 + (width // len(drawn)) * i}" y="{height + 14}"'
        parts.append(f'<text {where} font-size="12" fill="{colour}">{escape(str(name))}</text>')
    return f'<svg width="{width}" height="{height + 20}" role="img">{"".join(parts)}</svg>'
