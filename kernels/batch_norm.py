"""Batch normalisation: every channel to mean 0 and variance 1 over the batch, then scaled and shifted.

    mean = E[x],  var = E[(x - mean)**2]                  over all axes but the last; biased (divided by the count M)
    xhat = (x - mean) / sqrt(var + epsilon),   y = gamma xhat + beta

Backward, with the sums over the same axes (mean and var are functions of x, which gives the two sums in dx):

    dbeta = sum g,   dgamma = sum g xhat
    dx = gamma / sqrt(var + epsilon) * (g - dbeta / M - xhat dgamma / M)

Where dx comes from: with s = sqrt(var + epsilon), h = gamma g and L the loss, x acts on L directly, through the mean and
through the variance (d mean / dx = 1 / M,  d var / dx = 2 (x - mean) / M):

    dL/dvar = - sum(h xhat) / (2 s**2)
    dL/dmean = - sum(h) / s                              (the way through var adds nothing: sum(x - mean) = 0)
    dx = h / s + dL/dmean / M + dL/dvar 2 (x - mean) / M = (h - sum(h) / M - xhat sum(h xhat) / M) / s

and sum(h) = gamma dbeta, sum(h xhat) = gamma dgamma.

S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithm 1 and section 3. epsilon lies inside the root.
"""

import math

import numpy as np

from .common import Array, batch_last, empty, operation, parallel, prange, serial, xp
from .sums import add, add_product, clear, fold


@operation("numpy", family="batch_norm")
def batch_norm(x: Array, gamma: Array, beta: Array, *, epsilon: float) -> tuple[Array, Array, Array]:
    """x (N, ..., C), gamma and beta (C,) -> (y as x, mean (C,), var (C,)), var biased."""
    xp_ = xp(x)
    axes = tuple(range(x.ndim - 1))
    mean = xp_.mean(x, axis=axes)
    centred = x - mean
    var = xp_.mean(centred * centred, axis=axes)
    return centred * (gamma / xp_.sqrt(var + epsilon)) + beta, mean, var


@batch_norm.implementation("numba")
def _(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, epsilon: float) -> tuple[np.ndarray, ...]:
    y, mean, var = empty(x, x.shape), np.empty(x.shape[-1], x.dtype), np.empty(x.shape[-1], x.dtype)
    _batch_norm(_rows(y), mean, var, *_two_tables(x), _rows(x), gamma, beta, epsilon)
    return y, mean, var


BLOCKS = 64  # the pixels are divided into this many parts, at any number of threads, so that sums have the same bits


def _two_tables(x: np.ndarray) -> np.ndarray:
    """Two empty tables (blocks, C), for the sums that each block of pixels contributes."""
    return np.empty((2, min(math.prod(x.shape[1:-1]), BLOCKS), x.shape[-1]))


