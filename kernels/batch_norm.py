"""Batch normalisation: every channel to mean 0 and variance 1 over the batch, then scaled and shifted.

    mean = E[x],  var = E[(x - mean)**2]                  over all axes but the last; biased (divided by the
                                                          count M)
    xhat = (x - mean) / sqrt(var + epsilon),   y = gamma xhat + beta

Backward, with the sums over the same axes (mean and var are functions of x, which gives the two sums in dx):

    dbeta = sum g,   dgamma = sum g xhat
    dx = gamma / sqrt(var + epsilon) * (g - dbeta / M - xhat dgamma / M)

Where dx comes from: with s = sqrt(var + epsilon), h = gamma g and L the loss, x acts on L directly, through
the mean and through the variance (d mean / dx = 1 / M,  d var / dx = 2 (x - mean) / M):

    dL/dvar = - sum(h xhat) / (2 s**2)                   (since d xhat / d var = - xhat / (2 s**2))
    dL/dmean = - sum(h) / s                              (the way through var adds nothing: sum(x - mean) = 0)
    dx = h / s + dL/dmean / M + dL/dvar 2 (x - mean) / M = (h - sum(h) / M - xhat sum(h xhat) / M) / s

and sum(h) = gamma dbeta, sum(h xhat) = gamma dgamma.

An example by hand: one channel of four numbers, epsilon = 4, gamma = 3, beta = 1. The loss is the first y.

    x = 1, 3, 5, 7                  mean = 4,  var = (9 + 1 + 1 + 9) / 4 = 5,  s = sqrt(5 + 4) = 3
    xhat = -1, -1/3, 1/3, 1         y = -2, 0, 2, 4
    g = 1, 0, 0, 0                  dbeta = 1,  dgamma = -1
    dx = 3/3 (g - 1/4 + xhat / 4) = 1/2, -1/3, -1/6, 0    (its sum is 0: a shift of all of x changes nothing)

`python examples/batch_norm_in_every_form.py` computes it by these formulas, on the tape, by finite
differences, in NumPy and with register tiles, and prints what each form has in hand on the way.

S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithm 1 and section 3.
epsilon lies inside the root.
"""

import math
from typing import Any

import numpy as np

from . import running_cuda
from .batch_norm_loops import (
    MAX_PIXELS_BY_CHANNEL,
    blocks_of,
    gradient_by_block,
    gradient_by_channel,
    is_small,
    normalise_by_block,
    normalise_by_channel,
    normalise_given,
    tables,
)
from .batch_norm_tiles import (
    Emitter,
    Tiles,
    combine_tile,
    gradient_sums_tile,
    moments_tile,
    normalise_tile,
    plan,
)
from .common import Array, aligned, batch_last, empty, is_on_gpu, launch, operation, serial, xp
from .emit import vectors
from .reduce import in_double


