"""Where the windows of a pooling lie.

Window (oh, ow) starts at row oh SH - top and column ow SW - left of the image and covers KH x KW cells; those
outside the image are padding and never take part: a maximum ignores them (they count as -inf), an average is
over the others.
"""

from collections.abc import Iterator

import numpy as np

from ..common import Array, batch_last, serial
from ..conv2d import geometry
from ..conv2d.geometry import Padding, Pair


def output_size(size: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> Pair:
    """(OH, OW) = floor((size + padding - pool) / stride) + 1 for each axis.

    Raises ValueError where the window is larger than the padded image,
    or a window could lie in the padding entirely.
    """
    if any(max(pads) >= pool for pads, pool in zip(padding, pool_size, strict=True)):
        raise ValueError(
            f"pooling: padding {padding} is not smaller than pool_size {pool_size}, "
            "so that a window could hold nothing but padding; use less padding or a larger window"
        )
    return geometry.output_size(size, pool_size, strides, padding, (1, 1))


def cells(
    size: Pair, out: Pair, pool_size: Pair, strides: Pair, padding: Padding
) -> Iterator[tuple[int, tuple[slice, slice], tuple[slice, slice]]]:
    """For each cell k = kh KW + kw of a window: (k, slices of the outputs that see an image pixel there,
    those pixels).

    The slices come as pairs, (rows, columns). Cells that meet padding in every window are left out.
    """
    for kh in range(pool_size[0]):
        for kw in range(pool_size[1]):
            rows = _reach(size[0], out[0], kh - padding[0][0], strides[0])
            columns = _reach(size[1], out[1], kw - padding[1][0], strides[1])
            if rows and columns:
                yield kh * pool_size[1] + kw, (rows[0], columns[0]), (rows[1], columns[1])


def _reach(size: int, out: int, offset: int, stride: int) -> tuple[slice, slice] | None:
    """The outputs o with 0 <= o stride + offset < size, and those positions,
    as slices; None if there are none.
    """
    first = max(0, -(offset // stride))
    last = min(out - 1, (size - 1 - offset) // stride)
    if first > last:
        return None
    start = first * stride + offset
    return slice(first, last + 1), slice(start, (last * stride + offset) + 1, stride)


def image_cells(size: Pair, out: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    """Number of image cells (those that are not padding) in each window: (OH, OW) integers."""
    counts = []
    for n, windows, pool, stride, (before, _) in zip(size, out, pool_size, strides, padding, strict=True):
        start = np.arange(windows) * stride - before
        counts.append(np.minimum(start + pool, n) - np.maximum(start, 0))
    return np.outer(counts[0], counts[1])


def pixels(x: Array) -> np.ndarray:
    """View (H, W, C * N) of images (N, H, W, C): pooling treats channels alike,
    so a pixel is one row of numbers.
    """
    n, h, w, c = x.shape
    return batch_last(x).reshape(h, w, c * n)


@serial
def covering(position, outputs, pool, stride, before):  # type: ignore[no-untyped-def]
    """First and one past the last window, along one axis, that covers an image position."""
    shifted = position + before  # covered by the windows o with o stride <= shifted < o stride + pool
    return max(0, (shifted - pool) // stride + 1), min(outputs, shifted // stride + 1)
