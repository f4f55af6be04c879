"""Pictures made of images: a gallery, the misclassified ones, the filters of a convolution."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
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
) -> "Figure":
    """The misclassified images, the most confident mistakes first, with predicted class,
    probability and true class.

    x (N, H, W[, C]); y_true (N,), (N, 1) or one-hot (N, C); probabilities (N, C), as `predict` returns them.
    class_names   None: the numbers;  columns   in a row, None: as many as fit;  limit   images at most

    >>> len(plotting.mistakes(np.zeros((3, 8, 8)), [0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).axes)
    1
    """
    images, probabilities = _checked_images(x, "mistakes"), np.asarray(probabilities)
    truth = fig.class_numbers(y_true, "mistakes: y_true")
    if probabilities.ndim != 2 or not len(images) == len(truth) == len(probabilities):
        raise ValueError(
            f"mistakes: expected N images, N labels and probabilities (N, C), got shapes {images.shape}, "
            f"{truth.shape} and {probabilities.shape}"
        )
    names = (
        class_names if class_names is not None else [str(number) for number in range(probabilities.shape[1])]
    )
    if len(names) < probabilities.shape[1] or truth.max(initial=0) >= len(names):
        given = (
            f"{probabilities.shape[1]} probabilities an image, "
            f"{len(names)} class names and a label {truth.max(initial=0)}"
        )
        raise ValueError(f"mistakes: expected a name for every class, got {given}")
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    if not len(wrong):
        return fig.message(f"all {len(truth):,} images are classified correctly", "No mistakes")
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    title = f"{len(wrong):,} of {len(truth):,} images misclassified ({len(wrong) / len(truth):.2%})"
    if len(wrong) > limit:
        title += f": the {limit} most confident"
    # inches that the longest line takes
    width = max(1.15, 0.075 * max(len(f"pred {name} (100%)") for name in names))
    columns = columns or max(3, min(8, int(11.5 / width)))
    figure, panels = fig.image_grid(min(len(wrong), limit), columns, (width, width + 0.37), title)
    for axes, index in zip(panels, wrong, strict=False):
        fig.show_image(axes, images[index])
        said, right = (
            f"pred {names[predicted[index]]} ({confidence[index]:.0%})",
            f"true {names[truth[index]]}",
        )
        axes.set_title(said, fontsize=9, color=fig.VERMILION, pad=3)
        below: dict[str, Any] = {"ha": "center", "va": "top", "transform": axes.transAxes}
        axes.text(0.5, -0.04, right, fontsize=9, color=fig.BLUE, **below)
    return figure


def filters(kernel: Any, *, columns: int = 8, limit: int = 64, title: str | None = None) -> "Figure":
    """The filters of a convolution's kernel (KH, KW, C, F), white at 0, blue below, red above, on one scale.

    Filters of three channels are drawn in colour, each stretched to 0..1; with other numbers of channels
    every channel gets a panel of its own. At most `limit` panels, in rows of `columns`, under `title`
    (None: their number and sizes).

    >>> len(plotting.filters(np.ones((3, 3, 3, 4))).axes)
    4
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    kernel = np.asarray(kernel, float)
    if kernel.ndim != 4:
        raise ValueError(f"filters: expected a kernel (KH, KW, C, F), got shape {kernel.shape}")
    height, width, channels, count = kernel.shape
    title = title or f"{count} filters {height} × {width}" + (
        f", {channels} channels" if channels > 1 else ""
    )
    colour = channels == 3
    images = (
        kernel.transpose(3, 0, 1, 2) if colour else kernel.transpose(3, 2, 0, 1).reshape(-1, height, width)
    )
    shown = images[:limit]
    if len(shown) < len(images):
        title += f" (first {limit} panels)"
    figure, panels = fig.image_grid(len(shown), columns, (1.0, 1.05), title)
    extent = float(np.abs(shown).max()) or 1.0
    for axes, image in zip(panels, shown, strict=True):
        if colour:
            span = float(np.ptp(image)) or 1.0
            fig.show_image(axes, (image - image.min()) / span)
        else:
            fig.show_image(axes, image, cmap="RdBu_r", vmin=-extent, vmax=extent)
    if not colour:
        figure.set_size_inches(figure.get_figwidth() + 1.1, figure.get_figheight())
        scale = ScalarMappable(Normalize(-extent, extent), "RdBu_r")
        figure.colorbar(
            scale, ax=figure.axes, fraction=0.05, aspect=30 if len(shown) > columns else 10, label="weight"
        )
    return figure


def _checked_images(images: Any, function: str) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3)):
        return images
    raise ValueError(
        f"{function}: expected images (N, H, W), (N, H, W, 1) or (N, H, W, 3), got shape {images.shape}"
    )
