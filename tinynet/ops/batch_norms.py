"""Batch normalisation: layers/batch_normalization.py -> here -> kernels/batch_norm.py
(formulas and derivation there).

    y = gamma (x - mean) / sqrt(var + epsilon) + beta,
    mean and (biased) var of x over all axes but the channels'

mean and var are outputs too, with gradients of their own: d mean / dx = 1 / M and d var / dx = 2
(x - mean) / M, where M values make up a channel. S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015,
algorithm 1.
"""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.kernels import batch_norm as kernels
from tinynet.kernels.batch_norm_relu import batch_norm_relu_grad
from tinynet.ops.derived import derived_from
from tinynet.ops.elementary import sqrt
from tinynet.ops.joined import BeforeRelu, takes_before_relu
from tinynet.ops.methods import Value
from tinynet.ops.rectifiers import relu_grad
from tinynet.ops.reduction import sum
from tinynet.ops.settings import existing, floats, number
from tinynet.ops.shapes import broadcast_to, moveaxis

NONE_MOVES = None, None, 1.0  # no moving statistics


@array_primitive
def normalise(x, gamma, beta, *, epsilon, moving):
    """x (N, ..., C), gamma and beta (C,) -> (y as x, mean (C,), var (C,)).

    moving   (mean (C,), var (C,), momentum): arrays that follow in place, in the same pass; or None
    """
    *statistics, momentum = moving or NONE_MOVES
    return kernels.batch_norm(x, gamma, beta, *statistics, epsilon=epsilon, momentum=momentum)


@normalise.joint_vjp
def _(grad, x, gamma, y, needs, sources, epsilon):
    (dy, dmean, dvar), (_, mean, var) = grad, y
    if takes_before_relu(sources[0]) and dmean is None and dvar is None:
        dz, db, dgamma, dbeta = normalise_grad_before_relu(dy, x, gamma, mean, var, epsilon=epsilon)
        return BeforeRelu(dz, db), dgamma if needs[1] else None, dbeta if needs[2] else None
    own = (None, None, None)
    if dy is not None:
        own = normalise_grad(dy, x, gamma, mean, var, epsilon=epsilon)
    return with_moments(own, dmean, dvar, x, mean, needs)


def with_moments(
    own: tuple[Any, ...], dmean: Any, dvar: Any, x: Any, mean: Any, needs: list[bool]
) -> tuple[Any, ...]:
    """(dx, dgamma, dbeta), where they are needed: of y, `own`, and of mean and var, if these were used."""
    (dx, dgamma, dbeta), count = own, x.size // x.shape[-1]
    if dmean is not None:
        through_mean = broadcast_to(dmean / count, x.shape)
        dx = through_mean if dx is None else dx + through_mean
    if dvar is not None:
        through_var = dvar * (2.0 / count) * (x - mean)
        dx = through_var if dx is None else dx + through_var
    return tuple(d if needed else None for d, needed in zip((dx, dgamma, dbeta), needs[:3], strict=True))


@array_primitive
def normalise_grad(g, x, gamma, mean, var, *, epsilon):
    """Gradients (dx, dgamma, dbeta) of y, in one pass; mean and var count as functions of x."""
    return kernels.batch_norm_grad(g, x, gamma, mean, var, epsilon=epsilon)


@derived_from(normalise_grad)
def _(g, x, gamma, mean, var, *, epsilon):
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    deviation = sqrt(var + epsilon)
    xhat = (x - mean) / deviation
    dbeta = sum(g, axes)
    dgamma = sum(g * xhat, axes)
    dx = (gamma / deviation) * (g - dbeta / count - xhat * (dgamma / count))
    return dx, dgamma, dbeta


@array_primitive
def normalise_grad_before_relu(g, x, gamma, mean, var, *, epsilon):
    """Of x = relu(z): gradients (dz, sum of dz, dgamma, dbeta), in one pass: the sign of x is at hand."""
    return batch_norm_relu_grad(g, x, gamma, mean, var, epsilon=epsilon)


