"""Gradient descent, with and without momentum, and decoupled weight decay."""

from ..common import Array, operation, serial
from .sweep import sweep_of, swept


@operation("numpy", family="optimizers")
def sgd(w: Array, g: Array, *, learning_rate: float) -> None:
    """Gradient descent: w <- w - eta g."""
    w[...] = w - learning_rate * g


@swept(sgd)
def _sgd(w, g, c):
    learning_rate = c[0]
    for i in range(w.size):
        w[i] -= learning_rate * g[i]


@operation("numpy", family="optimizers")
def sgd_momentum(
    w: Array, g: Array, m: Array, *, learning_rate: float, momentum: float, nesterov: bool = False
) -> None:
    """Heavy ball, m <- beta m - eta g; w <- w + m, or with Nesterov's
    look-ahead w <- w + beta m - eta g (the new m).

    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013),
    equations 1-4.
    """
    m[...] = momentum * m - learning_rate * g
    w[...] = w + momentum * m - learning_rate * g if nesterov else w + m


@swept(sgd_momentum)
def _sgd_momentum(w, g, m, c):
    learning_rate, momentum, nesterov = c[0], c[1], c[2] != 0
    for i in range(w.size):
        step = learning_rate * g[i]
        m[i] = momentum * m[i] - step
        w[i] += momentum * m[i] - step if nesterov else m[i]


@operation("numpy", family="optimizers")
def decay(w: Array, *, rate: float) -> None:
    """Decoupled weight decay, w <- w - rate w (Loshchilov & Hutter,
    "Decoupled weight decay regularization", 2019).

    Not w * (1 - rate): in float32 a small rate would lose most of its digits beside the 1.
    """
    w[...] = w - rate * w


@serial
def _decay(w, c):
    rate = c[0]
    for i in range(w.size):
        w[i] -= rate * w[i]


decay_sweep = sweep_of(_decay)  # c = (rate,)
