"""Max pooling.

    y[n, oh, ow, c] = max over the image cells (h, w) of window (oh, ow) of x[n, h, w, c]
    index = kh KW + kw of that cell, counted from the window's corner: the first of several equal maxima

Padding counts as -inf and never wins, not even against an image of -inf. A NaN wins over every number. The
gradient goes to the winning cell alone; cells that win in several (overlapping) windows add their gradients
up.
"""

import numpy as np

from ..common import Array, batch_last, empty, operation, parallel, prange, serial, xp
from ..sums import clear
from .windows import Padding, Pair, cells, covering, output_size, pixels


def index_dtype(pool_size: Pair) -> str:
    """The smallest unsigned type that numbers the window's cells, or int32."""
    return "uint8" if pool_size[0] * pool_size[1] <= 255 else "int32"


@operation("numpy", family="max_pool2d")
def max_pool2d(x: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> tuple[Array, Array]:
    """x (N, H, W, C) -> (y (N, OH, OW, C), index (N, OH, OW, C) uint8,
    or int32 where a window has over 255 cells).
    """
    xp_ = xp(x)
    n, h, w, c = x.shape
    out = output_size((h, w), pool_size, strides, padding)
    y = empty(x, (n, *out, c))
    index = empty(x, (n, *out, c), index_dtype(pool_size))
    seen = xp_.zeros((*out, 1), bool)  # windows that have met an image cell already
    for k, (oh, ow), (rows, columns) in cells((h, w), out, pool_size, strides, padding):
        value, best = x[:, rows, columns, :], y[:, oh, ow, :]
        # "not (value <= best)" is true for a larger number and for a NaN,
        # "best == best" unless it is one already.
        better = ~seen[oh, ow] | (~(value <= best) & (best == best))
        y[:, oh, ow, :] = xp_.where(better, value, best)
        index[:, oh, ow, :] = xp_.where(better, xp_.full_like(index[:, oh, ow, :], k), index[:, oh, ow, :])
        seen[oh, ow] = True
    return y, index


@max_pool2d.implementation("naive", default=False)
def _(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> tuple[np.ndarray, np.ndarray]:
    n, h, w, c = x.shape
    out = output_size((h, w), pool_size, strides, padding)
    y, index = empty(x, (n, *out, c)), empty(x, (n, *out, c), index_dtype(pool_size))
    _max_pool_loops(
        batch_last(y), batch_last(index), batch_last(x), *pool_size, *strides, padding[0][0], padding[1][0]
    )
    return y, index


@serial
def _max_pool_loops(y, index, x, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for oh, ow, c, n in np.ndindex(y.shape):
        found = False
        for kh in range(kh_):
            for kw in range(kw_):
                h, w = oh * sh + kh - top, ow * sw + kw - left
                if 0 <= h < x.shape[0] and 0 <= w < x.shape[1]:
                    value, best = x[h, w, c, n], y[oh, ow, c, n]
                    if not found or value > best or (np.isnan(value) and not np.isnan(best)):
                        y[oh, ow, c, n], index[oh, ow, c, n], found = value, kh * kw_ + kw, True


@max_pool2d.implementation("numba")
def _(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> tuple[np.ndarray, np.ndarray]:
    n, h, w, c = x.shape
    out = output_size((h, w), pool_size, strides, padding)
    y, index = empty(x, (n, *out, c)), empty(x, (n, *out, c), index_dtype(pool_size))
    _max_pool(pixels(y), pixels(index), pixels(x), *pool_size, *strides, padding[0][0], padding[1][0])
    return y, index


@parallel
def _max_pool(y, index, x, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for pixel in prange(y.shape[0] * y.shape[1]):
        oh, ow = pixel // y.shape[1], pixel % y.shape[1]
        h0, h1 = max(0, oh * sh - top), min(x.shape[0], oh * sh - top + kh_)
        w0, w1 = max(0, ow * sw - left), min(x.shape[1], ow * sw - left + kw_)
        corner = (oh * sh - top) * kw_ + ow * sw - left
        h, w = h0, w0
        # The window's cells inside the image, four at a time; the last one again where four are too many.
        for i in range(0, (h1 - h0) * (w1 - w0), 4):
            ha, wa = h, w
            hb, wb = _next(ha, wa, h1, w0, w1)
            hc, wc = _next(hb, wb, h1, w0, w1)
            hd, wd = _next(hc, wc, h1, w0, w1)
            h, w = _next(hd, wd, h1, w0, w1)
            number = index.dtype.type
            ka, kb = number(ha * kw_ + wa - corner), number(hb * kw_ + wb - corner)
            kc, kd = number(hc * kw_ + wc - corner), number(hd * kw_ + wd - corner)
            a, b, c, d = x[ha, wa], x[hb, wb], x[hc, wc], x[hd, wd]
            if i == 0:
                _largest_of_four(y[oh, ow], index[oh, ow], a, b, c, d, ka, kb, kc, kd)
            else:
                _largest_of_five(y[oh, ow], index[oh, ow], a, b, c, d, ka, kb, kc, kd)


@serial
def _next(h, w, end_h, first_w, end_w):  # type: ignore[no-untyped-def]
    """The cell after (h, w) in reading order; the last one is its own successor."""
    if w + 1 < end_w:
        return h, w + 1
    return (h + 1, first_w) if h + 1 < end_h else (h, w)


@serial
def _largest_of_four(y, index, a, b, c, d, ka, kb, kc, kd):  # type: ignore[no-untyped-def]
    for m in range(y.size):
        best, k = _better(a[m], ka, b[m], kb)
        best, k = _better(best, k, c[m], kc)
        y[m], index[m] = _better(best, k, d[m], kd)


@serial
def _largest_of_five(y, index, a, b, c, d, ka, kb, kc, kd):  # type: ignore[no-untyped-def]
    """The same with what y and index hold already."""
    for m in range(y.size):
        best, k = _better(y[m], index[m], a[m], ka)
        best, k = _better(best, k, b[m], kb)
        best, k = _better(best, k, c[m], kc)
        y[m], index[m] = _better(best, k, d[m], kd)


@serial
def _better(best, k, value, candidate):  # type: ignore[no-untyped-def]
    """The larger number and its k; the first of equals, and a NaN before any number."""
    replaces = (not value <= best) and best == best
    return (value if replaces else best), (candidate if replaces else k)


@operation("numpy", family="max_pool2d")
def max_pool2d_grad(
    g: Array, index: Array, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding
) -> Array:
    """g and index (N, OH, OW, C) -> dx (N, H, W, C): each g added to the cell that won."""
    xp_ = xp(g)
    n, *out, c = g.shape
    dx = empty(g, (n, *input_size, c))
    dx[...] = 0
    for k, (oh, ow), (rows, columns) in cells(input_size, tuple(out), pool_size, strides, padding):
        hit = index[:, oh, ow, :] == k
        dx[:, rows, columns, :] += xp_.where(hit, g[:, oh, ow, :], xp_.zeros_like(g[:, oh, ow, :]))
    return dx


@max_pool2d_grad.implementation("naive", default=False)
def _(
    g: np.ndarray, index: np.ndarray, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding
) -> np.ndarray:
    dx = empty(g, (g.shape[0], *input_size, g.shape[3]))
    dx[...] = 0
    _max_pool_grad_loops(
        batch_last(dx), batch_last(g), batch_last(index), pool_size[1], *strides, padding[0][0], padding[1][0]
    )
    return dx


@serial
def _max_pool_grad_loops(dx, g, index, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for oh, ow, c, n in np.ndindex(g.shape):
        kh, kw = index[oh, ow, c, n] // kw_, index[oh, ow, c, n] % kw_
        h, w = oh * sh + kh - top, ow * sw + kw - left
        if 0 <= h < dx.shape[0] and 0 <= w < dx.shape[1]:
            dx[h, w, c, n] += g[oh, ow, c, n]


@max_pool2d_grad.implementation("numba")
def _(
    g: np.ndarray, index: np.ndarray, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding
) -> np.ndarray:
    dx = empty(g, (g.shape[0], *input_size, g.shape[3]))
    _max_pool_grad(pixels(dx), pixels(g), pixels(index), *pool_size, *strides, padding[0][0], padding[1][0])
    return dx


@parallel
def _max_pool_grad(dx, g, index, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    # Each image pixel collects from the windows that cover it, so that no two threads write to one place.
    for pixel in prange(dx.shape[0] * dx.shape[1]):
        h, w = pixel // dx.shape[1], pixel % dx.shape[1]
        first_oh, end_oh = covering(h, g.shape[0], kh_, sh, top)
        first_ow, end_ow = covering(w, g.shape[1], kw_, sw, left)
        written = False
        for oh in range(first_oh, end_oh):
            for ow in range(first_ow, end_ow):
                k = index.dtype.type((h - oh * sh + top) * kw_ + (w - ow * sw + left))
                if written:
                    add_where(dx[h, w], g[oh, ow], index[oh, ow], k)
                else:
                    _select_where(dx[h, w], g[oh, ow], index[oh, ow], k)
                    written = True
        if not written:
            clear(dx[h, w])


@serial
def _select_where(out, value, winner, k):  # type: ignore[no-untyped-def]
    zero = out.dtype.type(0)
    for m in range(out.size):
        out[m] = value[m] if winner[m] == k else zero


@serial
def add_where(out, value, winner, k):  # type: ignore[no-untyped-def]
    zero = out.dtype.type(0)
    for m in range(out.size):
        out[m] += value[m] if winner[m] == k else zero
