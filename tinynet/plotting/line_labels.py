"""Names at the ends of lines, where they fit: quicker to read than a legend."""

from typing import TYPE_CHECKING

import numpy as np

from tinynet.plotting import figure as fig
from tinynet.plotting.layout import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE, LONGEST = 12.0, 30  # points between two names; characters of a name


def label_line_ends(axes: "Axes", ends: list[tuple[float, float]], names: list[str]) -> bool:
    """Writes the names right of the axes, each at the height of its line's end (x, y) or, with a thin line
    from there, as near as its neighbours allow. False where they do not fit: lines that end earlier,
    names that are long or too many. The limits of the axes must be set.
    """
    x, y = np.array(ends).T
    low, high = axes.get_ylim()
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    height = axes.get_window_extent().height * 72 / axes.figure.dpi  # points
    too_long = max(map(len, names)) > LONGEST
    if (x < x.max()).any() or not np.isfinite(y).all() or too_long or len(names) * LINE > height:
        return False
    at = height * (np.clip(y, low, high) - low) / (high - low)
    order = np.argsort(at, kind="stable")
    places = np.array(spread([float(at[i]) for i in order], [LINE] * (len(names) - 1)))
    places += max(0.0, -places[0]) - max(0.0, places[-1] - height)
    for i, place in zip(order, places, strict=True):
        shift = place - at[i]
        mark = " ▼" * bool(y[i] < low) + " ▲" * bool(y[i] > high)
        lead = {"arrowstyle": "-", "color": fig.COLOURS[i], "linewidth": 0.7, "shrinkA": 1, "shrinkB": 3}
        axes.annotate(
            names[i] + mark, (x[i], float(np.clip(y[i], low, high))), xytext=(14, shift),
            textcoords="offset points", annotation_clip=False, va="center", fontsize=9,
            color=_dark(fig.COLOURS[i]), arrowprops=lead,
        )  # fmt: skip
    return True


def _dark(colour: str) -> tuple[float, ...]:
    """A colour in which text can be read on white."""
    from matplotlib.colors import to_rgb

    return tuple(0.72 * part for part in to_rgb(colour))
