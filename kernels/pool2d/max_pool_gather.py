"""The cells that won in max pooling (max_pool.py), read from another image: the adjoint of the gradient.

y[n, oh, ow, c] = the cell of x that `index` names in window (oh, ow); 0 where it lies in the padding
"""

import numpy as np

from ..common import Array, batch_last, empty, operation, parallel, prange, serial, xp
from ..sums import clear
from .max_pool import add_where
from .windows import Padding, Pair, cells, pixels


@operation("numpy", family="max_pool2d")
def max_pool2d_gather(x: Array, index: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """x (N, H, W, C), index (N, OH, OW, C) -> y (N, OH, OW, C), the cells that won:
    the adjoint of max_pool2d_grad.
    """
    xp_ = xp(x)
    n, *out, c = index.shape
    y = empty(x, (n, *out, c))
    y[...] = 0
    for k, (oh, ow), (rows, columns) in cells(x.shape[1:3], tuple(out), pool_size, strides, padding):
        y[:, oh, ow, :] = xp_.where(index[:, oh, ow, :] == k, x[:, rows, columns, :], y[:, oh, ow, :])
    return y


@max_pool2d_gather.implementation("naive", default=False)
def _(x: np.ndarray, index: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    y = empty(x, index.shape)
    _max_pool_gather_loops(
        batch_last(y), batch_last(x), batch_last(index), pool_size[1], *strides, padding[0][0], padding[1][0]
    )
    return y


@serial
def _max_pool_gather_loops(y, x, index, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for oh, ow, c, n in np.ndindex(y.shape):
        kh, kw = index[oh, ow, c, n] // kw_, index[oh, ow, c, n] % kw_
        h, w = oh * sh + kh - top, ow * sw + kw - left
        y[oh, ow, c, n] = x[h, w, c, n] if 0 <= h < x.shape[0] and 0 <= w < x.shape[1] else 0


@max_pool2d_gather.implementation("numba")
def _(x: np.ndarray, index: np.ndarray, *, pool_size: Pair, strides: Pair, padding: Padding) -> np.ndarray:
    y = empty(x, index.shape)
    _max_pool_gather(pixels(y), pixels(x), pixels(index), *pool_size, *strides, padding[0][0], padding[1][0])
    return y


@parallel
def _max_pool_gather(y, x, index, kh_, kw_, sh, sw, top, left):  # type: ignore[no-untyped-def]
    for pixel in prange(y.shape[0] * y.shape[1]):
        oh, ow = pixel // y.shape[1], pixel % y.shape[1]
        clear(y[oh, ow])
        for kh in range(kh_):
            for kw in range(kw_):
                h, w = oh * sh + kh - top, ow * sw + kw - left
                if 0 <= h < x.shape[0] and 0 <= w < x.shape[1]:
                    add_where(y[oh, ow], x[h, w], index[oh, ow], index.dtype.type(kh * kw_ + kw))
