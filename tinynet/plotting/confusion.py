"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_matrix(
    y_true: Any, y_predicted: Any, *, class_names: Sequence[str] | None = None, title: str | None = None
) -> "Figure":
    """Counts of (true class, predicted class); the colour is the share of the true class.

    y_true and y_predicted are labels (N,) or (N, 1), one-hot rows or probabilities (N, C); ValueError where
    their numbers differ, where labels are no classes (as probabilities of one unit are not), and for too few
    names.

    class_names   on the axes, None: the numbers;  title   None: the share that is right

    >>> figure = plotting.confusion_matrix([0, 1, 1], [0, 1, 0], class_names=["cat", "dog"])
    >>> figure.axes[0].get_xlabel()
    'predicted class'
    """
    truth = fig.class_numbers(y_true, "confusion_matrix: y_true")
    predicted = fig.class_numbers(y_predicted, "confusion_matrix: y_predicted")
    if truth.shape != predicted.shape or not len(truth):
        raise ValueError(f"confusion_matrix: got {len(truth)} true labels and {len(predicted)} predictions")
    widths = [_width(y_true), _width(y_predicted)]
    classes = max(int(truth.max()) + 1, int(predicted.max()) + 1, len(class_names or ()), *widths)
    if class_names is not None and len(class_names) < classes:
        raise ValueError(f"confusion_matrix: class_names has {len(class_names)} names for {classes} classes")
    counts = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
    names = class_names if class_names is not None else [str(number) for number in range(classes)]
    accuracy = np.trace(counts) / counts.sum()
    size = max(4.2, 0.62 * classes + 1.2)
    figure = fig.new_figure(size, size, title or f"Confusion matrix: {accuracy:.2%} correct")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*counts.nonzero(), strict=True):
        colour = "white" if share[row, column] > 0.55 else "#222222"
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=9, color=colour)
    long = max(len(str(name)) for name in names) > 3
    axes.set_xticks(range(classes), names, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_yticks(range(classes), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _width(y: Any) -> int:
    """How many classes rows (N, C) have, even if the last ones do not occur; 0 for labels."""
    shape = np.shape(y)
    return shape[1] if len(shape) == 2 and shape[1] > 1 else 0
