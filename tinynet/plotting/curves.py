"""Curves of a training run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def history_curves(history: Any, title: str | None = None) -> "Figure":
    """One panel for the loss and one for each metric over the epochs, training and validation together.

    `history` is what `fit` returned, or its dictionary {name: values}; `val_name` is drawn beside `name`;
    `title` stands above all. Raises ValueError when it holds no epoch.

    >>> figure = plotting.history_curves({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}, title="Two epochs")
    >>> len(figure.axes)
    1
    """
    values: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    names = [name for name in values if not name.startswith("val_") and name != "learning_rate"]
    if not names or not len(values[names[0]]):
        raise ValueError("history_curves: the history holds no epoch; call fit first")
    names.sort(key=lambda name: name != "loss")  # the loss first, the others in their order
    figure = fig.new_figure(max(5.0, 4.6 * len(names)), 3.9 if title else 3.6, title)
    panels = figure.subplots(1, len(names), squeeze=False, gridspec_kw={"wspace": 0.08})[0]
    for axes, name in zip(panels, names, strict=True):
        epochs = getattr(history, "epoch", ())
        # a plain dictionary, or a History that went on through several fits
        if len(epochs) != len(values[name]):
            epochs = range(len(values[name]))
        _draw_panel(
            axes, name, np.asarray(epochs) + 1, np.asarray(values[name], float), values.get(f"val_{name}")
        )
    return figure


def _draw_panel(
    axes: "Axes", name: str, epochs: np.ndarray, train: np.ndarray, validation: Sequence[float] | None
) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    percent = "acc" in name
    marker = "o" if len(epochs) <= 30 else None
    style: dict[str, Any] = {"marker": marker, "markersize": 4, "linewidth": 2}
    axes.plot(epochs, train, color=fig.BLUE, linestyle="--", label="training", **style)
    shown, label = train, "training"
    if validation is not None and len(validation):
        # With validation_freq > 1 there are fewer values than epochs; they belong to the last of each group.
        shown, label = np.asarray(validation, float), "validation"
        shown = shown[-len(epochs) :]
        every = len(epochs) // len(shown)
        axes.plot(
            epochs[every - 1 :: every][: len(shown)], shown, color=fig.VERMILION, label="validation", **style
        )
        axes.legend(frameon=False, loc="best")
    last = f"{shown[-1]:.2%}" if percent else f"{shown[-1]:.4f}"
    axes.set_title(f"{name.replace('_', ' ').capitalize()}", loc="left", fontsize=12, fontweight="bold")
    axes.set_title(f"last {label} {last}", loc="right", fontsize=10, color=fig.GREY)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set_xticks(epochs)
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
