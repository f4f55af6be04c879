"""The loss over the learning rate: what a range test shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_rate_curve(
    learning_rates: Sequence[float],
    losses: Sequence[float],
    *,
    raw: Sequence[float] | None = None,
    suggestion: float | None = None,
    title: str | None = None,
) -> "Figure":
    """losses over learning_rates on a logarithmic axis; `raw` ones as a faint line behind,
    the `suggestion` as a dot.

    The end, where the loss shoots up, is cut off at twice the height of the rest; `title` stands above.
    Raises ValueError for fewer than two points.

    >>> len(plotting.learning_rate_curve([0.001, 0.01, 0.1], [2.0, 1.0, 3.0], suggestion=0.005).axes)
    1
    """
    rates, values = np.asarray(learning_rates, float), np.asarray(losses, float)
    if len(rates) < 2 or rates.shape != values.shape:
        raise ValueError(
            "learning_rate_curve: expected two points or more, "
            f"got {len(rates)} rates and {len(values)} losses"
        )
    figure = fig.new_figure(6.4, 4.0 if title else 3.7, title)
    axes = figure.subplots()
    if raw is not None:
        axes.plot(rates, raw, color=fig.BLUE, alpha=0.25, linewidth=1, label="each batch")
    axes.plot(rates, values, color=fig.BLUE, linewidth=2, label="smoothed")
    if suggestion is not None:
        height = float(np.interp(np.log(suggestion), np.log(rates), values))
        axes.plot(
            [suggestion], [height], "o", color=fig.VERMILION, markersize=8, zorder=3, label="suggestion"
        )
        axes.set_title(f"suggestion {suggestion:.2g}", loc="right", fontsize=10, color=fig.GREY)
    low, usual = (
        min(values.min(), np.min(values if raw is None else raw)),
        max(values[0], float(np.median(values))),
    )
    margin = 0.08 * (usual - low) or 0.5
    axes.set_ylim(low - margin, min(values.max() + margin, low + 2 * (usual - low) + margin))
    axes.set_xscale("log")
    axes.set_title("Loss", loc="left", fontsize=12, fontweight="bold")
    axes.set_xlabel("learning rate")
    axes.grid(alpha=0.25, which="major")
    axes.spines[["top", "right"]].set_visible(False)
    if raw is not None or suggestion is not None:
        axes.legend(frameon=False, loc="best")
    return figure
