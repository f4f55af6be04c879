"""Sparsemax: activations.py -> here.

    p = max(x - tau, 0) along an axis, with tau such that sum p = 1:
    the point of the simplex that is nearest to x

The k largest elements are those above tau: z sorted downwards, k = max {j : 1 + j z_j > z_1 + .. + z_j}, and
tau = (z_1 + .. + z_k - 1) / k. The derivative takes from the gradient its mean over those k,
and is 0 for the others.

A. Martins, R. Astudillo, "From softmax to sparsemax", ICML 2016, algorithm 1;
the derivative is its equation 11.
"""

from typing import Any

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import as_array, to_float
from tinynet.kernels import elementwise
from tinynet.kernels.common import launch, xp
from tinynet.kernels.reduce import in_double
from tinynet.ops.elementary import cast
from tinynet.ops.methods import Value
from tinynet.ops.reduction import sum
from tinynet.ops.settings import existing


@array_primitive
def simplex_projection(x, *, axis):
    """max(x - tau, 0) along `axis`."""
    x = to_float(x)
    if type(x) is not np.ndarray:
        return _project(x, axis)
    y = elementwise.like(x, x.shape, x.dtype)
    if y.size:
        launch(_project_into, y, x, axis)
    return y


@simplex_projection.vjp("x")
def _(grad, y, axis):
    chosen = cast(y > 0, dtype=y.dtype)  # does not change for small changes of x
    mean = sum(grad * chosen, axis, keepdims=True) / sum(chosen, axis, keepdims=True)
    return (grad - mean) * chosen


def sparsemax(x: Value, axis: int = -1) -> Value:
    """x projected on numbers >= 0 with sum 1 along `axis`, many of them 0.

    >>> ops.sparsemax([[1.0, 1.5, -3.0]])
    array([[0.25, 0.75, 0.  ]], dtype=float32)
    """
    x = as_array(x)
    return simplex_projection(x, axis=existing("sparsemax", axis, x))


def _project_into(y: np.ndarray, x: np.ndarray, axis: int) -> None:
    y[...] = _project(x, axis)


def _project(x: Any, axis: int) -> Any:
    xp_ = xp(x)
    # the same point; no digit is lost to a large number that all have in common
    x = x - xp_.max(x, axis=axis, keepdims=True)
    z = xp_.flip(xp_.sort(x, axis=axis), axis=axis)
    count = xp_.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape(
        [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)]
    )
    above = 1 + count * z > xp_.cumsum(z, axis=axis, dtype=np.float64)
    chosen = xp_.where(above, z, xp_.zeros_like(z))  # where, since -inf times 0 is no number
    tau = (in_double(chosen, axis, keepdims=True) - 1) / xp_.sum(above, axis=axis, keepdims=True).astype(
        x.dtype
    )
    return xp_.maximum(x - tau, 0)