@operation("numpy", family="batch_norm")
def batch_norm(
    x: Array, gamma: Array, beta: Array, moving_mean: Array | None = None, moving_var: Array | None = None,
    *, epsilon: float, momentum: float = 0.99,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """x (N, ..., C), gamma and beta (C,) -> (y as x, mean (C,), var (C,)), var biased.

    Moving statistics (C,), if they are given, follow in place, by `momentum`: see `follow`.
    """
    xp_, axes, count = xp(x), tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean = in_double(x, axes) / count
    centred = x - mean
    var = in_double(centred * centred, axes) / count
    follow(moving_mean, moving_var, mean, var, momentum=momentum)
    return centred * (gamma / xp_.sqrt(var + epsilon)) + beta, mean, var


@batch_norm.implementation("numba")
def _(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, moving_mean: np.ndarray | None = None,
    moving_var: np.ndarray | None = None, *, epsilon: float, momentum: float = 0.99,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    y, mean, var = empty(x, x.shape), aligned(x.shape[-1:], x.dtype), aligned(x.shape[-1:], x.dtype)
    loop = normalise_by_channel if is_small(x) else normalise_by_block
    tiles = Tiles(plan(moments_tile, x), plan(normalise_tile, x), vectors(x.dtype).lanes, epsilon)
    loop(_rows(y), mean, var, *tables(x), _rows(x), gamma, beta, tuple(tiles))
    follow(moving_mean, moving_var, mean, var, momentum=momentum)
    return y, mean, var


def explain(x: tuple[int, ...], *, dtype: Any = np.float32, epsilon: float = 0.0, rate: float = 0.0) -> str:
    """Says how the work on x (N, ..., C) is divided, and why."""
    pixels = math.prod(x[1:-1])
    most = MAX_PIXELS_BY_CHANNEL
    divided = f"by blocks of pixels, read as they lie in memory: maps of {pixels} pixels, more than {most}"
    if pixels <= most:
        divided = f"by channels: maps of {pixels} pixels, {most} at most, stay in one thread's cache"
    return f"batch_norm {x}, {np.dtype(dtype)}\n  register tiles of a few channels, divided {divided}"


@operation("numpy", family="batch_norm")
def batch_norm_grad(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float
) -> tuple[Array, Array, Array]:
    """g and x (N, ..., C), the rest (C,) -> (dx as x, dgamma (C,), dbeta (C,))."""
    xp_ = xp(x)
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    inverse = 1.0 / xp_.sqrt(var + epsilon)
    xhat = (x - mean) * inverse
    dbeta, dgamma = in_double(g, axes), in_double(g * xhat, axes)
    dx = (gamma * inverse) * (g - dbeta / count - xhat * (dgamma / count))
    return dx, dgamma, dbeta


@batch_norm_grad.implementation("numba")
def _(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> tuple[np.ndarray, ...]:
    dx, factors = empty(x, x.shape), aligned((2, *gamma.shape), gamma.dtype)  # dgamma and dbeta (2, C)
    run_gradient(dx, factors, combine_tile, g, x, gamma, mean, var, epsilon)
    return dx, factors[0], factors[1]


def run_gradient(
    dx: Array, factors: Array, combine: Emitter, g: Array, x: Array, gamma: Array, mean: Array, var: Array,
    epsilon: float,
) -> None:  # fmt: skip
    """dx and the factors (2 or 3, C), by the tiles that `combine` writes for the second pass."""
    g = np.asarray(g, x.dtype)
    loop = gradient_by_channel if is_small(x) else gradient_by_block
    tiles = Tiles(plan(gradient_sums_tile, x), plan(combine, x), vectors(x.dtype).lanes, epsilon)
    loop(_rows(dx), factors, *tables(x), _rows(g), _rows(x), gamma, mean, var, tuple(tiles))


@operation("numpy", family="batch_norm")
def batch_norm_inference(
    x: Array, gamma: Array, beta: Array, mean: Array, var: Array, *, epsilon: float
) -> Array:
    """The same y from given statistics: x (N, ..., C), the rest (C,) -> y as x."""
    return (x - mean) * (gamma / xp(x).sqrt(var + epsilon)) + beta


@batch_norm_inference.implementation("numba")
def _(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> np.ndarray:
    y, constants, tiles = empty(x, x.shape), aligned((4, x.shape[-1]), x.dtype), plan(normalise_tile, x)
    numbers = Tiles(tiles, tiles, vectors(x.dtype).lanes, epsilon)
    normalise_given(_rows(y), constants, _rows(x), gamma, beta, mean, var, blocks_of(x), tuple(numbers))
    return y


def follow(
    moving_mean: Array | None, moving_var: Array | None, mean: Array, var: Array, *, momentum: float
) -> None:
    """moving <- momentum moving + (1 - momentum) batch, in place, for both statistics, if there are any."""
    if moving_mean is None or moving_var is None:
        return
    if isinstance(mean, np.ndarray):
        keep, take = (moving_mean.dtype.type(factor) for factor in (momentum, 1 - momentum))
        launch(_follow, moving_mean, moving_var, mean, var, keep, take)
    elif is_on_gpu(mean) and moving_mean.flags.c_contiguous and moving_mean.dtype.char in "fd":
        running_cuda.follow(moving_mean, moving_var, mean, var, momentum)
    else:
        moving_mean[...] = moving_mean * momentum + mean * (1 - momentum)
        moving_var[...] = moving_var * momentum + var * (1 - momentum)


@serial
def _follow(moving_mean, moving_var, mean, var, keep, take):  # type: ignore[no-untyped-def]
    for c in range(mean.size):
        moving_mean[c] = moving_mean[c] * keep + mean[c] * take
        moving_var[c] = moving_var[c] * keep + var[c] * take


def _rows(x: np.ndarray) -> np.ndarray:
    """View (pixels, C, N) of an array (N, ..., C) in batch-last memory: a row per pixel and channel."""
    return batch_last(x).reshape(math.prod(x.shape[1:-1]), x.shape[-1], x.shape[0])
