"""The functions that leave positive numbers as they are: relu, leaky_relu, elu and selu.

All four derivatives follow from the output, which has the sign of the input.
"""

import numpy as np

from ..common import Array, operation, parallel, prange, xp
from ..elementwise import flat
from ..exponential import expm1

SELU_ALPHA = 1.6732632423543772848
SELU_SCALE = 1.0507009873554804934


@operation("numpy", family="activations")
def relu(x: Array) -> Array:
    """y = max(x, 0); NaN stays NaN."""
    return xp(x).maximum(x, 0)


@relu.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _relu(*flats)
    return y


@parallel
def _relu(y, x):  # type: ignore[no-untyped-def]
    zero = x.dtype.type(0)
    for i in prange(x.size):
        y[i] = zero if x[i] < zero else x[i]  # NaN stays NaN


@operation("numpy", family="activations")
def relu_grad(g: Array, y: Array) -> Array:
    """dx = g where y > 0, else 0: the derivative at 0 is 0."""
    return xp(g).where(y > 0, g, xp(g).zeros_like(g))


@relu_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, y)
    _relu_grad(*flats)
    return dx


@parallel
def _relu_grad(dx, g, y):  # type: ignore[no-untyped-def]
    zero = g.dtype.type(0)
    for i in prange(g.size):
        dx[i] = g[i] if y[i] > 0 else zero


@operation("numpy", family="activations")
def leaky_relu(x: Array, *, negative_slope: float) -> Array:
    """y = x where x > 0, else negative_slope x.

    Raises ValueError for a negative slope: the sign of y would not tell the sign of x,
    which the derivative goes by.
    """
    not_negative("leaky_relu", "negative_slope", negative_slope)
    return xp(x).where(x > 0, x, negative_slope * x)


@leaky_relu.implementation("numba")
def _(x: np.ndarray, *, negative_slope: float) -> np.ndarray:
    not_negative("leaky_relu", "negative_slope", negative_slope)
    y, flats = flat(x)
    _leaky_relu(*flats, x.dtype.type(negative_slope))
    return y


@parallel
def _leaky_relu(y, x, slope):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        y[i] = x[i] if x[i] > 0 else slope * x[i]


@operation("numpy", family="activations")
def leaky_relu_grad(g: Array, y: Array, *, negative_slope: float) -> Array:
    """dx = g where y > 0, else negative_slope g."""
    return xp(g).where(y > 0, g, negative_slope * g)


@leaky_relu_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray, *, negative_slope: float) -> np.ndarray:
    dx, flats = flat(g, y)
    _leaky_relu_grad(*flats, g.dtype.type(negative_slope))
    return dx


@parallel
def _leaky_relu_grad(dx, g, y, slope):  # type: ignore[no-untyped-def]
    for i in prange(g.size):
        dx[i] = g[i] if y[i] > 0 else slope * g[i]


@operation("numpy", family="activations")
def elu(x: Array, *, alpha: float) -> Array:
    """y = x where x > 0, else alpha (exp(x) - 1).   Clevert, Unterthiner, Hochreiter, ICLR 2016, equation 15.

    Raises ValueError for a negative alpha, as leaky_relu does for a negative slope.
    """
    not_negative("elu", "alpha", alpha)
    return xp(x).where(x > 0, x, alpha * xp(x).expm1(xp(x).minimum(x, 0)))


@elu.implementation("numba")
def _(x: np.ndarray, *, alpha: float) -> np.ndarray:
    not_negative("elu", "alpha", alpha)
    y, flats = flat(x)
    _elu(*flats, x.dtype.type(1), x.dtype.type(alpha))
    return y


@parallel
def _elu(y, x, scale, alpha):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        y[i] = scale * (x[i] if x[i] > 0 else alpha * expm1(x[i]))


@operation("numpy", family="activations")
def elu_grad(g: Array, y: Array, *, alpha: float) -> Array:
    """dx = g where y > 0, else g (y + alpha), because alpha exp(x) = y + alpha."""
    return xp(g).where(y > 0, g, g * (y + alpha))


@elu_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray, *, alpha: float) -> np.ndarray:
    dx, flats = flat(g, y)
    _elu_grad(*flats, g.dtype.type(1), g.dtype.type(alpha))
    return dx


@parallel
def _elu_grad(dx, g, y, scale, alpha):  # type: ignore[no-untyped-def]
    for i in prange(g.size):
        dx[i] = g[i] * (scale if y[i] > 0 else y[i] + scale * alpha)


@operation("numpy", family="activations")
def selu(x: Array) -> Array:
    """y = scale elu(x, alpha), with the constants that keep mean 0 and variance 1.
    Klambauer et al., NeurIPS 2017.
    """
    return SELU_SCALE * elu["numpy"](x, alpha=SELU_ALPHA)


@selu.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _elu(*flats, x.dtype.type(SELU_SCALE), x.dtype.type(SELU_ALPHA))
    return y


@operation("numpy", family="activations")
def selu_grad(g: Array, y: Array) -> Array:
    """dx = scale g where y > 0, else g (y + scale alpha)."""
    return xp(g).where(y > 0, SELU_SCALE * g, g * (y + SELU_SCALE * SELU_ALPHA))


@selu_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, y)
    _elu_grad(*flats, g.dtype.type(SELU_SCALE), g.dtype.type(SELU_ALPHA))
    return dx


def not_negative(function: str, argument: str, value: float) -> None:
    """Raises ValueError for a value below 0."""
    if value < 0:
        raise ValueError(f"{function}: expected {argument} >= 0, got {value}")
