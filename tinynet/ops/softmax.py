"""Softmax: activations.py -> here -> kernels/softmax/normalise.py.

    p_c = exp(x_c) / sum_k exp(x_k);   with upstream g:  dx = p (g - sum_k g_k p_k)
"""

import warnings

from tinynet.autograd import Tensor, primitive
from tinynet.backend.number_format import to_float
from tinynet.kernels import softmax as kernels
from tinynet.ops.arithmetic import multiply, subtract
from tinynet.ops.attach import Value
from tinynet.ops.elementary import exp
from tinynet.ops.reduction import logsumexp, sum
from tinynet.ops.shape import existing


@primitive
def normalised_exponential(x, *, axis):
    """exp(x) / sum(exp(x)) over `axis`."""
    return kernels.softmax(to_float(x), axis=axis)


@normalised_exponential.vjp
def _(grad, y, axis):
    return softmax_grad(grad, y, axis=axis)


@primitive
def softmax_grad(g, s, *, axis):
    """s (g - sum(g s)) for s = softmax(x): symmetric in what it does to g, so its own rule for g is itself."""
    return kernels.softmax_grad(g, s, axis=axis)


@softmax_grad.vjp("g")
def _(grad, s, axis):
    return softmax_grad(grad, s, axis=axis)


@softmax_grad.vjp("s")
def _(grad, g, s, axis):
    through_s = multiply(grad, subtract(g, sum(multiply(g, s), axis, keepdims=True)))
    return subtract(through_s, multiply(g, sum(multiply(grad, s), axis, keepdims=True)))


def softmax(x: Value, axis: int | tuple[int, ...] = -1) -> Value:
    """Positive numbers with sum 1 along `axis` (over several, if it is a tuple), shifted so that nothing overflows.

    The result of a 2-D Tensor along its last axis remembers its logits: cross-entropy then runs both in one kernel.
    """
    if isinstance(axis, list | tuple):
        return exp(log_softmax(x, tuple(axis)))
    axis = existing("softmax", axis, x)
    if x.shape[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis} of shape {tuple(x.shape)}: this axis has size 1, so the result is 1 everywhere, "
            "whatever x is. For one unit use a sigmoid",
            stacklevel=3,
        )
    y = normalised_exponential(x, axis=axis)
    if isinstance(y, Tensor) and y.ndim == 2 and axis in (-1, 1) and isinstance(x, Tensor):
        y._logits = (x, x.version)
    return y


def log_softmax(x: Value, axis: int | tuple[int, ...] = -1) -> Value:
    """x - logsumexp(x) along `axis`: the logarithm of softmax without its rounding."""
    return x - logsumexp(x, axis, keepdims=True)