@derived_from(normalise_grad_before_relu)
def _(g, x, gamma, mean, var, *, epsilon):
    dx, dgamma, dbeta = normalise_grad(g, x, gamma, mean, var, epsilon=epsilon)
    dz = relu_grad(dx, x)
    return dz, sum(dz, (0, 1, 2)), dgamma, dbeta


@array_primitive
def normalise_with(x, gamma, beta, mean, var, *, epsilon):
    """y from given statistics (C,), which are constants of their own: what inference does."""
    return kernels.batch_norm_inference(x, gamma, beta, mean, var, epsilon=epsilon)


@normalise_with.joint_vjp
def _(grad, x, gamma, mean, var, needs, epsilon):
    deviation = sqrt(var + epsilon)
    scale = gamma / deviation
    dx = grad * scale if needs[0] else None
    dgamma = grad * ((x - mean) / deviation) if needs[1] else None  # the engine sums these to (C,)
    dbeta = grad if needs[2] else None
    dmean = -grad * scale if needs[3] else None
    dvar = grad * (x - mean) * (-0.5 * scale / (var + epsilon)) if needs[4] else None
    return dx, dgamma, dbeta, dmean, dvar


def batch_norm(
    x: Value, gamma: Value, beta: Value, *, axis: int = -1, epsilon: float = 1e-3
) -> tuple[Value, Value, Value]:
    """Normalises x with the statistics of the batch -> (y as x, mean (C,), var (C,));
    C channels along `axis`.

    epsilon is added to var, so that nothing is divided by 0. gamma is the scale, beta the shift. Raises
    ValueError unless gamma and beta have shape (C,).

    >>> y, mean, var = ops.batch_norm([[1.0], [3.0]], [1.0], [0.0])
    >>> mean, var
    (array([2.], dtype=float32), array([1.], dtype=float32))
    """
    x, gamma, beta = floats(x, gamma, beta)
    axis, epsilon = _check("batch_norm", x, axis, epsilon, gamma=gamma, beta=beta)
    last = axis == x.ndim - 1
    x = x if last else moveaxis(x, axis, -1)
    y, mean, var = normalise(x, gamma, beta, epsilon=epsilon, moving=None)
    return y if last else moveaxis(y, -1, axis), mean, var


def batch_norm_inference(
    x: Value, gamma: Value, beta: Value, mean: Value, var: Value, *, axis: int = -1, epsilon: float = 1e-3
) -> Value:
    """Normalises x with the given mean and variance var (C,) -> gamma
    (x - mean) / sqrt(var + epsilon) + beta, as x.

    gamma, beta   (C,) too, with C channels along `axis`. Raises ValueError where a shape is not (C,).

    >>> ops.batch_norm_inference([[5.0]], [2.0], [1.0], [3.0], [4.0], epsilon=0.0)
    array([[3.]], dtype=float32)
    """
    x, gamma, beta, mean, var = floats(x, gamma, beta, mean, var)
    axis, epsilon = _check(
        "batch_norm_inference", x, axis, epsilon, gamma=gamma, beta=beta, mean=mean, var=var
    )
    last = axis == x.ndim - 1
    y = normalise_with(x if last else moveaxis(x, axis, -1), gamma, beta, mean, var, epsilon=epsilon)
    return y if last else moveaxis(y, -1, axis)


def _check(function: str, x: Value, axis: Any, epsilon: Any, **vectors: Value) -> tuple[int, float]:
    """The axis, counted from the front, and epsilon."""
    axis = existing(function, axis, x)
    for name, vector in vectors.items():
        if tuple(vector.shape) != (x.shape[axis],):
            raise ValueError(f"{function}: {name} must have shape ({x.shape[axis]},), "
                             f"one number for each channel of x "
                             f"{tuple(x.shape)} along axis {axis}, got {tuple(vector.shape)}")  # fmt: skip
    return axis, number(function, "epsilon", epsilon, 0)
