"""Means beside the rules: of gradients over several steps before a rule, and of weights after it.

The rows of a table (sweep.py) hold, as w and g, a collected gradient and a new one; as w and first slot, a
mean and its weight.
"""

from ..common import Array, operation, serial
from .sweep import sweep_of


@operation("numpy", family="optimizers")
def collect(total: Array, g: Array, *, scale: float = 1, steps: int = 1, add: bool = True) -> None:
    """total <- (total + g / scale) / steps; without `add`, g / scale alone."""
    if scale != 1:
        g = g / scale
    if add:
        g = total + g
    total[...] = g / steps


@serial
def _collect(total, g, c):
    scale, steps, add = c[0], c[1], c[2] != 0
    for i in range(total.size):
        new = g[i] / scale
        if add:
            new += total[i]
        total[i] = new / steps


@serial
def _clear(total, c):
    for i in range(total.size):
        total[i] = 0


collect_sweep = sweep_of(_collect)  # c = (scale, steps, add)
clear_sweep = sweep_of(_clear)  # of c only the dtype matters


@operation("numpy", family="optimizers")
def average(mean: Array, w: Array, *, momentum: float, overwrite: bool = False) -> None:
    """mean <- mu mean + (1-mu) w, the exponential moving average; then w <- mean, if `overwrite`.

    Polyak & Juditsky, "Acceleration of stochastic approximation by averaging" (1992),
    with weights that fade out.
    """
    mean[...] = momentum * mean + (1 - momentum) * w
    if overwrite:
        w[...] = mean


@serial
def _average(mean, _, w, c):
    momentum, rate, overwrite = c[0], c[1], c[2] != 0
    for i in range(mean.size):
        mean[i] = momentum * mean[i] + rate * w[i]
        if overwrite:
            w[i] = mean[i]


average_sweep = sweep_of(_average)  # c = (momentum, 1 - momentum, overwrite)
