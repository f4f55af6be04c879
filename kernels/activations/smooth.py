"""The input times a smooth step: silu (a logistic step) and gelu (a normal distribution's)."""

import math

import numpy as np

from ..common import Array, operation, parallel, prange, serial, xp
from ..elementwise import flat
from ..exponential import sigmoid as logistic
from ..number_formats import fma
from .normal_tail import INVERSE_ROOT_2PI, normal_tail
from .sigmoids import sigmoid

ROOT_HALF = math.sqrt(0.5)
TANH_SCALE = math.sqrt(2.0 / math.pi)
TANH_CUBIC = 0.044715
# where the step has long been 0 (and 1 at minus that): beyond, x would only be infinite, or its powers
LOWEST = -1e4


@serial
def _above(x):  # type: ignore[no-untyped-def]
    """x, at least LOWEST; NaN stays NaN."""
    return type(x)(LOWEST) if x < LOWEST else x


@serial
def _within(x):  # type: ignore[no-untyped-def]
    """x within LOWEST and -LOWEST; NaN stays NaN."""
    if x > -LOWEST:
        return type(x)(-LOWEST)
    return type(x)(LOWEST) if x < LOWEST else x


@operation("numpy", family="activations")
def silu(x: Array) -> Array:
    """y = x sigmoid(x), also called swish.   Elfwing, Uchibe, Doya, 2017; Ramachandran, Zoph, Le, 2017."""
    return xp(x).maximum(x, LOWEST) * sigmoid["numpy"](x)


@silu.implementation("numba")
def _(x: np.ndarray) -> np.ndarray:
    y, flats = flat(x)
    _silu(*flats)
    return y


@parallel
def _silu(y, x):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        y[i] = _above(x[i]) * logistic(x[i])


@operation("numpy", family="activations")
def silu_grad(g: Array, x: Array) -> Array:
    """dx = g s (1 + x (1 - s)),  s = sigmoid(x)."""
    s = sigmoid["numpy"](x)
    return g * s * (1 + xp(x).clip(x, LOWEST, -LOWEST) * (1 - s))


