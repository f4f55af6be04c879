"""Batch normalisation with what goes along with it in training, in one pass: moving statistics that
follow, and the dropout behind it. layers/batch_normalization.py -> here -> kernels/batch_norm_dropout.py.

    y = dropout(batch_norm(x)),   with the bits of the two, one after the other

The formulas are those of batch_norms.py and dropout_mask.py; so are the derivatives, by the chain rule.
"""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.autograd.tensor import as_raw
from tinynet.backend import device
from tinynet.kernels import batch_norm_dropout as kernels
from tinynet.ops.batch_norms import NONE_MOVES, normalise, normalise_grad, with_moments
from tinynet.ops.derived import derived_from
from tinynet.ops.dropout_mask import dropout_grad
from tinynet.ops.methods import Value


@array_primitive
def normalise_and_drop(x, gamma, beta, words, *, epsilon, rate, moving):
    """x (N, ..., C), gamma and beta (C,), words (3,) uint32 -> (y as x, mean (C,), var (C,), bits).

    moving as in `normalise`.
    """
    *statistics, momentum = moving or NONE_MOVES
    settings = {"epsilon": epsilon, "rate": rate, "momentum": momentum}
    return kernels.batch_norm_dropout(x, gamma, beta, words, *statistics, **settings)


@normalise_and_drop.joint_vjp
def _(grad, x, gamma, y, needs, epsilon, rate):
    (dy, dmean, dvar, _), (_, mean, var, bits) = grad, y
    own = (None, None, None)
    if dy is not None:
        own = normalise_and_drop_grad(dy, bits, x, gamma, mean, var, epsilon=epsilon, rate=rate)
    return (*with_moments(own, dmean, dvar, x, mean, needs), None)


@array_primitive
def normalise_and_drop_grad(g, bits, x, gamma, mean, var, *, epsilon, rate):
    """Gradients (dx, dgamma, dbeta) of y, in one pass; mean and var count as functions of x."""
    return kernels.batch_norm_dropout_grad(g, bits, x, gamma, mean, var, epsilon=epsilon, rate=rate)


@derived_from(normalise_and_drop_grad)
def _(g, bits, x, gamma, mean, var, *, epsilon, rate):
    through_dropout = dropout_grad(g, bits, rate=rate, noise_shape=None)
    return normalise_grad(through_dropout, x, gamma, mean, var, epsilon=epsilon)


def batch_norm_in_training(
    x: Value, gamma: Value, beta: Value, *, epsilon: float, moving: tuple[Any, Any, float],
    rate: float = 0.0, words: Any = None,
) -> Value:  # fmt: skip
    """Normalises x (N, ..., C) with the statistics of the batch, which the moving ones then follow -> y as x.

    moving   (mean (C,), var (C,), momentum), arrays that are changed in place
    words    (3,) uint32, where y is dropped with probability `rate`; None: y as it is

    The settings are those of `batch_norm` and `dropout`, which check them.
    """
    if words is None:
        return normalise(x, gamma, beta, epsilon=epsilon, moving=moving)[0]
    words = device.words_beside(words, as_raw(x))
    return normalise_and_drop(x, gamma, beta, words, epsilon=epsilon, rate=rate, moving=moving)[0]
