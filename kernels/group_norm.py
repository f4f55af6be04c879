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
from typing import Any

import numpy as np

from .common import (
    Array,
    aligned,
    batch_last,
    contiguous,
    empty,
    from_batch_last,
    launch,
    operation,
    xp,
)
from .group_norm_loops import (
    add_parts,
    gradient_by_group,
    gradient_by_piece,
    normalise_by_group,
    normalise_by_piece,
)
from .group_norm_rows import TILE, Loop
from .group_norm_tiles import (
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
    y, parts, inverse = empty(x, x.shape), _pieces(shape, 3, x.dtype), aligned(groups_of(shape), x.dtype)
    mean, var = (parts[i, 0] if parts.shape[1] == 1 else aligned(inverse.shape, x.dtype) for i in (0, 2))
    factors, most = (_spread(gamma, x), _spread(beta, x)), 4 if is_large(shape) or len(mean) >= 4 else 2
    tiles = plan(moments_tile if centred else uncentred_tile, x, most), plan(scale_tile, x, most)
    plans = *tiles, _loop(shape, x.itemsize, epsilon)
    normalise = normalise_by_piece if is_large(shape) else normalise_by_group
    normalise(_rows(y), mean, var, inverse, parts, _rows(x), *factors, plans)
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
    dx, most = empty(x, x.shape), 4 if is_large(shape) or groups_of(shape)[0] >= 4 else 2
    tiles = plan(sums_tile if centred else uncentred_sums_tile, x, most)
    # dgamma and dbeta from the images of each tile
    factors = aligned((len(tiles), 2, math.prod(x.shape[1:])), x.dtype)
    statistics = [batch_last(np.asarray(one, x.dtype)).reshape(groups_of(shape)) for one in (mean, var)]
    table, parts = aligned((3, *statistics[0].shape), x.dtype), _pieces(shape, 2, x.dtype)
    if parts.shape[1] == 1:
        parts = table[1:].reshape(parts.shape)
    known = _rows(g), _rows(x), _spread(gamma, x), *statistics
    gradient = gradient_by_piece if is_large(shape) else gradient_by_group
    plans = tiles, plan(combine_tile, x, most), _loop(shape, x.itemsize, epsilon)
    gradient(_rows(dx), table, parts, factors, *known, plans)
    dgamma, dbeta = aligned(x.shape[1:], x.dtype), aligned(x.shape[1:], x.dtype)
    add_parts(dgamma.reshape(-1), dbeta.reshape(-1), factors)
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


PIECE = 512  # rows of a group
LARGE = 2048  # rows of the groups side by side: passes over more are shared among the threads piece by piece


def _step(shape: tuple[int, ...]) -> int:
    """How much of the first reduced axis is a piece, for arrays (kept, reduced, kept, reduced, N): nobody's
    bits depend on the others, N.
    """
    _, reduced, _, last, _ = shape
    step = -(-PIECE // max(last, 1))
    return max(1, min(reduced, step if last >= TILE else -(-step // TILE) * TILE))


def is_large(shape: tuple[int, ...]) -> bool:
    _, reduced, inner, last, _ = shape
    return reduced * inner * last >= LARGE and reduced > _step(shape)


def _pieces(shape: tuple[int, ...], numbers: int, dtype: Any) -> np.ndarray:
    """Memory (numbers, pieces, groups, N) for what tiles find in each piece."""
    return aligned((numbers, -(-shape[1] // _step(shape)), *groups_of(shape)), dtype)


def _loop(shape: tuple[int, ...], itemsize: int, epsilon: float) -> tuple[Any, ...]:
    _, reduced, inner, last, images = shape
    return tuple(
        Loop(
            groups=groups_of(shape)[0], reduced=reduced, inner=inner, last=last, step=_step(shape),
            images=images, itemsize=itemsize, epsilon=epsilon,
        )
    )  # fmt: skip


def _rows(x: np.ndarray) -> np.ndarray:
    """View (features, N) of batch-last memory."""
    return batch_last(x).reshape(math.prod(x.shape[1:]), x.shape[0])


def kept(statistic: np.ndarray, shape: tuple[int, ...], axes: Axes) -> np.ndarray:
    """View (N, ..., 1 along `axes`)."""
    sizes = [1 if axis in axes else size for axis, size in enumerate(shape)]
    return from_batch_last(statistic.reshape((*sizes[1:], sizes[0])))


def _spread(factor: np.ndarray, x: np.ndarray) -> np.ndarray:
    """gamma or beta, one number for each feature of x: itself, if it is that."""
    if np.size(factor) == math.prod(x.shape[1:]):
        return contiguous(factor, x.dtype).reshape(-1)
    full = aligned(x.shape[1:], x.dtype)
    launch(np.copyto, full, factor)
    return full.reshape(-1)
