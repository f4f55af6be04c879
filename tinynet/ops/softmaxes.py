"""Softmax: activations.py -> here -> kernels/softmax/normalise.py.

p_c = exp(x_c) / sum_k exp(x_k);   with upstream g:  dx = p (g - sum_k g_k p_k)
"""

import math

import numpy as np

from tinynet.autograd import Tensor, array_primitive
from tinynet.backend import tracebacks
from tinynet.backend.number_format import as_array, to_float
from tinynet.kernels import elementwise
from tinynet.kernels import softmax as kernels
from tinynet.kernels.common import launch, xp
from tinynet.kernels.reduce import in_double
from tinynet.ops.elementary import exp
from tinynet.ops.methods import Value
from tinynet.ops.reduction import sum
from tinynet.ops.settings import existing, existing_axes, floats
from tinynet.ops.shapes import reshape, transpose


@array_primitive
def normalised_exponential(x, *, axis):
    """exp(x) / sum(exp(x)) over `axis`."""
    return kernels.softmax(to_float(x), axis=axis)


@normalised_exponential.vjp("x")
def _(grad, y, axis):
    return softmax_grad(grad, y, axis=axis)


@array_primitive
def softmax_grad(g, s, *, axis):
    """s (g - sum(g s)) for s = softmax(x): symmetric in what it does to g,
    so its own rule for g is itself.
    """
    return kernels.softmax_grad(g, s, axis=axis)


@softmax_grad.vjp("g")
def _(grad, s, axis):
    return softmax_grad(grad, s, axis=axis)


@softmax_grad.vjp("s")
def _(grad, g, s, axis):
    through_s = grad * (g - sum(g * s, axis, keepdims=True))
    return through_s - g * sum(grad * s, axis, keepdims=True)


def softmax(x: Value, axis: int | tuple[int, ...] = -1) -> Value:
    """e^x / sum e^x, positive numbers with sum 1 along `axis` (over several, if it is a tuple);
    nothing overflows.

    The result of a 2-D Tensor along its last axis remembers its logits:
    cross-entropy then runs both in one kernel.

    >>> ops.softmax([[1.0, 1.0], [0.0, 1000.0]])
    array([[0.5, 0.5],
           [0. , 1. ]], dtype=float32)
    """
    (x,) = floats(x)  # so that the logits kept below are some
    if isinstance(axis, list | tuple):
        return _over_several("softmax", normalised_exponential, x, axis)
    axis = existing("softmax", axis, x)
    if x.shape[axis] == 1:
        tracebacks.warn(
            f"softmax over axis {axis} of shape {tuple(x.shape)}: this axis has size 1, "
            "so the result is 1 everywhere, whatever x is. For one unit use a sigmoid"
        )
    y = normalised_exponential(x, axis=axis)
    if isinstance(y, Tensor) and y.ndim == 2 and axis == 1 and isinstance(x, Tensor):
        y._logits = (x, x.version)
    return y


@array_primitive
def normalised_logarithm(x, *, axis):
    """x - max(x) - log(sum(exp(x - max(x)))) over `axis`: small numbers alone are added,
    so none drowns in a large one.
    """
    x = to_float(x)
    if type(x) is not np.ndarray:
        return _log_softmax(x, axis)
    y = elementwise.like(x, x.shape, x.dtype)
    launch(_log_softmax_into, y, x, axis)
    return y


def _log_softmax_into(y, x, axis):
    y[...] = _log_softmax(x, axis)


def _log_softmax(x, axis):
    xp_ = xp(x)
    if not x.size:
        return x
    shifted = x - xp_.max(x, axis=axis, keepdims=True)
    return shifted - xp_.log(in_double(xp_.exp(shifted), axis, keepdims=True))


@normalised_logarithm.vjp("x")
def _(grad, y, axis):
    return grad - exp(y) * sum(grad, axis, keepdims=True)  # dy_i/dx_j = (1 if i = j else 0) - softmax(x)_j


def log_softmax(x: Value, axis: int | tuple[int, ...] = -1) -> Value:
    """x - logsumexp(x) along `axis`, or over several axes: the logarithm of softmax without its rounding.

    >>> ops.log_softmax([[0.0, 1000.0]])
    array([[-1000.,     0.]], dtype=float32)
    """
    x = as_array(x)
    if isinstance(axis, list | tuple):
        return _over_several("log_softmax", normalised_logarithm, x, axis)
    return normalised_logarithm(x, axis=existing("log_softmax", axis, x))


def _over_several(name, function, x, axes):
    """function(x) over several axes, which become the last one on the way."""
    last = sorted(existing_axes(name, axes, x))
    order = [axis for axis in range(x.ndim) if axis not in last] + last
    turned, kept = transpose(x, order), x.ndim - len(last)
    rows = reshape(turned, (*turned.shape[:kept], math.prod(turned.shape[kept:])))
    y = reshape(function(rows, axis=kept), turned.shape)
    return transpose(y, sorted(range(x.ndim), key=order.__getitem__))
