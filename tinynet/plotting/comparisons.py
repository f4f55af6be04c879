"""Several trainings in one picture: the mean over the seeds of each, with a band."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tinynet.plotting import figure as fig
from tinynet.plotting.bands import Band, band
from tinynet.plotting.histories import is_share, shown
from tinynet.plotting.line_labels import label_line_ends
from tinynet.plotting.ranges import readable_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, MARKS = 2, 8  # panels in a row; markers on a line
NOTE_WIDTH = 56  # letters in a line of what is said above a panel


def compare_histories(
    runs: Mapping[str, Any],
    metric: str | Sequence[str] = "val_accuracy",
    title: str | None = None,
    reference: Any = None,
) -> "Figure":
    """One line for each name of `runs`: the mean over its seeds, in a band from the lowest to the highest.

    runs       {name: histories}, up to 8 names; a history is what fit returned, or its {name: values};
               several of them, in a list, are the seeds. The line is thin where only some of them went on.
    metric     what is drawn; a list gives a panel each;  title   above all
    reference  a value, or {label: value}, drawn as a horizontal line; {metric: value} for several panels

    Names stand at the ends of their lines where they fit, with the last mean of a single panel; else in a
    legend. The axis leaves out what would press the rest together, first epochs or a run that failed, and
    says so. Raises ValueError for no runs, more than 8, and where a metric is missing.

    >>> runs = {"before": [{"val_accuracy": [0.90, 0.97]}, {"val_accuracy": [0.92, 0.98]}]}
    >>> figure = plotting.compare_histories(runs, title="Batch norm before the activation")
    >>> figure.axes[0].get_ylabel()
    'validation accuracy'
    """
    metrics = [metric] if isinstance(metric, str) else list(metric)
    _check(runs, metrics)
    columns = min(COLUMNS, len(metrics))
    rows = -(-len(metrics) // columns)
    width, height = (7.2 if columns == 1 else 4.7 * columns), 3.7 * rows + (0.8 if title else 0.4)
    figure = fig.new_figure(width, height, title)
    panels = list(figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.06}).flat)
    bands: list[Band] = []
    for axes, name in zip(panels, metrics, strict=False):
        bands = [band(label, histories, name) for label, histories in runs.items()]
        _draw_panel(axes, bands, name, _references(reference, name, metrics))
    for axes in panels[len(metrics) :]:
        axes.axis("off")
    names = list(runs)
    if len(metrics) == 1:
        names = [f"{one.label}  {shown(metrics[0], one.mean[-1])}" for one in bands]
    last = panels[len(metrics) - 1]
    if label_line_ends(last, [(one.epochs[-1], one.mean[-1]) for one in bands], names):
        figure.supxlabel(_seeds(bands), fontsize=9, color=fig.GREY)
        return figure
    lines = [line for line in last.lines if line.get_gid() == "mean"]
    in_a_row = max(1, int(width * 11 / (12 + max(map(len, names)))))
    legend = figure.legend(lines, names, loc="outside lower center", ncols=in_a_row, handlelength=3.2)
    legend.set_frame_on(False)
    legend.set_title(_seeds(bands))
    legend.get_title().set(fontsize=9, color=fig.GREY)
    return figure


def _check(runs: Any, metrics: list[str]) -> None:
    if not isinstance(runs, Mapping):
        raise ValueError(
            f"compare_histories: runs: expected {{name: histories}}, got {type(runs).__name__}; "
            "give each run a name"
        )
    if not 1 <= len(runs) <= len(fig.COLOURS):
        raise ValueError(f"compare_histories: runs: expected 1 to {len(fig.COLOURS)} names, got {len(runs)}")
    if not metrics:
        raise ValueError("compare_histories: metric: expected a name or several, got an empty list")


def _references(reference: Any, metric: str, metrics: list[str]) -> dict[str, float]:
    """{label: value} of the horizontal lines in the panel of this metric."""
    if isinstance(reference, Mapping) and reference and set(reference) <= set(metrics):
        reference = reference.get(metric)
    elif len(metrics) > 1 and reference is not None:
        raise ValueError(
            f"compare_histories: reference: expected {{metric: value}} of {metrics}, got {reference!r}"
        )
    if reference is None:
        return {}
    lines = reference if isinstance(reference, Mapping) else {"reference": reference}
    try:
        return {str(label): float(value) for label, value in lines.items()}
    except (TypeError, ValueError):
        raise ValueError(
            f"compare_histories: reference: expected a number or {{label: number}}, got {reference!r}"
        ) from None


def _note(parts: list[str]) -> str:
    """In one line where it has room, otherwise each part in a line of its own."""
    together = ", ".join(parts)
    if len(together) <= NOTE_WIDTH:
        return together
    return "\n".join(textwrap.fill(part, NOTE_WIDTH) for part in parts)


def _draw_panel(axes: "Axes", bands: list[Band], metric: str, references: dict[str, float]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    for number, one in enumerate(bands):
        _draw_band(axes, one, number)
    for label, value in references.items():
        axes.axhline(value, color=fig.GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        axes.annotate(
            label,
            (0, value),
            (4, 2),
            axes.get_yaxis_transform(),
            "offset points",
            fontsize=8.5,
            color=fig.GREY,
        )
    if (limits := readable_range(bands, metric, list(references.values()))) is not None:
        axes.set_ylim(limits.low, limits.high)
        axes.set_title(_note(limits.outside), loc="right", fontsize=9, color=fig.GREY)
    last = max(one.epochs[-1] for one in bands)
    first = min(one.epochs[0] for one in bands)
    if last == first:
        axes.set_xlim(first - 1, last + 1)
        axes.set_xticks([first])
    else:
        axes.set_xlim(first - 0.02 * (last - first), last + 0.02 * (last - first))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
    axes.set_ylabel(metric.replace("val_", "validation ").replace("_", " "))
    if is_share(metric):
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if metric == "learning_rate" and all((one.low > 0).all() for one in bands):
        axes.set_yscale("log")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_band(axes: "Axes", one: Band, number: int) -> None:
    colour = fig.COLOURS[number]
    if one.seeds > 1:
        axes.fill_between(one.epochs, one.low, one.high, color=colour, alpha=0.16, linewidth=0, zorder=1)
    every = max(1, -(-len(one.epochs) // MARKS))
    style: dict[str, Any] = {
        "color": colour, "linestyle": fig.DASHES[number], "marker": fig.MARKERS[number], "markersize": 5,
    }  # fmt: skip
    # The markers of two lines that lie on each other stand side by side.
    where: Any = (number * every // len(fig.COLOURS), every)
    axes.plot(
        one.epochs[: one.common], one.mean[: one.common], linewidth=2, markevery=where, gid="mean", **style
    )
    if one.common < len(one.epochs):
        rest = slice(max(one.common - 1, 0), None)
        style["marker"] = None
        axes.plot(one.epochs[rest], one.mean[rest], linewidth=0.9, gid="some", **style)


def _seeds(bands: list[Band]) -> str:
    """What the lines and bands are."""
    fewest, most = min(one.seeds for one in bands), max(one.seeds for one in bands)
    if most == 1:
        return ""
    count = f"{most} seeds" if fewest == most else f"{fewest} to {most} seeds"
    return f"lines: means of {count}; bands: from the lowest to the highest"
