"""Adam and its relatives: running means of the gradient (m) and of its square or largest size (v, u).

Kingma & Ba, "Adam: a method for stochastic optimization" (2015). The bias corrections depend on the step alone; the
optimizer classes compute them once and pass them in.
"""

import math

from ..common import Array, operation, parallel, prange, serial, xp
from .sweep import BLOCK, sweep


@operation("numpy", family="optimizers")
def adam(
    w: Array, g: Array, m: Array, v: Array, peak: Array | None = None,
    *, alpha: float, beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    """m <- m + (1-beta_1)(g - m); v <- v + (1-beta_2)(g^2 - v); w <- w - alpha m / (sqrt(v) + epsilon).

    alpha = eta sqrt(1 - beta_2^t) / (1 - beta_1^t): section 2's efficient order of the bias corrections, in which
    epsilon stands beside the uncorrected root ("epsilon hat"). AMSGrad (slot peak) divides by the largest v so far,
    peak <- max(peak, v), uncorrected: Reddi et al., "On the convergence of Adam and beyond" (2018), algorithm 2.
    """
    m[...] = m + (1 - beta_1) * (g - m)
    v[...] = v + (1 - beta_2) * (g * g - v)
    if peak is not None:
        peak[...] = xp(w).maximum(peak, v)
        v = peak
    w[...] = w - alpha * m / (xp(w).sqrt(v) + epsilon)


@serial
def _adam(w, g, m, v, peak, alpha, rate_1, rate_2, epsilon):
    # Without AMSGrad `peak` is None, a type of its own, so the compiler drops its branch.
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        v[i] += rate_2 * (g[i] * g[i] - v[i])
        second = v[i]
        if peak is not None:
            peak[i] = max(peak[i], second)
            second = peak[i]
        w[i] -= alpha * m[i] / (math.sqrt(second) + epsilon)


@parallel
def _adam_blocks(w, g, m, v, peak, alpha, rate_1, rate_2, epsilon):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        peak_part = None if peak is None else peak[part]
        _adam(w[part], g[part], m[part], v[part], peak_part, alpha, rate_1, rate_2, epsilon)


@adam.implementation("numba")
def _(w, g, m, v, peak=None, *, alpha, beta_1, beta_2, epsilon):
    sweep(_adam, _adam_blocks, (w, g, m, v, peak), (alpha, 1 - beta_1, 1 - beta_2, epsilon))


@operation("numpy", family="optimizers")
def adamax(
    w: Array, g: Array, m: Array, u: Array, *, alpha: float, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """m <- m + (1-beta_1)(g - m); u <- max(beta_2 u, |g|); w <- w - alpha m / (u + epsilon).

    alpha = eta / (1 - beta_1^t). Algorithm 2 of Adam's paper; epsilon is Keras's addition.
    """
    m[...] = m + (1 - beta_1) * (g - m)
    u[...] = xp(w).maximum(beta_2 * u, abs(g))
    w[...] = w - alpha * m / (u + epsilon)


@serial
def _adamax(w, g, m, u, alpha, rate_1, beta_2, epsilon):
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        u[i] = max(beta_2 * u[i], abs(g[i]))
        w[i] -= alpha * m[i] / (u[i] + epsilon)


@parallel
def _adamax_blocks(w, g, m, u, alpha, rate_1, beta_2, epsilon):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        _adamax(w[part], g[part], m[part], u[part], alpha, rate_1, beta_2, epsilon)


@adamax.implementation("numba")
def _(w, g, m, u, *, alpha, beta_1, beta_2, epsilon):
    sweep(_adamax, _adamax_blocks, (w, g, m, u), (alpha, 1 - beta_1, beta_2, epsilon))


@operation("numpy", family="optimizers")
def nadam(
    w: Array, g: Array, m: Array, v: Array,
    *, alpha: float, ahead: float, v_scale: float, beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    """m and v as in Adam; w <- w - alpha (g + ahead m) / (sqrt(v_scale v) + epsilon).

    `alpha` and `ahead` hold eta and the corrected momentum schedule, v_scale = 1 / (1 - beta_2^t): Dozat,
    "Incorporating Nesterov momentum into Adam" (2016), the algorithm Nadam. Epsilon stands beside the corrected root.
    """
    m[...] = m + (1 - beta_1) * (g - m)
    v[...] = v + (1 - beta_2) * (g * g - v)
    w[...] = w - alpha * (g + ahead * m) / (xp(w).sqrt(v_scale * v) + epsilon)


@serial
def _nadam(w, g, m, v, alpha, ahead, v_scale, rate_1, rate_2, epsilon):
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        v[i] += rate_2 * (g[i] * g[i] - v[i])
        w[i] -= alpha * (g[i] + ahead * m[i]) / (math.sqrt(v_scale * v[i]) + epsilon)


@parallel
def _nadam_blocks(w, g, m, v, alpha, ahead, v_scale, rate_1, rate_2, epsilon):
    for block in prange((w.size + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        _nadam(w[part], g[part], m[part], v[part], alpha, ahead, v_scale, rate_1, rate_2, epsilon)


@nadam.implementation("numba")
def _(w, g, m, v, *, alpha, ahead, v_scale, beta_1, beta_2, epsilon):
    scalars = (alpha, ahead, v_scale, 1 - beta_1, 1 - beta_2, epsilon)
    sweep(_nadam, _nadam_blocks, (w, g, m, v), scalars)