@parallel
def _batch_norm(y, mean, var, sums, squares, x, gamma, beta, epsilon):  # type: ignore[no-untyped-def]
    (pixels, channels, images), blocks = x.shape, len(sums)
    for b in prange(blocks):
        _moments(sums[b], squares[b], x[b * pixels // blocks : (b + 1) * pixels // blocks])
    scale = np.empty_like(gamma)
    for c in range(channels):
        total, central = 0.0, 0.0
        for b in range(blocks):
            total += sums[b, c]
        centre = total / (pixels * images)
        for b in range(blocks):
            # Sum of squares about the common mean = the block's own + count (difference of means)**2.
            count = ((b + 1) * pixels // blocks - b * pixels // blocks) * images
            central += squares[b, c] + count * (sums[b, c] / count - centre) ** 2
        mean[c], var[c] = centre, central / (pixels * images)
        scale[c] = gamma[c] / np.sqrt(central / (pixels * images) + epsilon)
    for p in prange(pixels):
        for c in range(channels):
            _normalise(y[p, c], x[p, c], mean[c], scale[c], beta[c])


@serial
def _moments(sums, squares, x):  # type: ignore[no-untyped-def]
    """Per channel of a block x (pixels, C, N), small enough for the cache: sum, and sum of squares about its mean.

    Running sums are kept in x's precision, about a number of the channel's own, so that a mean far from 0 costs no
    digits; what blocks contribute is added in double precision.
    """
    (pixels, channels, images), lanes = x.shape, np.empty(x.shape[2], x.dtype)
    for c in range(channels):
        shift = x[0, c, 0]
        clear(lanes)
        for p in range(pixels):
            add(lanes, x[p, c], shift)
        sums[c] = fold(lanes) + pixels * images * np.float64(shift)
        mean = x.dtype.type(sums[c] / (pixels * images))
        clear(lanes)
        for p in range(pixels):
            _add_square(lanes, x[p, c], mean)
        squares[c] = fold(lanes)


@serial
def _add_square(lanes, row, mean):  # type: ignore[no-untyped-def]
    for n in range(row.size):
        lanes[n] += (row[n] - mean) * (row[n] - mean)


@serial
def _normalise(y, x, mean, scale, beta):  # type: ignore[no-untyped-def]
    for n in range(x.size):
        y[n] = (x[n] - mean) * scale + beta


@operation("numpy", family="batch_norm")
def batch_norm_grad(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float
) -> tuple[Array, Array, Array]:
    """g and x (N, ..., C), the rest (C,) -> (dx as x, dgamma (C,), dbeta (C,))."""
    xp_ = xp(x)
    axes = tuple(range(x.ndim - 1))
    count = x.size // x.shape[-1]
    inverse = 1.0 / xp_.sqrt(var + epsilon)
    xhat = (x - mean) * inverse
    dbeta = xp_.sum(g, axis=axes)
    dgamma = xp_.sum(g * xhat, axis=axes)
    dx = (gamma * inverse) * (g - dbeta / count - xhat * (dgamma / count))
    return dx, dgamma, dbeta


@batch_norm_grad.implementation("numba")
def _(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> tuple[np.ndarray, ...]:
    dx, dgamma, dbeta = empty(x, x.shape), np.empty_like(gamma), np.empty_like(gamma)
    _batch_norm_grad(_rows(dx), dgamma, dbeta, *_two_tables(x), _rows(g), _rows(x), gamma, mean, var, epsilon)
    return dx, dgamma, dbeta


@parallel
def _batch_norm_grad(dx, dgamma, dbeta, sums, products, g, x, gamma, mean, var, epsilon):  # type: ignore[no-untyped-def]
    (pixels, channels, images), blocks = x.shape, len(sums)
    for b in prange(blocks):
        first, end = b * pixels // blocks, (b + 1) * pixels // blocks
        _gradient_sums(sums[b], products[b], g[first:end], x[first:end], mean)
    factors = np.empty((channels, 3), x.dtype)  # columns a, k, mean of g: dx = a (g - mean of g) - k (x - mean)
    for c in range(channels):
        inverse = 1.0 / np.sqrt(var[c] + epsilon)
        total, product = 0.0, 0.0
        for b in range(blocks):
            total += sums[b, c]
            product += products[b, c]
        dgamma[c], dbeta[c] = product * inverse, total
        count = pixels * images
        # product = sum g (x - mean) = dgamma s, so xhat dgamma / M / s = (x - mean) product / (M s**3) before gamma
        factors[c, 0], factors[c, 1] = gamma[c] * inverse, gamma[c] * inverse**3 * product / count
        factors[c, 2] = total / count
    for p in prange(pixels):
        for c in range(channels):
            _combine(dx[p, c], g[p, c], x[p, c], mean[c], factors[c, 0], factors[c, 1], factors[c, 2])


@serial
def _gradient_sums(sums, products, g, x, mean):  # type: ignore[no-untyped-def]
    """Per channel of a block: sums of g and of g (x - mean)."""
    lanes = np.empty(x.shape[2], x.dtype)
    for c in range(x.shape[1]):
        clear(lanes)
        for p in range(x.shape[0]):
            add(lanes, g[p, c], x.dtype.type(0))
        sums[c] = fold(lanes)
        clear(lanes)
        for p in range(x.shape[0]):
            add_product(lanes, g[p, c], x[p, c], mean[c])
        products[c] = fold(lanes)


@serial
def _combine(dx, g, x, mean, a, k, mean_g):  # type: ignore[no-untyped-def]
    for n in range(g.size):
        dx[n] = a * (g[n] - mean_g) - k * (x[n] - mean)


@operation("numpy", family="batch_norm")
def batch_norm_inference(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, *, epsilon: float) -> Array:
    """The same y from given statistics: x (N, ..., C), the rest (C,) -> y as x."""
    return (x - mean) * (gamma / xp(x).sqrt(var + epsilon)) + beta


@batch_norm_inference.implementation("numba")
def _(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> np.ndarray:
    y = empty(x, x.shape)
    scale = (gamma / np.sqrt(var + epsilon)).astype(x.dtype)
    _batch_norm_inference(_rows(y), _rows(x), scale, mean, beta)
    return y


@parallel
def _batch_norm_inference(y, x, scale, mean, beta):  # type: ignore[no-untyped-def]
    for p in prange(x.shape[0]):
        for c in range(x.shape[1]):
            _normalise(y[p, c], x[p, c], mean[c], scale[c], beta[c])


def _rows(x: np.ndarray) -> np.ndarray:
    """View (pixels, C, N) of an array (N, ..., C) in batch-last memory: a row per pixel and channel."""
    return batch_last(x).reshape(math.prod(x.shape[1:-1]), x.shape[-1], x.shape[0])
