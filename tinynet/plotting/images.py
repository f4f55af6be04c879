"""Pictures made of images: a gallery, and the misclassified ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def gallery(
    images: Any,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 8,
    limit: int = 40,
    title: str | None = None,
) -> "Figure":
    """The first `limit` images (N, H, W), (N, H, W, 1) or (N, H, W, 3) in rows of `columns`,
    each below its title.

    titles   one for each image, else ValueError; None: none;  title   above all

    >>> len(plotting.gallery(np.zeros((3, 8, 8)), ["a", "b", "c"]).axes)
    3
    """
    images = _checked_images(images, "gallery")
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            f"gallery: expected one title an image, got {len(titles)} titles for {len(images)} images"
        )
    if not len(images):
        return fig.message("no images", title)
    count = min(len(images), limit)
    figure, panels = fig.image_grid(count, columns, (1.1, 1.4 if titles is not None else 1.15), title)
    for index, axes in enumerate(panels):
        fig.show_image(axes, images[index])
        if titles is not None:
            axes.set_title(titles[index], fontsize=9)
    return figure


def mistakes(
    x: Any,
    y_true: Any,
    probabilities: Any,
    *,
    class_names: Sequence[str] | None = None,
    columns: int | None = None,
    limit: int = 24,
    sort_by: str = "confidence",
) -> "Figure":
    """The misclassified images with predicted class, true class, the second choice where it is neither, their
    probabilities, and the place in x.

    x (N, H, W[, C]); y_true (N,), (N, 1) or one-hot (N, C); probabilities (N, C), as `predict` returns them.
    class_names   None: the numbers;  columns   in a row, None: as many as fit;  limit   images at most
    sort_by       "confidence": what the net was surest of comes first; "loss": what it thought least likely
                  to be right, as the cross-entropy counts it

    >>> len(plotting.mistakes(np.zeros((3, 8, 8)), [0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).axes)
    1
    """
    images, probabilities = _checked_images(x, "mistakes"), np.asarray(probabilities)
    truth, names = _checked_classes(images, y_true, probabilities, class_names)
    if sort_by not in ("confidence", "loss"):
        raise ValueError(f"mistakes: sort_by must be 'confidence' or 'loss', got {sort_by!r}")
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)
    if not len(wrong):
        return fig.message(f"all {len(truth):,} images are classified correctly", "No mistakes")
    surprise = (
        probabilities.max(axis=1) if sort_by == "confidence" else -probabilities[range(len(truth)), truth]
    )
    wrong = wrong[np.argsort(-surprise[wrong], kind="stable")]
    title = f"{len(wrong):,} of {len(truth):,} images misclassified ({len(wrong) / len(truth):.2%})"
    if len(wrong) > limit:
        title += f": the {limit} " + ("most confident" if sort_by == "confidence" else "of the highest loss")
    # inches that the longest line takes
    width = max(1.15, 0.075 * max(len(f"pred {name} (100%)") for name in names))
    columns = columns or max(3, min(8, int(11.5 / width)))
    figure, panels = fig.image_grid(min(len(wrong), limit), columns, (width, width + 0.72), title)
    for axes, index in zip(panels, wrong, strict=False):
        fig.show_image(axes, images[index])
        _write_choices(axes, int(index), probabilities[index], int(truth[index]), names)
    return figure


def _checked_classes(
    images: np.ndarray, y_true: Any, probabilities: np.ndarray, class_names: Sequence[str] | None
) -> tuple[np.ndarray, Sequence[str]]:
    """True classes (N,), and a name for every class."""
    truth = fig.class_numbers(y_true, "mistakes: y_true")
    if probabilities.ndim != 2 or not len(images) == len(truth) == len(probabilities):
        raise ValueError(
            f"mistakes: expected N images, N labels and probabilities (N, C), got shapes {images.shape}, "
            f"{truth.shape} and {probabilities.shape}"
        )
    classes = probabilities.shape[1]
    names = class_names if class_names is not None else [str(number) for number in range(classes)]
    if len(names) < classes or truth.max(initial=0) >= classes:
        raise ValueError(
            f"mistakes: expected a name for every class, got {classes} probabilities an image, "
            f"{len(names)} class names and a label {truth.max(initial=0)}"
        )
    return truth, names


def _write_choices(axes: "Axes", index: int, shares: np.ndarray, truth: int, names: Sequence[str]) -> None:
    """Above an image what was predicted; below it what is right, the second choice, and its place."""
    first, *others = np.argsort(-shares, kind="stable")
    axes.set_title(f"pred {names[first]} ({shares[first]:.0%})", fontsize=9, color=fig.VERMILION, pad=3)
    lines = [(f"true {names[truth]} ({shares[truth]:.0%})", fig.BLUE)]
    if others[0] != truth:
        lines.append((f"2nd {names[others[0]]} ({shares[others[0]]:.0%})", fig.GREY))
    lines.append((f"x[{index}]", fig.GREY))
    for number, (text, colour) in enumerate(lines):
        axes.annotate(
            text, (0.5, 0), (0, -2 - 12 * number), "axes fraction", "offset points",
            ha="center", va="top", fontsize=9 if number == 0 else 8, color=colour,
        )  # fmt: skip


def _checked_images(images: Any, function: str) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3)):
        return images
    raise ValueError(
        f"{function}: expected images (N, H, W), (N, H, W, 1) or (N, H, W, 3), got shape {images.shape}"
    )
