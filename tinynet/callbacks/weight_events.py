"""What TensorBoard is told about a model itself: its description,
histograms and pictures of weights, and gradients.

`writer` is tensorboardX's SummaryWriter everywhere.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.backend import tracebacks

PANELS = 256  # at most so many in one picture
SAMPLES = 32  # of a batch whose gradients are taken


def describe(writer: Any, model: Any) -> None:
    """The table of layers and, if the model can tell it, the JSON of its architecture, as texts."""
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    writer.add_text("model/summary", _as_code("\n".join(lines)), 0)
    if hasattr(model, "to_json"):
        try:
            text = json.dumps(json.loads(model.to_json()), indent=2)
        except (NotImplementedError, TypeError, ValueError) as error:
            tracebacks.warn(f"TensorBoard: the model has no JSON to write ({error})")
        else:
            writer.add_text("model/json", _as_code(text), 0)


def weights(writer: Any, model: Any, epoch: int, images: bool = False) -> None:
    """`<weight>/histogram` of every weight, and with `images` `<weight>/image`."""
    for weight in model.weights:
        values = weight.numpy()
        _histogram(writer, f"{weight.name}/histogram", values, epoch)
        if images and (picture := picture_of(values)) is not None:
            writer.add_image(f"{weight.name}/image", picture, epoch, dataformats="HWC")


def gradients(writer: Any, model: Any, epoch: int, data: Sequence[Any]) -> None:
    """The gradients of the loss on `data`, in batches of 32, by `model.gradients`,
    which leaves the model as it is.

    <weight>/gradient_norm            the mean of its Euclidean norm over the batches
    <weight>/gradient_norm/histogram  the norms of all batches
    <weight>/gradient/histogram       the elements of the gradient of the first batch
    gradient_norm, .../histogram      the same for all weights together
    """
    norms: defaultdict[str, list[float]] = defaultdict(list)
    for start in range(0, len(data[0]), SAMPLES):
        batch = model.gradients(*(None if part is None else part[start : start + SAMPLES] for part in data))
        squares = 0.0
        for name, gradient in batch.items():
            if start == 0:
                _histogram(writer, f"{name}/gradient/histogram", gradient, epoch)
            square = float(np.square(gradient, dtype=np.float64).sum())
            norms[f"{name}/gradient_norm"].append(square**0.5)
            squares += square
        norms["gradient_norm"].append(squares**0.5)
    for tag, values in norms.items():
        writer.add_scalar(tag, float(np.mean(values)), epoch)
        _histogram(writer, f"{tag}/histogram", np.array(values), epoch)


def picture_of(weight: np.ndarray) -> np.ndarray | None:
    """A weight as a picture (H, W, 1) or (H, W, 3) of bytes, its smallest value black and its largest white.

    A vector is a row of pixels, a matrix one picture, lying; a convolution's kernel (..., C, F) a grid of its
    filters, in colour for three channels and otherwise one panel a channel. None for a weight without
    elements or of more axes.
    """
    if not weight.size or weight.ndim not in (1, 2, 3, 4) or not np.isfinite(weight).all():
        return None
    low, high = float(weight.min()), float(weight.max())
    grey = np.round(255 * (weight.astype(np.float64) - low) / ((high - low) or 1.0)).astype(np.uint8)
    if grey.ndim <= 2:
        matrix = np.atleast_2d(grey)
        return (matrix.T if matrix.shape[0] > matrix.shape[1] else matrix)[..., None]
    kernel = grey if grey.ndim == 4 else grey[None]  # a 1-D kernel (K, C, F) is one row high
    height, width, channels, count = kernel.shape
    panels = kernel.transpose(3, 0, 1, 2)  # F KH KW C
    if channels != 3:
        panels = kernel.transpose(3, 2, 0, 1).reshape(count * channels, height, width, 1)
    return _grid(panels[:PANELS])


def _grid(panels: np.ndarray) -> np.ndarray:
    """Panels (N, H, W, C) in rows, about as many rows as columns, one dark pixel between them."""
    count, height, width, channels = panels.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    grid = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), np.uint8)
    for index, panel in enumerate(panels):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        grid[top : top + height, left : left + width] = panel
    return grid


def _histogram(writer: Any, tag: str, values: np.ndarray, epoch: int) -> None:
    finite = values[np.isfinite(values)]
    if finite.size:
        writer.add_histogram(tag, finite, epoch)


def _as_code(text: str) -> str:
    """Markdown that keeps the text as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())
