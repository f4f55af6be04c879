"""Steps scaled by a running sum or mean of squared gradients: Adagrad, RMSprop and Adadelta."""

import math

from ..common import Array, operation, xp
from .sweep import swept


@operation("numpy", family="optimizers")
def adagrad(w: Array, g: Array, s: Array, *, learning_rate: float, epsilon: float) -> None:
    """s <- s + g^2; w <- w - eta g / sqrt(s + epsilon).

    Duchi et al., "Adaptive subgradient methods" (2011); epsilon stands under the root, as in Keras.
    """
    s[...] = s + g * g
    w[...] = w - learning_rate * g / xp(w).sqrt(s + epsilon)


@swept(adagrad)
def _adagrad(w, g, s, c):
    learning_rate, epsilon = c[0], c[1]
    for i in range(w.size):
        s[i] += g[i] * g[i]
        w[i] -= learning_rate * g[i] / math.sqrt(s[i] + epsilon)


@operation("numpy", family="optimizers")
def rmsprop(
    w: Array, g: Array, v: Array, m: Array | None = None, a: Array | None = None,
    *, learning_rate: float, rho: float, momentum: float, epsilon: float,
) -> None:  # fmt: skip
    """v <- rho v + (1-rho) g^2; u = eta g / sqrt(v + epsilon); w <- w - u.

    Centered (slot a): a <- rho a + (1-rho) g, and v - a^2 + epsilon stands under the root.
    With momentum (slot m):
    m <- beta m + u; w <- w - m. Hinton, "Neural networks for machine learning", lecture 6e (2012); centred
    form: Graves, "Generating sequences with recurrent neural networks" (2013), equations 38-45. Epsilon under
    the root.
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


@swept(rmsprop, lambda learning_rate, rho, momentum, epsilon: (learning_rate, 1 - rho, momentum, epsilon))
def _rmsprop(w, g, v, m, a, c):
    learning_rate, rate, momentum, epsilon = c[0], c[1], c[2], c[3]
    with_momentum, centered = m.size > 0, a.size > 0
    for i in range(w.size):
        v[i] += rate * (g[i] * g[i] - v[i])
        variance = v[i]
        if centered:
            a[i] += rate * (g[i] - a[i])
            variance -= a[i] * a[i]
        u = learning_rate * g[i] / math.sqrt(variance + epsilon)
        if with_momentum:
            m[i] = momentum * m[i] + u
            u = m[i]
        w[i] -= u


@operation("numpy", family="optimizers")
def adadelta(
    w: Array, g: Array, a: Array, d: Array, *, learning_rate: float, rho: float, epsilon: float
) -> None:
    """a <- rho a + (1-rho) g^2; u = g sqrt(d + epsilon) / sqrt(a + epsilon);
    d <- rho d + (1-rho) u^2; w <- w - eta u.

    Zeiler, "ADADELTA: an adaptive learning rate method" (2012), algorithm 1;
    the paper has no eta, which is 1 there.
    """
    a[...] = rho * a + (1 - rho) * g * g
    u = xp(w).sqrt(d + epsilon) * g / xp(w).sqrt(a + epsilon)
    d[...] = rho * d + (1 - rho) * u * u
    w[...] = w - learning_rate * u


@swept(adadelta, lambda learning_rate, rho, epsilon: (learning_rate, 1 - rho, epsilon))
def _adadelta(w, g, a, d, c):
    learning_rate, rate, epsilon = c[0], c[1], c[2]
    for i in range(w.size):
        a[i] += rate * (g[i] * g[i] - a[i])
        u = math.sqrt(d[i] + epsilon) * g[i] / math.sqrt(a[i] + epsilon)
        d[i] += rate * (u * u - d[i])
        w[i] -= learning_rate * u
