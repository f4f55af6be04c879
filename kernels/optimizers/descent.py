"""Gradient descent, with and without momentum, and decoupled weight decay."""

from ..common import Array, operation, parallel, prange, serial
from .sweep import BLOCK, sweep


@operation("numpy", family="optimizers")
def sgd(w: Array, g: Array, *, learning_rate: float) -> None:
    """Gradient descent: w <- w - eta g."""
    w[...] = w - learning_rate * g


@serial
def _sgd(w, g, learning_rate):
    for i in range(w.size):
        w[i] -= learning_rate * g[i]


@parallel
def _sgd_blocks(w, g, learning_rate):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        _sgd(w[part], g[part], learning_rate)


@sgd.implementation("numba")
def _(w, g, *, learning_rate):
    sweep(_sgd, _sgd_blocks, (w, g), (learning_rate,))


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
def _sgd_momentum(w, g, m, learning_rate, momentum, nesterov):
    for i in range(w.size):
        step = learning_rate * g[i]
        m[i] = momentum * m[i] - step
        w[i] += momentum * m[i] - step if nesterov else m[i]


@parallel
def _sgd_momentum_blocks(w, g, m, learning_rate, momentum, nesterov):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        _sgd_momentum(w[part], g[part], m[part], learning_rate, momentum, nesterov)


@sgd_momentum.implementation("numba")
def _(w, g, m, *, learning_rate, momentum, nesterov=False):
    sweep(_sgd_momentum, _sgd_momentum_blocks, (w, g, m), (learning_rate, momentum, bool(nesterov)))


@operation("numpy", family="optimizers")
def decay(w: Array, *, rate: float) -> None:
    """Decoupled weight decay, w <- w - rate w (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019).

    Not w * (1 - rate): in float32 a small rate would lose most of its digits beside the 1.
    """
    w[...] = w - rate * w
