"""Steps scaled by a running sum or mean of squared gradients: Adagrad and RMSprop."""

import math

from ..common import Array, operation, parallel, prange, serial, xp
from .sweep import BLOCK, sweep


@operation("numpy", family="optimizers")
def adagrad(w: Array, g: Array, s: Array, *, learning_rate: float, epsilon: float) -> None:
    """s <- s + g^2; w <- w - eta g / sqrt(s + epsilon).

    Duchi et al., "Adaptive subgradient methods" (2011); epsilon stands under the root, as in Keras.
    """
    s[...] = s + g * g
    w[...] = w - learning_rate * g / xp(w).sqrt(s + epsilon)


@serial
def _adagrad(w, g, s, learning_rate, epsilon):
    for i in range(w.size):
        s[i] += g[i] * g[i]
        w[i] -= learning_rate * g[i] / math.sqrt(s[i] + epsilon)


@parallel
def _adagrad_blocks(w, g, s, learning_rate, epsilon):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        _adagrad(w[part], g[part], s[part], learning_rate, epsilon)


@adagrad.implementation("numba")
def _(w, g, s, *, learning_rate, epsilon):
    sweep(_adagrad, _adagrad_blocks, (w, g, s), (learning_rate, epsilon))


@operation("numpy", family="optimizers")
def rmsprop(
    w: Array, g: Array, v: Array, m: Array | None = None, a: Array | None = None,
    *, learning_rate: float, rho: float, momentum: float, epsilon: float,
) -> None:  # fmt: skip
    """v <- rho v + (1-rho) g^2; u = eta g / sqrt(v + epsilon); w <- w - u.

    Centered (slot a): a <- rho a + (1-rho) g, and v - a^2 + epsilon stands under the root. With momentum (slot m):
    m <- beta m + u; w <- w - m. Hinton, "Neural networks for machine learning", lecture 6e (2012); centred form:
    Graves, "Generating sequences with recurrent neural networks" (2013), equations 38-45. Epsilon under the root.
    """
    v[...] = rho * v + (1 - rho) * g * g
    variance = v
    if a is not None:
        a[...] = rho * a + (1 - rho) * g
        variance = v - a * a
    u = learning_rate * g / xp(w).sqrt(variance + epsilon)
    if m is not None:
        m[...] = momentum * m + u
        u = m
    w[...] = w - u


@serial
def _rmsprop(w, g, v, m, a, learning_rate, rate, momentum, epsilon):
    # The slots that are None have a type of their own, so the compiler drops their branches.
    for i in range(w.size):
        v[i] += rate * (g[i] * g[i] - v[i])
        variance = v[i]
        if a is not None:
            a[i] += rate * (g[i] - a[i])
            variance -= a[i] * a[i]
        u = learning_rate * g[i] / math.sqrt(variance + epsilon)
        if m is not None:
            m[i] = momentum * m[i] + u
            u = m[i]
        w[i] -= u


@parallel
def _rmsprop_blocks(w, g, v, m, a, learning_rate, rate, momentum, epsilon):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        m_part = None if m is None else m[part]
        a_part = None if a is None else a[part]
        _rmsprop(w[part], g[part], v[part], m_part, a_part, learning_rate, rate, momentum, epsilon)


@rmsprop.implementation("numba")
def _(w, g, v, m=None, a=None, *, learning_rate, rho, momentum, epsilon):
    sweep(_rmsprop, _rmsprop_blocks, (w, g, v, m, a), (learning_rate, 1 - rho, momentum, epsilon))
