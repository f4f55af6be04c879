"""A frame around an array.

y = x in the middle, `value` in the frame; widths ((before, after), ...) for every axis
"""

import numpy as np

from .common import Array, contiguous, empty, launch, operation, parallel, prange
from .elementwise import like

Widths = tuple[tuple[int, int], ...]


@operation("numpy", family="pad")
def pad(x: Array, *, widths: Widths, value: float) -> Array:
    """x of any shape -> y, larger by the widths, in x's memory order."""
    y = empty(x, padded_shape(x, widths))
    pad_by_slices(y, x, widths, value)
    return y


def padded_shape(x: Array, widths: Widths) -> tuple[int, ...]:
    """The shape of y."""
    return tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))


def pad_by_slices(y: Array, x: Array, widths: Widths, value: float) -> None:
    """Writes x and its frame into y."""
    y[...] = value
    y[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True))] = x


def in_four_axes(y: Array, x: Array, widths: Widths) -> tuple[Array, Array, list[int]] | None:
    """y and x in C order with four axes, and the widths before x; None if more axes are left.

    Neighbours in memory that are not padded count as one axis.
    """
    order = sorted(range(x.ndim), key=lambda axis: -y.strides[axis])  # y's axes as they lie in memory
    sizes, before, wide = ([v[axis] for axis in order] for v in (x.shape, [w[0] for w in widths], y.shape))
    while len(sizes) > 1 and sizes[-2:] == wide[-2:]:
        sizes, before, wide = ([*v[:-2], v[-2] * v[-1]] for v in (sizes, [*before[:-2], 1, 0], wide))
    missing = 4 - len(sizes)
    if missing < 0:
        return None
    ones = [1] * missing
    rows = contiguous(x.transpose(order)).reshape(*ones, *sizes)
    return y.transpose(order).reshape(*ones, *wide), rows, [*[0] * missing, *before]


@pad.implementation("numba")
def _(x: np.ndarray, *, widths: Widths, value: float) -> np.ndarray:
    y = like(x, padded_shape(x, widths), x.dtype)
    found = in_four_axes(y, x, widths)
    if found is None:
        launch(pad_by_slices, y, x, widths, value)
    else:
        wide, rows, before = found
        _pad_rows(wide, rows, *before, x.dtype.type(value))
    return y


@parallel
def _pad_rows(y, x, a0, b0, c0, d0, value):  # type: ignore[no-untyped-def]
    for row in prange(y.shape[0] * y.shape[1]):
        a, b = row // y.shape[1], row % y.shape[1]
        for c in range(y.shape[2]):
            if a0 <= a < a0 + x.shape[0] and b0 <= b < b0 + x.shape[1] and c0 <= c < c0 + x.shape[2]:
                y[a, b, c, :d0] = value
                y[a, b, c, d0 : d0 + x.shape[3]] = x[a - a0, b - b0, c - c0]
                y[a, b, c, d0 + x.shape[3] :] = value
            else:
                y[a, b, c] = value
