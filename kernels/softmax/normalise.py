"""Softmax along any axis, and its derivative.

    p_c = exp(z_c - max z) / sum_k exp(z_k - max z)               the maximum is each sample's own
    dz = p (g - sum_k g_k p_k)

With cross_entropy.py, which joins it to the loss, it is one family: kernels.use("softmax", name).
"""

import math

import numpy as np

from ..common import Array, batch_last, empty, operation, parallel, prange, serial, xp
from ..exponential import exp
from ..reduce import in_double

BLOCK = 128  # samples a thread takes at a time
MANY = 256  # classes from which on sums over them run in double precision


@operation("numpy", family="softmax")
def softmax(x: Array, *, axis: int = -1) -> Array:
    """x (N, ...) -> p as x, positive with sum 1 along `axis`."""
    xp_ = xp(x)
    if not x.size:
        return xp_.zeros_like(x)
    e = xp_.exp(x - xp_.max(x, axis=axis, keepdims=True))
    return e / in_double(e, axis, keepdims=True)


@softmax.implementation("numba")
def _(x: np.ndarray, *, axis: int = -1) -> np.ndarray:
    axis = axis % x.ndim
    if axis == 0:  # classes along the batch are not what the compiled loops are made for
        return softmax["numpy"](x, axis=axis)
    y = empty(x, x.shape)
    _softmax(classes_of(y, axis), classes_of(x, axis), nothing(x.shape[axis], x.dtype))
    return y


def nothing(classes: int, dtype: np.dtype) -> np.generic:
    """The 0 that a sum over so many classes starts from: its number format is that of the sum."""
    return np.float64(0) if classes > MANY else dtype.type(0)


def classes_of(x: np.ndarray, axis: int) -> np.ndarray:
    """View (P, classes, M) in batch-last memory: every class a row of M numbers,
    one per sample and later axis.
    """
    rotated = batch_last(x)
    before, after = rotated.shape[: axis - 1], rotated.shape[axis:]
    return rotated.reshape(math.prod(before), x.shape[axis], math.prod(after))


@parallel
def _softmax(y, z, zero):  # type: ignore[no-untyped-def]
    blocks = (z.shape[2] + BLOCK - 1) // BLOCK
    for task in prange(z.shape[0] * blocks):
        softmax_block(y, z, task // blocks, task % blocks * BLOCK, zero)


@serial
def softmax_block(y, z, p, m, zero):  # type: ignore[no-untyped-def]
    """y[p] = softmax of z[p] over the classes, for up to BLOCK samples from m on."""
    largest = z[p, 0, m : m + BLOCK].copy()
    for c in range(1, z.shape[1]):
        _maximum(largest, z[p, c, m : m + BLOCK])
    total = np.full(largest.size, zero)
    for c in range(z.shape[1]):
        _exponentials(y[p, c, m : m + BLOCK], total, z[p, c, m : m + BLOCK], largest)
    for c in range(z.shape[1]):
        _divide(y[p, c, m : m + BLOCK], total)


@serial
def _maximum(largest, z):  # type: ignore[no-untyped-def]
    for m in range(z.size):
        largest[m] = max(largest[m], z[m])


@serial
def _exponentials(y, total, z, largest):  # type: ignore[no-untyped-def]
    for m in range(z.size):
        y[m] = exp(z[m] - largest[m])
        total[m] += y[m]


@serial
def _divide(y, total):  # type: ignore[no-untyped-def]
    for m in range(y.size):
        y[m] /= total[m]


@operation("numpy", family="softmax")
def softmax_grad(g: Array, y: Array, *, axis: int = -1) -> Array:
    """g and y = softmax(x) (N, ...) -> dx as y."""
    return y * (g - in_double(g * y, axis, keepdims=True))


@softmax_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray, *, axis: int = -1) -> np.ndarray:
    axis = axis % y.ndim
    if axis == 0:
        return softmax_grad["numpy"](g, y, axis=axis)
    dx = empty(g, g.shape)
    _softmax_grad(
        classes_of(dx, axis), classes_of(g, axis), classes_of(y, axis), nothing(y.shape[axis], y.dtype)
    )
    return dx


@parallel
def _softmax_grad(dx, g, y, zero):  # type: ignore[no-untyped-def]
    blocks = (y.shape[2] + BLOCK - 1) // BLOCK
    for task in prange(y.shape[0] * blocks):
        p, m = task // blocks, task % blocks * BLOCK
        inner = np.full(min(BLOCK, y.shape[2] - m), zero)
        for c in range(y.shape[1]):
            _add_product(inner, g[p, c, m : m + BLOCK], y[p, c, m : m + BLOCK])
        for c in range(y.shape[1]):
            _project(dx[p, c, m : m + BLOCK], g[p, c, m : m + BLOCK], y[p, c, m : m + BLOCK], inner)


@serial
def _add_product(inner, g, y):  # type: ignore[no-untyped-def]
    for m in range(inner.size):
        inner[m] += g[m] * y[m]


@serial
def _project(dx, g, y, inner):  # type: ignore[no-untyped-def]
    for m in range(inner.size):
        dx[m] = y[m] * (g[m] - inner[m])
