"""Categorical cross-entropy of probabilities, and of softmax outputs in one step with the softmax.

Of probabilities p, renormalised and clipped as Keras does (epsilon is 1e-7 unless another one is given):

    q = p / sum p,   r = clip(q, epsilon, 1 - epsilon),   loss = - sum_c t_c log r_c
    dq = -t / q where q was not clipped, else 0,          dp = (dq - sum_k dq_k q_k) / sum p

`softmax_crossentropy` starts from the logits z. With clip=True it is exactly softmax followed by the formulas
above; with clip=False the log-softmax form, loss = -sum_c t_c (z_c - logsumexp z), whose gradient is p sum_c
t_c - t.

Targets t are probabilities or one-hot rows (N, C), or integer labels (N,); a label outside 0 .. C-1 stands
for a row of zeros (loss 0, no gradient).
"""

import math

import numpy as np

from ..common import Array, aligned, batch_last, contiguous, empty, operation, parallel, prange, serial, xp
from ..elementwise import cast
from .normalise import BLOCK, nothing, softmax, softmax_block, softmax_grad

EPSILON = 1e-7


def _rows(t: Array, p: Array) -> Array:
    """Targets as rows (N, C) of p's dtype: integer labels (N,) become one-hot."""
    if t.ndim == p.ndim:
        return t.astype(p.dtype)
    return (t[:, None] == xp(p).arange(p.shape[1])).astype(p.dtype)


@operation("numpy", family="softmax")
def crossentropy(p: Array, t: Array, *, epsilon: float = EPSILON) -> Array:
    """Probabilities p (N, C), targets t (N, C) or labels (N,) -> loss (N,)."""
    xp_ = xp(p)
    q = p / xp_.sum(p, axis=1, keepdims=True)
    return -xp_.sum(_rows(t, p) * xp_.log(xp_.clip(q, epsilon, 1.0 - epsilon)), axis=1)


@crossentropy.implementation("numba")
def _(p: np.ndarray, t: np.ndarray, *, epsilon: float = EPSILON) -> np.ndarray:
    loss = aligned(p.shape[:1], p.dtype)
    _loss(loss, batch_last(p), _compilable(t, p), *bounds(p, epsilon), nothing(p.shape[1], p.dtype))
    return loss


@parallel
def _loss(loss, p, t, low, high, zero):  # type: ignore[no-untyped-def]
    for n in prange(p.shape[1]):
        loss[n] = _clipped_loss(p, n, t, low, high, zero)


@operation("numpy", family="softmax")
def crossentropy_grad(g: Array, p: Array, t: Array, *, epsilon: float = EPSILON) -> Array:
    """g (N,), probabilities p (N, C), targets t -> dp (N, C), zero where the clip is active."""
    xp_ = xp(p)
    total = xp_.sum(p, axis=1, keepdims=True)
    q = p / total
    r = xp_.clip(q, epsilon, 1.0 - epsilon)
    dq = xp_.where(q == r, -g[:, None] * _rows(t, p) / r, xp_.zeros_like(p))
    return (dq - xp_.sum(dq * q, axis=1, keepdims=True)) / total


@crossentropy_grad.implementation("numba")
def _(g: np.ndarray, p: np.ndarray, t: np.ndarray, *, epsilon: float = EPSILON) -> np.ndarray:
    dp = empty(p, p.shape)
    zero = nothing(p.shape[1], p.dtype)
    _loss_grad(batch_last(dp), contiguous(g), batch_last(p), _compilable(t, p), *bounds(p, epsilon), zero)
    return dp


@parallel
def _loss_grad(dp, g, p, t, low, high, zero):  # type: ignore[no-untyped-def]
    """dp_c = g (sum_k w_k - w_c / q_c) / sum p, w = t where q was not clipped, else 0."""
    for n in prange(p.shape[1]):
        total, weight = _column_sum(p, n, zero), 0.0
        for c in range(p.shape[0]):
            if low <= p[c, n] / total <= high:
                weight += _target(t, n, c)
        for c in range(p.shape[0]):
            q = p[c, n] / total
            dp[c, n] = g[n] * (weight - (_target(t, n, c) / q if low <= q <= high else 0.0)) / total


@operation("numpy", family="softmax")
def softmax_crossentropy(z: Array, t: Array, *, clip: bool, epsilon: float = EPSILON) -> tuple[Array, Array]:
    """Logits z (N, C), targets t (N, C) or labels (N,) -> (loss (N,), p = softmax(z) (N, C))."""
    xp_ = xp(z)
    p = softmax["numpy"](z)
    if clip:
        return crossentropy["numpy"](p, t, epsilon=epsilon), p
    shifted = z - xp_.max(z, axis=1, keepdims=True)
    log_p = shifted - xp_.log(xp_.sum(xp_.exp(shifted), axis=1, keepdims=True))
    rows = _rows(t, p)
    return -xp_.sum(rows * xp_.where(rows != 0, log_p, xp_.zeros_like(p)), axis=1), p


