"""Normalisation within each sample: groups of its features to mean 0 and variance 1, then scaled and shifted.

The axes of x (N, ...) other than the batch are reduced (`axes`) or kept: a group is what the reduced axes
span in one sample at one place of the kept ones. M numbers make up a group; xhat is as in batch
normalisation, with other sums:

    mean = E[x],  var = E[(x - mean)**2]               over `axes`; biased (divided by M)
    xhat = (x - mean) / sqrt(var + epsilon),   y = gamma xhat + beta,
    gamma and beta broadcast to x's features

Backward, with h = gamma g and the sums over the same axes (batch_norm.py derives it):

    dgamma = sum g xhat,  dbeta = sum g                over the samples, one for every feature
    dx = (h - sum(h) / M - xhat sum(h xhat) / M) / sqrt(var + epsilon)

With centred=False the mean is taken as 0, so that var = E[x**2],
and sum(h) has no part in dx: RMS normalisation.

J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016, section 3 (the axes are those of gamma); Y.
Wu, K. He, "Group normalization", ECCV 2018, section 3.1; B. Zhang, R. Sennrich, "Root mean square layer
normalization", NeurIPS 2019, equation 4. epsilon lies inside the root in all three.
"""

import math
from typing import NamedTuple

import numpy as np

from .common import (
    Array,
    aligned,
    batch_last,
    empty,
    from_batch_last,
    launch,
    operation,
    parallel,
    prange,
    serial,
    xp,
)
from .emit import call_kernel
from .group_norm_tiles import (
    TILE,
    CombineCall,
    MomentsCall,
    Rows,
    ScaleCall,
    SumsCall,
    combine_tile,
    moments_tile,
    plan,
    scale_tile,
    sums_tile,
    uncentred_sums_tile,
    uncentred_tile,
)
from .reduce import in_double

Axes = tuple[int, ...]


@operation("numpy", family="group_norm")
def group_norm(
    x: Array, gamma: Array, beta: Array, *, axes: Axes, epsilon: float, centred: bool = True
) -> tuple[Array, Array, Array]:
    """x (N, ...), gamma and beta broadcastable to x's features -> (y as x,
    mean and var (N, ..., 1 along `axes`)).
    """
    xp_ = xp(x)
    count = math.prod(x.shape[a] for a in axes)
    mean = in_double(x, axes, keepdims=True) / count
    mean = mean if centred else xp_.zeros_like(mean)
    centre = x - mean
    var = in_double(centre * centre, axes, keepdims=True) / count
    return centre / xp_.sqrt(var + epsilon) * gamma + beta, mean, var


@group_norm.implementation("numba")
def _(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, axes: Axes, epsilon: float, centred: bool = True
) -> tuple[np.ndarray, ...]:
    shape = blocks_of(x.shape, axes)
    if shape is None:
        return group_norm["numpy"](x, gamma, beta, axes=axes, epsilon=epsilon, centred=centred)
    y, mean, var, inverse = empty(x, x.shape), *(aligned(groups_of(shape), x.dtype) for _ in range(3))
    factors, most = (_spread(gamma, x), _spread(beta, x)), 4 if len(mean) >= 4 else 2
    tiles = plan(moments_tile if centred else uncentred_tile, x, most)
    loop = _loop(shape, tiles, plan(scale_tile, x, most), epsilon)
    _group_norm(_rows(y), mean, var, inverse, _rows(x), *factors, tuple(loop))
    return y, kept(mean, x.shape, axes), kept(var, x.shape, axes)


@operation("numpy", family="group_norm")
def group_norm_grad(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    var: Array,
    *,
    axes: Axes,
    epsilon: float,
    centred: bool = True,
) -> tuple[Array, Array, Array]:
    """g and x (N, ...), the rest as group_norm has it -> (dx as x,
    dgamma and dbeta (...), one number for each feature).
    """
    xp_ = xp(x)
    count = math.prod(x.shape[a] for a in axes)
    inverse = 1.0 / xp_.sqrt(var + epsilon)
    xhat, h = (x - mean) * inverse, g * gamma
    dgamma, dbeta = in_double(g * xhat, 0), in_double(g, 0)
    dx = h - xhat * (in_double(h * xhat, axes, keepdims=True) / count)
    if centred:
        dx = dx - in_double(h, axes, keepdims=True) / count
    return dx * inverse, dgamma, dbeta


