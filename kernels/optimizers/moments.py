"""Adam and its relatives: running means of the gradient (m) and of its square or largest size (v, u).

Kingma & Ba, "Adam: a method for stochastic optimization" (2015). The bias corrections depend only on the
number t of the step; the optimizer classes compute them once and pass them in. tinynet/optimizers/adam.py,
with eta the learning rate:

    alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

@swept(adam, coefficients) makes one launch of the loop below it, for all variables of a net. The loop sees
each of them as one axis. `coefficients` says which numbers, computed at each step from the arguments by name,
it is given as the array c. A slot that is not used (peak without AMSGrad) is an array of size 0 there.
"""

import math

from ..common import Array, operation, xp
from .sweep import swept


@operation("numpy", family="optimizers")
def adam(
    w: Array, g: Array, m: Array, v: Array, peak: Array | None = None,
    *, alpha: float, beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    """m <- m + (1-beta_1)(g - m); v <- v + (1-beta_2)(g^2 - v); w <- w - alpha m / (sqrt(v) + epsilon).

    alpha = eta sqrt(1 - beta_2^t) / (1 - beta_1^t): section 2's efficient order of the bias corrections, in
    which epsilon stands beside the uncorrected root ("epsilon hat"). AMSGrad (slot peak) divides by the
    largest v so far, peak <- max(peak, v), uncorrected: Reddi et al., "On the convergence of Adam and beyond"
    (2018), algorithm 2.
    """
    m[...] = m + (1 - beta_1) * (g - m)
    v[...] = v + (1 - beta_2) * (g * g - v)
    if peak is not None:
        peak[...] = xp(w).maximum(peak, v)
        v = peak
    w[...] = w - alpha * m / (xp(w).sqrt(v) + epsilon)


@swept(adam, lambda alpha, beta_1, beta_2, epsilon: (alpha, 1 - beta_1, 1 - beta_2, epsilon))
def _adam(w, g, m, v, peak, c):
    alpha, rate_1, rate_2, epsilon, amsgrad = c[0], c[1], c[2], c[3], peak.size > 0
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        v[i] += rate_2 * (g[i] * g[i] - v[i])
        second = v[i]
        if amsgrad:
            peak[i] = max(peak[i], second)
            second = peak[i]
        w[i] -= alpha * m[i] / (math.sqrt(second) + epsilon)


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


@swept(adamax, lambda alpha, beta_1, beta_2, epsilon: (alpha, 1 - beta_1, beta_2, epsilon))
def _adamax(w, g, m, u, c):
    alpha, rate_1, beta_2, epsilon = c[0], c[1], c[2], c[3]
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        u[i] = max(beta_2 * u[i], abs(g[i]))
        w[i] -= alpha * m[i] / (u[i] + epsilon)


@operation("numpy", family="optimizers")
def nadam(
    w: Array, g: Array, m: Array, v: Array,
    *, alpha: float, ahead: float, v_scale: float, beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    """m and v as in Adam; w <- w - alpha (g + ahead m) / (sqrt(v_scale v) + epsilon).

    `alpha` and `ahead` hold eta and the corrected momentum schedule, v_scale = 1 / (1 - beta_2^t): Dozat,
    "Incorporating Nesterov momentum into Adam" (2016), the algorithm Nadam.
    Epsilon stands beside the corrected root.
    """
    m[...] = m + (1 - beta_1) * (g - m)
    v[...] = v + (1 - beta_2) * (g * g - v)
    w[...] = w - alpha * (g + ahead * m) / (xp(w).sqrt(v_scale * v) + epsilon)


@swept(
    nadam,
    lambda alpha, ahead, v_scale, beta_1, beta_2, epsilon: (
        alpha, ahead, v_scale, 1 - beta_1, 1 - beta_2, epsilon,
    ),
)  # fmt: skip
def _nadam(w, g, m, v, c):
    alpha, ahead, v_scale, rate_1, rate_2, epsilon = c[0], c[1], c[2], c[3], c[4], c[5]
    for i in range(w.size):
        m[i] += rate_1 * (g[i] - m[i])
        v[i] += rate_2 * (g[i] * g[i] - v[i])
        w[i] -= alpha * (g[i] + ahead * m[i]) / (math.sqrt(v_scale * v[i]) + epsilon)


@operation("numpy", family="optimizers")
def lion(w: Array, g: Array, m: Array, *, learning_rate: float, beta_1: float, beta_2: float) -> None:
    """w <- w - eta sign(beta_1 m + (1-beta_1) g); then m <- beta_2 m + (1-beta_2) g.

    Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2. Every element moves by
    eta, or not at all where the sign's argument is 0.
    """
    w[...] = w - learning_rate * xp(w).sign(beta_1 * m + (1 - beta_1) * g)
    m[...] = beta_2 * m + (1 - beta_2) * g


@swept(lion, lambda learning_rate, beta_1, beta_2: (learning_rate, beta_1, 1 - beta_1, 1 - beta_2))
def _lion(w, g, m, c):
    learning_rate, beta_1, rate_1, rate_2 = c[0], c[1], c[2], c[3]
    for i in range(w.size):
        direction = beta_1 * m[i] + rate_1 * g[i]
        step = direction  # 0, or NaN
        if direction > 0:
            step = learning_rate
        if direction < 0:
            step = -learning_rate
        w[i] -= step
        m[i] += rate_2 * (g[i] - m[i])
