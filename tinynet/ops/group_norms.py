"""Normalisation within each sample: layers/layer_normalization.py and
group_normalization.py -> here -> kernels/group_norm.py.

    y = gamma (x - mean) / sqrt(var + epsilon) + beta,   mean and (biased) var over `axes` of each sample

Layer, group, instance and RMS normalisation are this with other axes, on another view of x. mean and var are
outputs too, with gradients of their own: d mean / dx = 1 / M and d var / dx = 2 (x - mean) / M, where M
numbers make up a group.
"""

import math

from tinynet.autograd import array_primitive
from tinynet.kernels import group_norm as kernels
from tinynet.ops.derived import derived_from
from tinynet.ops.elementary import sqrt
from tinynet.ops.methods import Value
from tinynet.ops.reduction import sum
from tinynet.ops.settings import existing_axes, floats, number
from tinynet.ops.shapes import broadcast_to


@array_primitive
def standardise(x, gamma, beta, *, axes, epsilon, centred):
    """x (N, ...), gamma and beta broadcastable to (...) -> (y as x,
    mean and var (N, ..., 1 along `axes`)).
    """
    return kernels.group_norm(x, gamma, beta, axes=axes, epsilon=epsilon, centred=centred)


@standardise.joint_vjp
def _(grad, x, gamma, y, needs, axes, epsilon, centred):
    (dy, dmean, dvar), (_, mean, var) = grad, y
    count = math.prod(x.shape[a] for a in axes)
    dx = dgamma = dbeta = None
    # the engine sums dgamma and dbeta over the axes along which gamma and beta were repeated
    if dy is not None:
        dx, dgamma, dbeta = standardise_grad(
            dy, x, gamma, mean, var, axes=axes, epsilon=epsilon, centred=centred
        )
    if dmean is not None and centred:
        through_mean = broadcast_to(dmean / count, x.shape)
        dx = through_mean if dx is None else dx + through_mean
    if dvar is not None:
        through_var = dvar * (2.0 / count) * (x - mean)
        dx = through_var if dx is None else dx + through_var
    return tuple(d if needed else None for d, needed in zip((dx, dgamma, dbeta), needs, strict=True))


@array_primitive
def standardise_grad(g, x, gamma, mean, var, *, axes, epsilon, centred):
    """Gradients (dx, dgamma, dbeta) of y, the last two with a number for each feature;
    mean and var are functions of x.
    """
    return kernels.group_norm_grad(g, x, gamma, mean, var, axes=axes, epsilon=epsilon, centred=centred)


@derived_from(standardise_grad)
def _(g, x, gamma, mean, var, *, axes, epsilon, centred):
    count = math.prod(x.shape[a] for a in axes)
    deviation = sqrt(var + epsilon)
    xhat, h = (x - mean) / deviation, g * gamma
    dx = h - xhat * (sum(h * xhat, axes, keepdims=True) / count)
    if centred:
        dx = dx - sum(h, axes, keepdims=True) / count
    return dx / deviation, sum(g * xhat, 0), sum(g, 0)


def group_norm(
    x: Value, gamma: Value, beta: Value, *, axes: tuple[int, ...], epsilon: float = 1e-3, centred: bool = True
) -> Value:
    """Normalises each sample of x (N, ...) over `axes` -> y as x;
    gamma and beta broadcast to the shape of a sample.

    epsilon is added to the variance. With centred=False the mean is taken as 0 (RMS normalisation). Raises
    ValueError for the batch axis, or an axis that x does not have.

    >>> ops.group_norm([[1.0, 3.0]], 1.0, 0.0, axes=(1,), epsilon=0.0)
    array([[-1.,  1.]], dtype=float32)
    """
    x, gamma, beta = floats(x, gamma, beta)
    found = tuple(sorted(existing_axes("group_norm", axes, x, "axes")))
    epsilon = number("group_norm", "epsilon", epsilon, 0)
    if not found or 0 in found:
        raise ValueError(
            f"group_norm: axes must be some of 1 .. {x.ndim - 1}, those of a sample of {x.shape}, got {axes}"
        )
    for name, factor in (("gamma", gamma), ("beta", beta)):
        repeated = (1,) * (x.ndim - 1 - factor.ndim) + tuple(factor.shape)
        if (
            any(n not in (1, size) for n, size in zip(repeated, x.shape[1:], strict=False))
            or factor.ndim >= x.ndim
        ):
            raise ValueError(
                f"group_norm: {name} {factor.shape} does not broadcast to {x.shape[1:]}, "
                "the shape of a sample"
            )
    return standardise(x, gamma, beta, axes=found, epsilon=epsilon, centred=bool(centred))[0]
