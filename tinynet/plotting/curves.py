"""Curves of a training run."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig
from tinynet.plotting.histories import curve, is_share, logged, only_in_training, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = 51  # characters of both titles that a panel has room for beside each other


def history_curves(history: Any, title: str | None = None, *, training_note: str | None = None) -> "Figure":
    """One panel for the loss and one for each metric over the epochs, training and validation together.

    `history` is what `fit` returned, or its dictionary {name: values}; `val_name` is drawn beside `name`;
    `title` stands above all. A ring marks the best value of losses and accuracies. `training_note`, such as
    "with dropout", says what the training curve alone is subject to; None: the kinds of layers in the
    history's model that do something in training only. Raises ValueError when there is no epoch.

    >>> figure = plotting.history_curves({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}, title="Two epochs")
    >>> len(figure.axes)
    1
    """
    values = logged(history, "history_curves: history")
    names = [name for name in values if not name.startswith("val_") and name != "learning_rate"]
    if not names or not len(values[names[0]]):
        raise ValueError("history_curves: the history holds no epoch; call fit first")
    names.sort(key=lambda name: name != "loss")  # the loss first, the others in their order
    note = only_in_training(history) if training_note is None else training_note
    figure = fig.new_figure(max(5.0, 4.6 * len(names)), 3.9 if title else 3.6, title)
    panels = figure.subplots(1, len(names), squeeze=False, gridspec_kw={"wspace": 0.08})[0]
    for axes, name in zip(panels, names, strict=True):
        drawn = [kind for kind in (name, f"val_{name}") if kind in values and len(values[kind])]
        curves = [curve(history, kind, "history_curves: history") for kind in drawn]
        _draw_panel(axes, name, curves, f"training ({note})" if note else "training")
    return figure


def _draw_panel(axes: "Axes", name: str, curves: list[tuple[np.ndarray, np.ndarray]], training: str) -> None:
    """The curve of the training, and that of the validation if there is one."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    epochs = curves[0][0]
    style: dict[str, Any] = {
        "marker": "o" if len(epochs) <= 30 else None, "markersize": 4, "linewidth": 2,
    }  # fmt: skip
    looks = ((training, fig.BLUE, "--"), ("validation", fig.VERMILION, "-"))
    for (label, colour, line), points in zip(looks, curves, strict=False):
        axes.plot(*points, color=colour, linestyle=line, label=label, **style)
    best = _mark_best(axes, name, *curves[-1], looks[len(curves) - 1][1])
    if len(curves) > 1 or training != "training":
        axes.legend(frameon=False, loc="best")
    which = "validation" if len(curves) > 1 else "training"
    said = f"last {which} {shown(name, curves[-1][1][-1])}{best}"
    words = name.replace("_", " ").capitalize()
    # Where there is no room beside it, the name stands a line higher.
    above = "\n" if 1.35 * len(words) + len(said) > TITLES else ""
    axes.set_title(words + above, loc="left", fontsize=12, fontweight="bold")
    axes.set_title(said, loc="right", fontsize=10, color=fig.GREY)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set_xticks(epochs)
    if is_share(name):
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_best(axes: "Axes", name: str, epochs: np.ndarray, values: np.ndarray, colour: str) -> str:
    """A ring around the first best value, the highest of shares and the lowest of losses; what it is, in
    words. Nothing for other metrics, of which nobody knows which end is the better, and for one epoch.
    """
    if len(values) < 2 or not np.isfinite(values).any() or not (is_share(name) or "loss" in name):
        return ""
    best = int(np.nanargmax(values) if is_share(name) else np.nanargmin(values))
    ring: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.6}
    axes.plot(epochs[best], values[best], "o", markeredgecolor=colour, clip_on=False, gid="best", **ring)
    return f", best {shown(name, values[best])}"