@group_norm_grad.implementation("numba")
def _(
    g: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    *,
    axes: Axes,
    epsilon: float,
    centred: bool = True,
) -> tuple[np.ndarray, ...]:
    g, shape = np.asarray(g, x.dtype), blocks_of(x.shape, axes)
    if shape is None:
        return group_norm_grad["numpy"](g, x, gamma, mean, var, axes=axes, epsilon=epsilon, centred=centred)
    dx, tiles = empty(x, x.shape), plan(sums_tile if centred else uncentred_sums_tile, x, 2)
    # dgamma and dbeta from the images of each tile
    parts = aligned((len(tiles), 2, math.prod(x.shape[1:])), x.dtype)
    statistics = [batch_last(np.asarray(one, x.dtype)).reshape(groups_of(shape)) for one in (mean, var)]
    table = aligned((3, *statistics[0].shape), x.dtype)
    loop = _loop(shape, tiles, plan(combine_tile, x, 2), epsilon)
    _group_norm_grad(_rows(dx), table, parts, _rows(g), _rows(x), _spread(gamma, x), *statistics, tuple(loop))
    dgamma, dbeta = aligned(x.shape[1:], x.dtype), aligned(x.shape[1:], x.dtype)
    _add_parts(dgamma.reshape(-1), dbeta.reshape(-1), parts)
    return dx, dgamma, dbeta


# The features in memory order are seen as (kept, reduced, kept, reduced), each of which may be 1: every
# choice of axes that the layers make has this form. A row is all samples of one feature.


def blocks_of(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...] | None:
    """(kept, reduced, kept, reduced, N), or None where the axes change their kind more often."""
    sizes, kind = [1], False
    for axis, size in enumerate(shape[1:], 1):
        if size != 1 and (axis in axes) != kind:
            sizes.append(1)
            kind = not kind
        sizes[-1] *= size
    return None if len(sizes) > 4 else (*sizes, *[1] * (4 - len(sizes)), shape[0])


def groups_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """(groups of a sample, N)"""
    return shape[0] * shape[2], shape[4]


class Loop(NamedTuple):
    """What the compiled loops read. A group's first row is (group // inner) block + (group % inner) last."""

    first: np.ndarray  # tables of the calls of both passes: address, first image, images
    second: np.ndarray
    epsilon: float
    inner: int
    block: int
    last: int
    outer: int  # the rest is in group_norm_tiles.py
    outer_step: int
    tiles: int
    rest: int
    step: int


def _loop(shape: tuple[int, ...], first: np.ndarray, second: np.ndarray, epsilon: float) -> Loop:
    """How the rows of a group lie, for arrays (kept, reduced, kept, reduced, N)."""
    _, reduced, inner, last, _ = shape
    loops = [(reduced, inner * last), (last, 1)]
    if last < TILE:  # the longer loop inside
        loops.reverse()
    (outer, outer_step), (many, step) = loops
    return Loop(
        first=first,
        second=second,
        epsilon=epsilon,
        inner=inner,
        block=reduced * inner * last,
        last=last,
        outer=outer,
        outer_step=outer_step,
        tiles=many // TILE,
        rest=many % TILE,
        step=step,
    )


def _rows(x: np.ndarray) -> np.ndarray:
    """View (features, N) of batch-last memory."""
    return batch_last(x).reshape(math.prod(x.shape[1:]), x.shape[0])


def kept(statistic: np.ndarray, shape: tuple[int, ...], axes: Axes) -> np.ndarray:
    """View (N, ..., 1 along `axes`)."""
    sizes = [1 if axis in axes else size for axis, size in enumerate(shape)]
    return from_batch_last(statistic.reshape((*sizes[1:], sizes[0])))


