"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches: of all cells together, of a cell at least and at most
SIZE, SMALLEST, LARGEST = 11.0, 0.11, 0.45


def confusion_matrix(
    y_true: Any, y_predicted: Any, *, class_names: Sequence[str] | None = None, title: str | None = None
) -> "Figure":
    """Counts of (true class, predicted class); the colour is the share of the true class, blue where it is
    right. Errors are orange, on a scale of their own on which a single one can be seen.

    y_true and y_predicted are labels (N,) or (N, 1), one-hot rows or probabilities (N, C); ValueError where
    their numbers differ, where labels are no classes (as probabilities of one unit are not), and for too few
    names.

    class_names   on the axes, None: the numbers;  title   None: the share that is right

    >>> figure = plotting.confusion_matrix([0, 1, 1], [0, 1, 0], class_names=["cat", "dog"])
    >>> figure.axes[0].get_ylabel()
    'true class'
    """
    counts, names = _counts(y_true, y_predicted, class_names)
    classes = len(counts)
    accuracy = np.trace(counts) / counts.sum()
    cell = float(np.clip(SIZE / classes, SMALLEST, LARGEST))
    size = max(4.2, cell * classes + 1.4)
    figure = fig.new_figure(size, size, title or f"Confusion matrix: {accuracy:.2%} correct")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    worst = float((share * (1 - np.eye(classes))).max())
    _colour(axes, share, worst)
    font = _font(cell, [f"{count:,}" for count in counts.flat], 9)
    for row, column in zip(*counts.nonzero(), strict=True):
        dark = share[row, column] > 0.55 if row == column else share[row, column] > 0.6 * worst
        style: dict[str, Any] = {"fontsize": font, "color": "white" if dark else "#222222"}
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", **style)
    _name_classes(axes, names, cell)
    scale = f"\nblue: right; orange: wrong, up to {worst:.1%} of a class" if worst else ""
    axes.set_xlabel(f"predicted class{scale}")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _name_classes(axes: "Axes", names: Sequence[Any], cell: float) -> None:
    long = max(len(str(name)) for name in names) > 3
    high = float(np.clip(72 * 0.8 * cell, 3, 10))  # for a line of text in each row
    label = high if long else _font(cell, [str(name) for name in names], high)
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if long else {"rotation": 0, "ha": "center"}
    axes.set_xticks(range(len(names)), names, fontsize=label, **turned)
    axes.set_yticks(range(len(names)), names, fontsize=label)


def _font(cell: float, texts: list[str], most: float) -> float:
    """The size in points at which all of these texts fit into a cell, within limits."""
    return float(np.clip(72 * 0.9 * cell / (0.62 * max(map(len, texts))), 3, most))


def _counts(y_true: Any, y_predicted: Any, class_names: Any) -> tuple[np.ndarray, Sequence[Any]]:
    """Counts (C, C) and the names of the classes."""
    truth = fig.class_numbers(y_true, "confusion_matrix: y_true")
    predicted = fig.class_numbers(y_predicted, "confusion_matrix: y_predicted")
    if truth.shape != predicted.shape or not len(truth):
        raise ValueError(f"confusion_matrix: got {len(truth)} true labels and {len(predicted)} predictions")
    widths = [_width(y_true), _width(y_predicted)]
    named = 0 if class_names is None else len(class_names)
    classes = max(int(truth.max()) + 1, int(predicted.max()) + 1, named, *widths)
    if class_names is not None and named < classes:
        raise ValueError(f"confusion_matrix: class_names has {named} names for {classes} classes")
    counts = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return counts, class_names if class_names is not None else [str(number) for number in range(classes)]


def _colour(axes: "Axes", share: np.ndarray, worst: float) -> None:
    """The cells: what is right, then what is wrong."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, PowerNorm

    right = np.eye(len(share), dtype=bool)
    axes.imshow(np.ma.masked_array(share, ~right), cmap="Blues", vmin=0, vmax=1)
    # A single error among thousands is not white: the scale begins in the colour, and is one of square roots.
    orange = ListedColormap(colormaps["Oranges"](np.linspace(0.12, 0.75, 256)))
    wrong = np.ma.masked_array(share, right | (share == 0))
    axes.imshow(wrong, cmap=orange, norm=PowerNorm(0.5, 0, worst or 1))


def _width(y: Any) -> int:
    """How many classes rows (N, C) have, even if the last ones do not occur; 0 for labels."""
    shape = np.shape(y)
    return shape[1] if len(shape) == 2 and shape[1] > 1 else 0