@silu_grad.implementation("numba")
def _(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    dx, flats = flat(g, x)
    _silu_grad(*flats)
    return dx


@parallel
def _silu_grad(dx, g, x):  # type: ignore[no-untyped-def]
    one = x.dtype.type(1)
    for i in prange(g.size):
        s = logistic(x[i])
        dx[i] = g[i] * s * (one + _within(x[i]) * (one - s))


@operation("numpy", family="activations")
def gelu(x: Array, *, approximate: bool) -> Array:
    """y = x Phi(x) with the normal distribution function Phi.   Hendrycks, Gimpel, 2016.

    Phi(x) = (1 + erf(x / sqrt 2)) / 2,  or approximately (1 + tanh u) / 2 = sigmoid(2 u),
    u = sqrt(2 / pi) (x + 0.044715 x**3).
    """
    x = xp(x).maximum(x, LOWEST)
    if approximate:
        return x * sigmoid["numpy"](2 * TANH_SCALE * (x + TANH_CUBIC * x * x * x))
    return 0.5 * x * (1 + erf(x * ROOT_HALF))


@gelu.implementation("numba")
def _(x: np.ndarray, *, approximate: bool) -> np.ndarray:
    y, flats = flat(x)
    (_gelu_tanh if approximate else _gelu_erf)(*flats)
    return y


@parallel
def _gelu_erf(y, x):  # type: ignore[no-untyped-def]
    zero = x.dtype.type(0)
    for i in prange(x.size):
        # v Phi(v) = v - v Phi(-v), of which the second part is small where v > 0
        u, tail, _ = normal_tail(x[i])
        y[i] = fma(-u, tail, x[i] if x[i] >= zero else -zero)  # of -0 it is -0


@parallel
def _gelu_tanh(y, x):  # type: ignore[no-untyped-def]
    twice, cubic = x.dtype.type(2 * TANH_SCALE), x.dtype.type(TANH_CUBIC)
    for i in prange(x.size):
        v = _above(x[i])
        y[i] = v * logistic(twice * (v + cubic * v * v * v))


@operation("numpy", family="activations")
def gelu_grad(g: Array, x: Array, *, approximate: bool) -> Array:
    """dx = g (Phi(x) + x phi(x)) with phi = Phi'; approximately g s (1 + x (1 - s) 2 u'),
    s = sigmoid(2 u), 1 - s = sigmoid(-2 u).
    """
    xp_ = xp(x)
    x = xp_.clip(x, LOWEST, -LOWEST)
    if approximate:
        u = TANH_SCALE * (x + TANH_CUBIC * x * x * x)
        du = TANH_SCALE * (1 + 3 * TANH_CUBIC * x * x)
        return g * sigmoid["numpy"](2 * u) * (1 + x * sigmoid["numpy"](-2 * u) * 2 * du)
    density = INVERSE_ROOT_2PI * xp_.exp(-0.5 * x * x)
    return g * (0.5 * (1 + erf(x * ROOT_HALF)) + x * density)


@gelu_grad.implementation("numba")
def _(g: np.ndarray, x: np.ndarray, *, approximate: bool) -> np.ndarray:
    dx, flats = flat(g, x)
    (_gelu_tanh_grad if approximate else _gelu_erf_grad)(*flats)
    return dx


@parallel
def _gelu_erf_grad(dx, g, x):  # type: ignore[no-untyped-def]
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in prange(g.size):
        u, tail, density = normal_tail(x[i])
        slope = fma(-u, density, tail)  # at -u; the slopes at u and -u add up to 1
        dx[i] = g[i] * (one - slope if x[i] > zero else slope)


@parallel
def _gelu_tanh_grad(dx, g, x):  # type: ignore[no-untyped-def]
    zero, one, twice = x.dtype.type(0), x.dtype.type(1), x.dtype.type(2 * TANH_SCALE)
    cubic, slope = x.dtype.type(TANH_CUBIC), x.dtype.type(3 * TANH_CUBIC)
    for i in prange(g.size):
        v = _within(x[i])
        w = twice * (v + cubic * v * v * v)
        # 1 - s, where s rounds to 1, would be 0: the smaller of the two is computed, and the other from it
        small = logistic(-abs(w))
        s = one - small if w > zero else small
        rest = small if w > zero else one - small
        dx[i] = g[i] * s * (one + v * rest * twice * (one + slope * v * v))


# erf(x) = x T(x**2) / U(x**2) for |x| < 1;  erfc(x) = exp(-x**2) P(x) / Q(x) for 1 <= x < 8;
# highest power first.
_T = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
      5.55923013010394962768e4)  # fmt: skip
_U = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3,
      2.26290000613890934246e4,
      4.92673942608635921086e4)  # fmt: skip
_P = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0,
      4.86371970985681366614e1,
      1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
      5.57535335369399327526e2)  # fmt: skip
_Q = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
      9.75708501743205489753e2,
      1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3,
      5.57535340817727675546e2)  # fmt: skip


def erf(x: Array) -> Array:
    """erf(x) = 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x, to the rounding of x's dtype.

    NumPy has no erf, and CuPy's lies outside the array interface both share, so the rational approximations
    of S. L. Moshier's Cephes library (ndtr.c, after W. J. Cody, Math. Comp. 23, 1969) are evaluated with
    array expressions.
    """
    xp_ = xp(x)
    magnitude = xp_.abs(x)
    small = xp_.minimum(magnitude, 1.0)
    large = xp_.clip(magnitude, 1.0, 8.0)
    square = small * small
    inner = small * _polynomial(square, _T) / _polynomial(square, _U)
    outer = 1 - xp_.exp(-large * large) * _polynomial(large, _P) / _polynomial(large, _Q)
    return xp_.sign(x) * xp_.where(magnitude < 1.0, inner, outer)


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Horner's rule; coefficients from the highest power down."""
    y = coefficients[0] * x
    for coefficient in coefficients[1:-1]:
        y = (y + coefficient) * x
    return y + coefficients[-1]
