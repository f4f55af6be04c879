"""Pictures of a convolution's weights."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.plotting import figure as fig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHANNELS = 32  # at most, of deep kernels
SMALLEST, LARGEST, SIDE = 0.13, 0.5, 11.0  # inches: a filter of one channel, and all of them together


def filters(kernel: Any, *, columns: int = 8, limit: int = 64, title: str | None = None) -> "Figure":
    """The filters of a convolution, white at 0, blue below, red above, on one scale.

    kernel    a layer, or its weights (KH, KW, C, F), of a Conv1D (K, C, F); of a depthwise layer, which has
              filters of one channel each, ask with the layer
    columns   filters in a row, of those with one channel, or with three, which are drawn in colour, each
              stretched to 0..1
    limit     filters at most

    Filters of other numbers of channels, and those of a Conv1D, are rows of a table whose columns are the
    first 32 input channels. `title` (None: numbers and sizes) stands above. Raises ValueError for weights of
    another rank, and for layers without a kernel.

    >>> len(plotting.filters(np.ones((3, 3, 3, 4))).axes)
    4
    """
    weights = _weights(kernel)
    height, width, channels, count = weights.shape
    if 0 in weights.shape or limit < 1 or columns < 1:
        raise ValueError(
            f"filters: expected weights, a limit and columns of 1 or more, got shape {weights.shape}, "
            f"limit={limit}, columns={columns}"
        )
    long = height == 1 and width > 1  # those of a Conv1D
    size = f"of length {width}" if long else f"{height} × {width}"
    said = f"{count} filter{'s' * (count != 1)} {size}"
    said += f", {channels} channels" if channels > 1 else ""
    if count > limit:
        said += f" (the first {limit})"
    weights = weights[..., :limit]
    if channels == 3 and not long:
        return _coloured(weights, columns, title or said)
    if channels == 1 and not long:
        return _single(weights, columns, title or said)
    return _table(weights, title or said)


def _weights(kernel: Any) -> np.ndarray:
    """The kernel (KH, KW, C, F) of a layer or an array."""
    layer = kernel if hasattr(kernel, "get_weights") else None
    if layer is not None:
        kernel = getattr(layer, "depthwise_kernel", getattr(layer, "kernel", None))
        if kernel is None:
            raise ValueError(f"filters: {layer} has no kernel; build it, or give a convolution")
    weights = np.asarray(kernel.numpy() if hasattr(kernel, "numpy") else kernel, float)
    if weights.ndim == 3:
        weights = weights[None]
    if weights.ndim != 4:
        raise ValueError(f"filters: expected a kernel (KH, KW, C, F) or (K, C, F), got shape {weights.shape}")
    if "Depthwise" in type(layer).__name__:  # (KH, KW, C, D): C * D filters of one channel
        weights = weights.reshape(*weights.shape[:2], 1, -1)
    return weights


def _coloured(weights: np.ndarray, columns: int, title: str) -> "Figure":
    figure, panels = fig.image_grid(weights.shape[-1], columns, (1.0, 1.2), title)
    for number, axes in enumerate(panels):
        image = weights[..., number]
        span = float(np.ptp(image)) or 1.0
        fig.show_image(axes, (image - image.min()) / span)
        axes.set_title(str(number), fontsize=7, color=fig.GREY, pad=2)
    return figure


def _single(weights: np.ndarray, columns: int, title: str) -> "Figure":
    figure, panels = fig.image_grid(weights.shape[-1], columns, (1.0, 1.2), title)
    extent = float(np.abs(weights).max()) or 1.0
    for number, axes in enumerate(panels):
        fig.show_image(axes, weights[:, :, 0, number], cmap="RdBu_r", vmin=-extent, vmax=extent)
        axes.set_title(str(number), fontsize=7, color=fig.GREY, pad=2)
    figure.set_size_inches(figure.get_figwidth() + 1.1, figure.get_figheight())
    _scale(figure, extent, aspect=30 if len(panels) > columns else 10)
    return figure


def _table(weights: np.ndarray, title: str) -> "Figure":
    """A row for each filter, a column for each input channel."""
    height, width, channels, count = weights.shape
    if channels > CHANNELS:
        title += f"; channels 0 to {CHANNELS - 1}"
        weights, channels = weights[:, :, :CHANNELS], CHANNELS
    extent = float(np.abs(weights).max()) or 1.0
    ratio = height / width
    across = float(np.clip(SIDE / max(channels, count * ratio), SMALLEST, LARGEST))
    size = (across * channels + 2.0, across * ratio * count + 1.1)
    figure = fig.new_figure(max(size[0], 0.11 * len(title)), max(size[1], 2.2), title)
    axes = figure.subplots()
    gap = 0 if height == width == 1 else max(1, round(0.12 * width))
    picture = np.full((count * (height + gap) - gap, channels * (width + gap) - gap), np.nan)
    for row in range(count):
        for column in range(channels):
            top, left = row * (height + gap), column * (width + gap)
            picture[top : top + height, left : left + width] = weights[:, :, column, row]
    shown = np.ma.masked_invalid(picture)
    axes.imshow(shown, cmap="RdBu_r", vmin=-extent, vmax=extent, interpolation="nearest")
    _number(axes, "x", channels, width, gap, across)
    _number(axes, "y", count, height, gap, across * ratio)
    axes.set_xlabel("input channel")
    axes.set_ylabel("filter")
    axes.spines[:].set_visible(False)
    axes.set_facecolor("#DADDE1")  # seen in the gaps
    _scale(figure, extent, aspect=30)
    return figure


def _number(axes: "Axes", axis: str, count: int, length: int, gap: int, inches: float) -> None:
    """The numbers of channels or filters, as many as there is room for."""
    every = next(step for step in (1, 2, 5, 10, 20, 50) if step * inches >= 0.19 or step == 50)
    numbers = range(0, count, every)
    places = [(length - 1) / 2 + number * (length + gap) for number in numbers]
    axes.tick_params(length=0, labelsize=8)
    getattr(axes, f"set_{axis}ticks")(places, [str(number) for number in numbers])


def _scale(figure: "Figure", extent: float, aspect: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(-extent, extent), "RdBu_r")
    figure.colorbar(scale, ax=figure.axes, fraction=0.05, aspect=aspect, label="weight")