@softmax_crossentropy.implementation("numba")
def _(z: np.ndarray, t: np.ndarray, *, clip: bool, epsilon: float = EPSILON) -> tuple[np.ndarray, np.ndarray]:
    p, loss = empty(z, z.shape), aligned(z.shape[:1], z.dtype)
    zero = nothing(p.shape[1], p.dtype)
    _softmax_loss(
        loss, batch_last(p)[None], batch_last(z)[None], _compilable(t, p), *bounds(p, epsilon), clip, zero
    )
    return loss, p


@parallel
def _softmax_loss(loss, p, z, t, low, high, clip, zero):  # type: ignore[no-untyped-def]
    samples = z.shape[2]  # of z (1, C, N)
    for task in prange((samples + BLOCK - 1) // BLOCK):
        first, end = task * BLOCK, min((task + 1) * BLOCK, samples)
        softmax_block(p, z, 0, first, zero)
        for n in range(first, end):
            loss[n] = _clipped_loss(p[0], n, t, low, high, zero) if clip else _logit_loss(p[0], z[0], n, t)


def bounds(p: np.ndarray, epsilon: float) -> tuple[np.generic, np.generic]:
    """Of the clip, in p's number format."""
    return p.dtype.type(epsilon), p.dtype.type(1.0 - epsilon)


def _compilable(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The targets in one of the three forms the loops are compiled for:
    int64 labels, rows or columns of p's dtype.
    """
    if t.ndim == 1:
        return contiguous(t, np.int64)
    rows = cast(t, p.dtype)
    return rows if rows.flags.c_contiguous or rows.flags.f_contiguous else contiguous(rows)


@serial
def _target(t, n, c):  # type: ignore[no-untyped-def]
    if t.ndim == 1:
        return 1.0 if t[n] == c else 0.0
    return t[n, c]


@serial
def _column_sum(p, n, total):  # type: ignore[no-untyped-def]
    """total + the sum of p[:, n]."""
    for c in range(p.shape[0]):
        total += p[c, n]
    return total


@serial
def _clipped_loss(p, n, t, low, high, zero):  # type: ignore[no-untyped-def]
    total, loss = _column_sum(p, n, zero), 0.0
    for c in range(p.shape[0]):
        target = _target(t, n, c)
        if target != 0:
            loss -= target * math.log(min(max(p[c, n] / total, low), high))
    return loss


@serial
def _logit_loss(p, z, n, t):  # type: ignore[no-untyped-def]
    k, loss = 0, 0.0
    for c in range(1, z.shape[0]):
        k = c if z[c, n] > z[k, n] else k
    # p_k is at least 1 / C: its logarithm loses nothing
    largest, log_p = np.float64(z[k, n]), math.log(p[k, n])
    for c in range(p.shape[0]):
        target = _target(t, n, c)
        if target != 0:
            loss -= target * (z[c, n] - largest + log_p)
    return loss


@operation("numpy", family="softmax")
def softmax_crossentropy_grad(g: Array, p: Array, t: Array, *, clip: bool, epsilon: float = EPSILON) -> Array:
    """g (N,), p = softmax(z) (N, C), targets t -> dz (N, C)."""
    if clip:
        return softmax_grad["numpy"](crossentropy_grad["numpy"](g, p, t, epsilon=epsilon), p)
    rows = _rows(t, p)
    return g[:, None] * (p * xp(p).sum(rows, axis=1, keepdims=True) - rows)


@softmax_crossentropy_grad.implementation("numba")
def _(g: np.ndarray, p: np.ndarray, t: np.ndarray, *, clip: bool, epsilon: float = EPSILON) -> np.ndarray:
    dz = empty(p, p.shape)
    low, high = (epsilon, 1.0 - epsilon) if clip else (-np.inf, np.inf)
    _crossentropy_grad(
        batch_last(dz),
        contiguous(g),
        batch_last(p),
        _compilable(t, p),
        p.dtype.type(low),
        p.dtype.type(high),
        clip,
        nothing(p.shape[1], p.dtype),
    )
    return dz


@parallel
def _crossentropy_grad(dz, g, p, t, low, high, renormalise, zero):  # type: ignore[no-untyped-def]
    """dz_c = g (q_c sum_k w_k - w_c), w = t where q was not clipped, else 0:
    what the two derivatives come to.
    """
    for n in prange(p.shape[1]):
        total = _column_sum(p, n, zero) if renormalise else zero + p.dtype.type(1)
        weight = 0.0
        for c in range(p.shape[0]):
            if low <= p[c, n] / total <= high:
                weight += _target(t, n, c)
        for c in range(p.shape[0]):
            q = p[c, n] / total
            dz[c, n] = g[n] * (q * weight - (_target(t, n, c) if low <= q <= high else 0.0))
