"""Gradient descent, with and without momentum, and decoupled weight decay."""

from ..common import Array, operation, parallel, prange, serial
from .sweep import arrays, swept


@operation("numpy", family="optimizers")
def sgd(w: Array, g: Array, *, learning_rate: float) -> None:
    """Gradient descent: w <- w - eta g."""
    w[...] = w - learning_rate * g


@serial
def _sgd(w, g, c):
    learning_rate = c[0]
    for i in range(w.size):
        w[i] -= learning_rate * g[i]


@parallel
def _sgd_sweep(table, shares, c):
    for share in prange(shares.size - 1):
        for row in range(shares[share], shares[share + 1]):
            w, g, _, _, _ = arrays(table[row], c)
            _sgd(w, g, c)


@swept(sgd, _sgd_sweep)
def _(*, learning_rate):
    return (learning_rate,)


@operation("numpy", family="optimizers")
def sgd_momentum(
    w: Array, g: Array, m: Array, *, learning_rate: float, momentum: float, nesterov: bool = False
) -> None:
    """Heavy ball, m <- beta m - eta g; w <- w + m, or with Nesterov's look-ahead w <- w + beta m - eta g (the new m).

    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), equations 1-4.
    """
    m[...] = momentum * m - learning_rate * g
    w[...] = w + momentum * m - learning_rate * g if nesterov else w + m


@serial
def _sgd_momentum(w, g, m, c):
    learning_rate, momentum, nesterov = c[0], c[1], c[2] != 0
    for i in range(w.size):
        step = learning_rate * g[i]
        m[i] = momentum * m[i] - step
        w[i] += momentum * m[i] - step if nesterov else m[i]


@parallel
def _sgd_momentum_sweep(table, shares, c):
    for share in prange(shares.size - 1):
        for row in range(shares[share], shares[share + 1]):
            w, g, m, _, _ = arrays(table[row], c)
            _sgd_momentum(w, g, m, c)


@swept(sgd_momentum, _sgd_momentum_sweep)
def _(*, learning_rate, momentum, nesterov=False):
    return learning_rate, momentum, nesterov


@operation("numpy", family="optimizers")
def decay(w: Array, *, rate: float) -> None:
    """Decoupled weight decay, w <- w - rate w (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019).

    Not w * (1 - rate): in float32 a small rate would lose most of its digits beside the 1.
    """
    w[...] = w - rate * w


@serial
def _decay(w, c):
    rate = c[0]
    for i in range(w.size):
        w[i] -= rate * w[i]


@parallel
def decay_sweep(table, shares, c):
    """`decay` of all variables of a table; c[0] is the rate."""
    for share in prange(shares.size - 1):
        for row in range(shares[share], shares[share + 1]):
            _decay(arrays(table[row], c)[0], c)
