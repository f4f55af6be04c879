"""Rows of dots: the results of several seeds beside one another, and beside what was known before."""

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig
from tinynet.plotting.scales import Scale, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def dots(
    values: Mapping[str, Any],
    reference: Mapping[str, float | None] | None = None,
    reference_label: str = "reference",
    xlabel: str = "test accuracy",
    title: str | None = None,
    percent: bool = True,
    log: bool = False,
    errors: bool = False,
) -> "Figure":
    """A row for each name of `values`: a dot for each seed, a bar at their mean, a diamond at the reference.

    values      {name: the numbers of its seeds, or one number}, the first on top
    reference   {name: number}, for some of the rows;  reference_label   what it is, in the legend
    xlabel, title   below the axis, above all
    percent     numbers are shares from 0 to 1, shown in percent
    log         a logarithmic axis, for times
    errors      of accuracies: 1 - accuracy on a logarithmic axis that grows to the left, labelled in
                accuracy, so that 99.4 % is as far from 99.7 % as 98 % from 99 %

    Means, and references, stand in numbers beside the rows. Raises ValueError for rows without numbers, a
    reference without a row, and numbers that are no shares or cannot stand on a logarithmic axis.

    >>> results = {"softmax": [0.921, 0.923, 0.920], "VGG": [0.9951, 0.9955, 0.9957]}
    >>> figure = plotting.dots(results, {"softmax": 0.9195}, "notebook, 2017", errors=True)
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['softmax', 'VGG']
    """
    rows = _rows(values)
    beside = _references(reference, rows)
    scale = scale_of([*np.concatenate(list(rows.values())), *beside.values()], percent, log, errors)
    width = min(12.0, 6.2 + 0.085 * max(0, max(map(len, rows)) - 16))
    figure = fig.new_figure(width, 0.32 * len(rows) + 1.25 + (0.4 if title else 0), title)
    axes = figure.subplots()
    for row, (name, seeds) in enumerate(rows.items()):
        _draw_row(axes, row, seeds, beside.get(name), scale)
    scale.dress(axes)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(xlabel)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    _legend(figure, max(map(len, rows.values())), reference_label if beside else None)
    return figure


def _rows(values: Any) -> dict[str, np.ndarray]:
    if not isinstance(values, Mapping) or not values:
        raise ValueError(f"dots: values: expected {{name: numbers}} with a name at least, got {values!r}")
    rows = {}
    for name, given in values.items():
        try:
            row = np.atleast_1d(np.asarray(given, float))
        except (TypeError, ValueError):
            row = np.empty(0)
        if row.ndim != 1 or not len(row) or not np.isfinite(row).all():
            raise ValueError(f"dots: values[{name!r}]: expected one finite number or more, got {given!r}")
        rows[str(name)] = row
    return rows


def _references(reference: Any, rows: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The references that there are, by the names of the rows."""
    if reference is None:
        return {}
    if not isinstance(reference, Mapping):
        raise ValueError(f"dots: reference: expected {{name: number}}, got {reference!r}")
    found = {str(name): number for name, number in reference.items() if number is not None}
    if unknown := [name for name in found if name not in rows]:
        raise ValueError(f"dots: reference: there is no row {unknown[0]!r}; the rows are {list(rows)}")
    for name, number in found.items():
        if not isinstance(number, numbers.Real) or not np.isfinite(float(number)):
            raise ValueError(f"dots: reference[{name!r}]: expected a finite number, got {number!r}")
    return {name: float(number) for name, number in found.items()}


def _draw_row(axes: "Axes", row: int, seeds: np.ndarray, reference: float | None, scale: Scale) -> None:
    mean = float(seeds.mean())
    axes.axhline(row, color="#E6E8EA", linewidth=0.8, zorder=0)
    at = scale.place(seeds)
    dot: dict[str, Any] = {"markersize": 6, "alpha": 0.6, "mew": 0, "zorder": 3}
    axes.plot(at, np.full(len(at), row), "o", color=fig.BLUE, gid="seeds", **dot)
    beside: dict[str, Any] = {
        "xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "va": "center", "fontsize": 9,
        "annotation_clip": False,
    }  # fmt: skip
    (middle,) = scale.place(np.array([mean]))
    if len(seeds) > 1:
        axes.plot([middle], [row], "|", color="black", markersize=15, mew=2, zorder=4, gid="mean")
    axes.annotate(scale.text(mean), (1, row), xytext=(8, 0), fontweight="bold", color=fig.BLUE, **beside)
    if reference is None:
        return
    (before,) = scale.place(np.array([reference]))
    axes.plot([before, middle], [row, row], color=fig.GREY, linewidth=0.8, zorder=1)
    hollow: dict[str, Any] = {"markersize": 6.5, "mfc": "white", "mew": 1.6, "zorder": 2}
    axes.plot([before], [row], "D", color=fig.VERMILION, gid="reference", **hollow)
    axes.annotate(scale.text(reference), (1, row), xytext=(60, 0), color=fig.VERMILION, **beside)


def _legend(figure: "Figure", seeds: int, reference_label: str | None) -> None:
    from matplotlib.lines import Line2D

    def mark(marker: str, colour: str, label: str, **more: Any) -> Line2D:
        return Line2D([], [], linestyle="none", marker=marker, color=colour, label=label, **more)

    marks = []
    if seeds > 1:
        marks += [
            mark("o", fig.BLUE, "a seed", alpha=0.6, mew=0),
            mark("|", "black", "mean (in numbers at the right)", markersize=12, mew=2),
        ]
    if reference_label is not None:
        marks.append(mark("D", fig.VERMILION, reference_label, mfc="white", mew=1.6))
    if marks:
        figure.legend(handles=marks, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
