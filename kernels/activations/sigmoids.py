"""The functions that saturate: sigmoid, tanh, softsign; and softplus, whose derivative is the sigmoid."""

import numpy as np

from ..common import Array, operation, parallel, prange, xp
from ..elementwise import flat
from ..exponential import exp, log1p
from ..exponential import sigmoid as logistic
from ..exponential import tanh as hyperbolic_tangent


@operation("numpy", family="activations")
def sigmoid(x: Array) -> Array:
    """y = 1 / (1 + exp(-x)), written with exp(-|x|), which cannot overflow."""
    xp_ = xp(x)
    e = xp_.exp(-xp_.abs(x))
    return xp_.where(x < 0, e, xp_.ones_like(e)) / (1 + e)


@sigmoid.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _sigmoid(*flats)
    return y


@parallel
def _sigmoid(y, x):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        y[i] = logistic(x[i])


@operation("numpy", family="activations")
def sigmoid_grad(g: Array, y: Array) -> Array:
    """dx = g y (1 - y)."""
    return g * y * (1 - y)


@sigmoid_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, y)
    _sigmoid_grad(*flats)
    return dx


@parallel
def _sigmoid_grad(dx, g, y):  # type: ignore[no-untyped-def]
    one = y.dtype.type(1)
    for i in prange(g.size):
        dx[i] = g[i] * y[i] * (one - y[i])


@operation("numpy", family="activations")
def tanh(x: Array) -> Array:
    """y = tanh x."""
    return xp(x).tanh(x)


@tanh.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _tanh(*flats)
    return y


@parallel
def _tanh(y, x):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        y[i] = hyperbolic_tangent(x[i])


@operation("numpy", family="activations")
def tanh_grad(g: Array, y: Array) -> Array:
    """dx = g (1 - y**2), written as a product, which loses no digits where |y| is close to 1."""
    return g * ((1 - y) * (1 + y))


@tanh_grad.implementation("numba")
def _(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, y)
    _tanh_grad(*flats)
    return dx


@parallel
def _tanh_grad(dx, g, y):  # type: ignore[no-untyped-def]
    one = y.dtype.type(1)
    for i in prange(g.size):
        dx[i] = g[i] * ((one - y[i]) * (one + y[i]))


@operation("numpy", family="activations")
def softplus(x: Array) -> Array:
    """y = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    xp_ = xp(x)
    return xp_.maximum(x, 0) + xp_.log1p(xp_.exp(-xp_.abs(x)))


@softplus.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _softplus(*flats)
    return y


@parallel
def _softplus(y, x):  # type: ignore[no-untyped-def]
    zero = x.dtype.type(0)
    for i in prange(x.size):
        y[i] = max(x[i], zero) + log1p(exp(-abs(x[i])))


@operation("numpy", family="activations")
def softplus_grad(g: Array, x: Array) -> Array:
    """dx = g sigmoid(x)."""
    return g * sigmoid["numpy"](x)


@softplus_grad.implementation("numba")
def _(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, x)
    _softplus_grad(*flats)
    return dx


@parallel
def _softplus_grad(dx, g, x):  # type: ignore[no-untyped-def]
    for i in prange(g.size):
        dx[i] = g[i] * logistic(x[i])


@operation("numpy", family="activations")
def softsign(x: Array) -> Array:
    """y = x / (1 + |x|), of infinities 1 and -1."""
    largest = np.finfo(x.dtype).max
    x = xp(x).clip(x, -largest, largest)
    return x / (1 + xp(x).abs(x))


@softsign.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _softsign(*flats, np.finfo(x.dtype).max)
    return y


@parallel
def _softsign(y, x, largest):  # type: ignore[no-untyped-def]
    one = x.dtype.type(1)
    for i in prange(x.size):
        v = x[i]
        if v > largest:
            v = largest
        elif v < -largest:
            v = -largest
        y[i] = v / (one + abs(v))


@operation("numpy", family="activations")
def softsign_grad(g: Array, x: Array) -> Array:
    """dx = g / (1 + |x|)**2."""
    d = 1 + xp(x).abs(x)
    return g / (d * d)


@softsign_grad.implementation("numba")
def _(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, x)
    _softsign_grad(*flats)
    return dx


@parallel
def _softsign_grad(dx, g, x):  # type: ignore[no-untyped-def]
    one = x.dtype.type(1)
    for i in prange(g.size):
        d = one + abs(x[i])
        dx[i] = g[i] / (d * d)
