"""Binary cross-entropy of logits z with targets t, element by element.

    y = - t log p - (1 - t) log(1 - p) = w |z| + log(1 + exp(-|z|)),
    p = 1 / (1 + exp(-z)),   w = 1 - t if z > 0, else t
    dz = g (p - t) = g ((1 - t) - q) if z > 0, else g (q - t),   q = exp(-|z|) / (1 + exp(-|z|))

Written like this nothing cancels where p is close to t = 0 or 1, and nothing overflows.
"""

import numpy as np

from .activations import sigmoid
from .common import Array, operation, parallel, prange, xp
from .elementwise import cast, flat
from .exponential import exp, log1p
from .exponential import sigmoid as logistic


@operation("numpy")
def binary_crossentropy(z: Array, t: Array) -> Array:
    """z and t of one shape -> y as z."""
    xp_, t, size = xp(z), t.astype(z.dtype), xp(z).abs(z)
    w = xp_.where(z > 0, 1 - t, t)
    # 0 times infinity is 0 here
    return w * xp_.where(w == 0, xp_.zeros_like(z), size) + xp_.log1p(xp_.exp(-size))


@binary_crossentropy.implementation("numba")
def _(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    y, (out, targets, logits) = flat(cast(t, z.dtype), z)
    _binary_crossentropy(out, logits, targets)
    return y


@parallel
def _binary_crossentropy(y, z, t):  # type: ignore[no-untyped-def]
    zero, one = z.dtype.type(0), z.dtype.type(1)
    for i in prange(z.size):
        size = abs(z[i])
        w = one - t[i] if z[i] > 0 else t[i]
        y[i] = w * (size if w != 0 else zero) + log1p(exp(-size))


@operation("numpy", family="binary_crossentropy")
def binary_crossentropy_grad(g: Array, z: Array, t: Array) -> Array:
    """g, z and t of one shape -> dz as z."""
    t, q = t.astype(z.dtype), sigmoid["numpy"](-xp(z).abs(z))
    return g * xp(z).where(z > 0, (1 - t) - q, q - t)


@binary_crossentropy_grad.implementation("numba")
def _(g: np.ndarray, z: np.ndarray, t: np.ndarray) -> np.ndarray:
    dz, (out, upstream, targets, logits) = flat(cast(g, z.dtype), cast(t, z.dtype), z)
    _binary_crossentropy_grad(out, upstream, logits, targets)
    return dz


@parallel
def _binary_crossentropy_grad(dz, g, z, t):  # type: ignore[no-untyped-def]
    one = z.dtype.type(1)
    for i in prange(z.size):
        q = logistic(-abs(z[i]))
        dz[i] = g[i] * ((one - t[i]) - q if z[i] > 0 else q - t[i])
