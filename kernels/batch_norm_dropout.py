"""Batch normalisation and the dropout behind it, which many nets have side by side, as one operation.

    y = dropout(batch_norm(x)),   with the masks, the moments and all bits of the two

On a GPU the joined kernels (batch_norm.cu) take two launches in place of three each way, and eight passes
over memory in place of twelve: what one writes and the other reads again is left out. On a CPU one follows
the other: there dropout draws for longer than it reads what was just written and lies in a cache.
"""

from .batch_norm import batch_norm, batch_norm_grad
from .common import Array, operation
from .dropout import dropout, dropout_grad


@operation("numpy", family="batch_norm")
def batch_norm_dropout(
    x: Array, gamma: Array, beta: Array, words: Array, moving_mean: Array | None = None,
    moving_var: Array | None = None, *, epsilon: float, rate: float, momentum: float = 0.99,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """x (N, ..., C), gamma and beta (C,), words (3,) uint32 -> (y as x, mean (C,), var (C,), bits).

    bits as `dropout` returns them; moving statistics (C,) follow in place, if they are given.
    """
    moving = moving_mean, moving_var
    normalised, mean, var = batch_norm(x, gamma, beta, *moving, epsilon=epsilon, momentum=momentum)
    y, bits = dropout(normalised, words, rate=rate)
    return y, mean, var, bits


@operation("numpy", family="batch_norm")
def batch_norm_dropout_grad(
    g: Array, bits: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float, rate: float
) -> tuple[Array, Array, Array]:
    """g and x (N, ..., C), bits as they were returned, the rest (C,)
    -> (dx as x, dgamma (C,), dbeta (C,)).
    """
    through_dropout = dropout_grad(g, bits, rate=rate)
    return batch_norm_grad(through_dropout, x, gamma, mean, var, epsilon=epsilon)