def _spread(factor: np.ndarray, x: np.ndarray) -> np.ndarray:
    """gamma or beta, one number for each feature of x."""
    full = aligned(x.shape[1:], x.dtype)
    launch(np.copyto, full, factor)
    return full


@serial
def _rows_of(loop, row_bytes, live):  # type: ignore[no-untyped-def]
    return Rows(
        row=row_bytes,
        outer=loop.outer,
        outer_step=loop.outer_step,
        tiles=loop.tiles,
        rest=loop.rest,
        step=loop.step,
        live=live,
    )


@parallel
def _group_norm(y, mean, var, inverse, x, gamma, beta, loop):  # type: ignore[no-untyped-def]
    loop = Loop(*loop)
    size, calls = x.itemsize, len(loop.first)
    for task in prange(len(mean) * calls):
        group, call = task // calls, task % calls
        first, images = loop.first[call, 1], loop.first[call, 2]
        row, rows = (
            group // loop.inner * loop.block + group % loop.inner * loop.last,
            _rows_of(loop, x.shape[1] * size, images),
        )
        here, there = (row * x.shape[1] + first) * size, (group * x.shape[1] + first) * size
        moments = MomentsCall(x=_address(x) + here, mean=_address(mean) + there, var=_address(var) + there)
        call_kernel(loop.first[call, 0], (moments, rows))
        _invert(inverse[group, first : first + images], var[group, first : first + images], loop.epsilon)
        scale = ScaleCall(
            y=_address(y) + here,
            x=moments.x,
            mean=moments.mean,
            inverse=_address(inverse) + there,
            gamma=_address(gamma) + row * size,
            beta=_address(beta) + row * size,
        )
        call_kernel(loop.second[call, 0], (scale, rows))


@parallel
def _group_norm_grad(dx, table, parts, g, x, gamma, mean, var, loop):  # type: ignore[no-untyped-def]
    loop = Loop(*loop)
    size, calls, inverse = x.itemsize, len(loop.first), table[0]
    for task in prange(len(mean) * calls):
        group, call = task // calls, task % calls
        first, images = loop.first[call, 1], loop.first[call, 2]
        row, rows = (
            group // loop.inner * loop.block + group % loop.inner * loop.last,
            _rows_of(loop, x.shape[1] * size, images),
        )
        here, there = (row * x.shape[1] + first) * size, (group * x.shape[1] + first) * size
        _invert(inverse[group, first : first + images], var[group, first : first + images], loop.epsilon)
        sums = SumsCall(
            g=_address(g) + here,
            x=_address(x) + here,
            mean=_address(mean) + there,
            inverse=_address(inverse) + there,
            gamma=_address(gamma) + row * size,
            dgamma=_address(parts[call, 0]) + row * size,
            dbeta=_address(parts[call, 1]) + row * size,
            total=_address(table[1]) + there,
            product=_address(table[2]) + there,
        )
        call_kernel(loop.first[call, 0], (sums, rows))
        combine = CombineCall(
            dx=_address(dx) + here,
            g=sums.g,
            x=sums.x,
            mean=sums.mean,
            inverse=sums.inverse,
            gamma=sums.gamma,
            total=sums.total,
            product=sums.product,
        )
        call_kernel(loop.second[call, 0], (combine, rows))


@serial
def _invert(inverse, var, epsilon):  # type: ignore[no-untyped-def]
    for n in range(var.size):
        inverse[n] = 1.0 / np.sqrt(np.float64(var[n]) + epsilon)


@parallel
def _add_parts(dgamma, dbeta, parts):  # type: ignore[no-untyped-def]
    for f in prange(dgamma.size):
        one, other = 0.0, 0.0
        for c in range(parts.shape[0]):
            one += parts[c, 0, f]
            other += parts[c, 1, f]
        dgamma[f], dbeta[f] = one, other


@serial
def _address(x):  # type: ignore[no-untyped-def]
    return np.int64(x.ctypes.data)
