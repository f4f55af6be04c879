"""Curves of a run that has not ended: what `LiveCurves` draws after every epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float]]  # (epoch, value), epochs from 0

COLUMNS = 3


def live_curves(curves: Mapping[str, Curve], total: int | None = None, title: str | None = None) -> "Figure":
    """One panel for the loss, each metric and the learning rate; `val_name` is drawn beside `name`.

    `total` epochs, where it is known, are the width of every panel, so that the picture shows how far the run
    is. A ring marks the best validation loss. Raises ValueError when there is no curve.
    """
    names = [name for name in curves if not name.startswith("val_") and len(curves[name])]
    if not names:
        raise ValueError("live_curves: there is no value to draw")
    names.sort(key=lambda name: (name == "learning_rate", name != "loss"))  # stable: metrics keep their order
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = fig.new_figure(max(5.0, 4.6 * columns), 3.3 * rows + (0.6 if title else 0.3), title)
    panels = list(
        figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.08}).flat
    )
    for axes, name in zip(panels, names, strict=False):
        _draw_panel(axes, name, curves[name], curves.get(f"val_{name}", ()), total)
    for axes in panels[len(names) :]:
        axes.axis("off")
    return figure


def _draw_panel(axes: "Axes", name: str, train: Curve, validation: Curve, total: int | None) -> None:
    percent = name == "acc" or "accuracy" in name
    text = f"{{:.{2 if percent else 4}{'%' if percent else 'f'}}}" if name != "learning_rate" else "{:.3g}"
    epochs, values = _points(train)
    _draw_curve(axes, epochs, values, fig.BLUE, "--" if validation else "-", "training")
    shown = f"now {text.format(values[-1])}"
    if validation:
        val_epochs, val_values = _points(validation)
        _draw_curve(axes, val_epochs, val_values, fig.VERMILION, "-", "validation")
        axes.legend(frameon=False, loc="best")
        shown = f"validation {text.format(val_values[-1])}"
        if name == "loss" and np.isfinite(val_values).any():
            best = int(np.nanargmin(val_values))
            ring: dict[str, Any] = {
                "markersize": 11,
                "markerfacecolor": "none",
                "markeredgewidth": 1.6,
                "clip_on": False,
            }
            axes.plot(val_epochs[best], val_values[best], "o", markeredgecolor=fig.VERMILION, **ring)
            shown += f", best {text.format(val_values[best])}"
    axes.set_title(name.replace("_", " ").capitalize(), loc="left", fontsize=12, fontweight="bold")
    axes.set_title(shown, loc="right", fontsize=10, color=fig.GREY)
    _dress(axes, epochs, total, percent, name == "learning_rate" and bool((values > 0).all()))


def _draw_curve(
    axes: "Axes", epochs: np.ndarray, values: np.ndarray, colour: str, style: str, label: str
) -> None:
    marker = "o" if len(epochs) <= 30 else None
    axes.plot(
        epochs, values, color=colour, linestyle=style, label=label, marker=marker, markersize=4, linewidth=2
    )


def _dress(axes: "Axes", epochs: np.ndarray, total: int | None, percent: bool, logarithmic: bool) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    first, last = epochs[0], max(epochs[-1], total or 0)
    margin = 0.03 * (last - first) or 0.5
    axes.set_xlim(first - min(margin, 0.5), last + margin)  # there is no epoch 0
    if last == first:
        axes.set_xticks([first])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if logarithmic:
        axes.set_yscale("log")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _points(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Epochs from 1, and values."""
    epochs, values = zip(*curve, strict=True)
    return np.array(epochs) + 1, np.array(values, float)
