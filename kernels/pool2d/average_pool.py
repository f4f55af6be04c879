"""Average pooling.

    y[n, oh, ow, c] = sum over the image cells (h, w) of window (oh, ow) of x[n, h, w,
    c] / number of those cells

Padding is not counted. The gradient of a window is shared equally among its image cells.
"""

from typing import Any

import numpy as np

from ..common import Array, batch_last, empty, operation, parallel, prange, serial
from ..constants import constant
from ..sums import clear
from .windows import Padding, Pair, cells, covering, image_cells, output_size, pixels


@operation("numpy", family="average_pool2d")
def average_pool2d(x: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """x (N, H, W, C) -> y (N, OH, OW, C)."""
    n, h, w, c = x.shape
    out = output_size((h, w), pool_size, strides, padding)
    y = empty(x, (n, *out, c))
    y[...] = 0
    for _, (oh, ow), (rows, columns) in cells((h, w), out, pool_size, strides, padding):
        y[:, oh, ow, :] += x[:, rows, columns, :]
    y /= constant(x, _counts, (h, w), out, pool_size, strides, padding, x.dtype)
    return y


def _counts(size: Pair, out: Pair, pool_size: Pair, strides: Pair, padding: Padding, dtype: Any) -> Array:
    """How many cells of the image each window has: (OH, OW, 1)."""
    return image_cells(size, out, pool_size, strides, padding)[:, :, None].astype(dtype)


@average_pool2d.implementation("naive", default=False)
def _(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    n, h, w, c = x.shape
    y = empty(x, (n, *output_size((h, w), pool_size, strides, padding), c))
    _average_pool_loops(batch_last(y), batch_last(x), *pool_size, *strides, padding[0][0], padding[1][0])
    return y


@serial
def _average_pool_loops(y, x, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for oh, ow, c, n in np.ndindex(y.shape):
        total, count = 0.0, 0
        for kh in range(kh_):
            for kw in range(kw_):
                h, w = oh * sh + kh - top, ow * sw + kw - left
                if 0 <= h < x.shape[0] and 0 <= w < x.shape[1]:
                    total += x[h, w, c, n]
                    count += 1
        y[oh, ow, c, n] = total / count


@average_pool2d.implementation("numba")
def _(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    n, h, w, c = x.shape
    y = empty(x, (n, *output_size((h, w), pool_size, strides, padding), c))
    _average_pool(pixels(y), pixels(x), *pool_size, *strides, padding[0][0], padding[1][0])
    return y


@parallel
def _average_pool(y, x, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    one = y.dtype.type(1)
    for pixel in prange(y.shape[0] * y.shape[1]):
        oh, ow = pixel // y.shape[1], pixel % y.shape[1]
        h0, h1 = max(0, oh * sh - top), min(x.shape[0], oh * sh - top + kh_)
        w0, w1 = max(0, ow * sw - left), min(x.shape[1], ow * sw - left + kw_)
        share = one / y.dtype.type((h1 - h0) * (w1 - w0))
        clear(y[oh, ow])
        for h in range(h0, h1):
            for w in range(w0, w1):
                _add_scaled(y[oh, ow], x[h, w], share)


@serial
def _add_scaled(out, value, factor):  # type: ignore[no-untyped-def]
    for m in range(out.size):
        out[m] += factor * value[m]


@operation("numpy", family="average_pool2d")
def average_pool2d_grad(
    g: Array, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding
) -> Array:
    """g (N, OH, OW, C) -> dx (N, H, W, C)."""
    n, *out, c = g.shape
    share = g / constant(g, _counts, input_size, tuple(out), pool_size, strides, padding, g.dtype)
    dx = empty(g, (n, *input_size, c))
    dx[...] = 0
    for _, (oh, ow), (rows, columns) in cells(input_size, tuple(out), pool_size, strides, padding):
        dx[:, rows, columns, :] += share[:, oh, ow, :]
    return dx


@average_pool2d_grad.implementation("naive", default=False)
def _(g: np.ndarray, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    n, *out, c = g.shape
    counts = image_cells(input_size, tuple(out), pool_size, strides, padding)
    dx = empty(g, (n, *input_size, c))
    dx[...] = 0
    _average_pool_grad_loops(
        batch_last(dx), batch_last(g), counts, *pool_size, *strides, padding[0][0], padding[1][0]
    )
    return dx


@serial
def _average_pool_grad_loops(dx, g, counts, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for oh, ow, c, n in np.ndindex(g.shape):
        for kh in range(kh_):
            for kw in range(kw_):
                h, w = oh * sh + kh - top, ow * sw + kw - left
                if 0 <= h < dx.shape[0] and 0 <= w < dx.shape[1]:
                    dx[h, w, c, n] += g[oh, ow, c, n] / counts[oh, ow]


@average_pool2d_grad.implementation("numba")
def _(g: np.ndarray, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    n, *out, c = g.shape
    counts = image_cells(input_size, tuple(out), pool_size, strides, padding)
    dx = empty(g, (n, *input_size, c))
    _average_pool_grad(pixels(dx), pixels(g), counts, *pool_size, *strides, padding[0][0], padding[1][0])
    return dx


@parallel
def _average_pool_grad(dx, g, counts, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    # Each image pixel collects from the windows that cover it, so that no two threads write to one place.
    one = dx.dtype.type(1)
    for pixel in prange(dx.shape[0] * dx.shape[1]):
        h, w = pixel // dx.shape[1], pixel % dx.shape[1]
        first_oh, end_oh = covering(h, g.shape[0], kh_, sh, top)
        first_ow, end_ow = covering(w, g.shape[1], kw_, sw, left)
        clear(dx[h, w])
        for oh in range(first_oh, end_oh):
            for ow in range(first_ow, end_ow):
                _add_scaled(dx[h, w], g[oh, ow], one / dx.dtype.type(counts[oh, ow]))
