"""The compiled loops of normalisation within samples: which tiles (group_norm_tiles.py) pass over which rows.

Arrays are (features, N), as they lie in memory. There are two passes, one for the statistics or sums and one
with what follows from them. The rows of a group are cut into pieces, each a tile's. What a piece of m_k
numbers has is joined in double precision:

    mean = sum of m_k mean_k / M,   var = sum of m_k (var_k + (mean_k - mean)**2) / M

T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983. Pieces are cut
by the shape of a sample alone: its statistics have the same bits in any batch, at any number of threads, and
whether a group's passes are one thread's or its pieces are shared.
"""

import numpy as np

from .common import parallel, prange, serial
from .emit import call_kernel
from .group_norm_rows import Loop, first_row, place_of, rows_of, size_of
from .group_norm_tiles import CombineCall, MomentsCall, ScaleCall, SumsCall


@parallel
def normalise_by_group(y, mean, var, inverse, parts, x, gamma, beta, plans):  # type: ignore[no-untyped-def]
    """y, mean and var (groups, N), by way of `parts` (3, pieces, groups, N). Where there is a single piece,
    mean and var are parts[0, 0] and parts[2, 0]. `plans`: tables of both passes' tiles, and Loop's numbers.
    """
    first, second, numbers = plans
    loop, calls, pieces = Loop(*numbers), len(first), parts.shape[1]
    moments, scale = _moments_of(parts, x), _scale_of(y, mean, inverse, x, gamma, beta)
    for task in prange(len(mean) * calls):
        group, call = task // calls, task % calls
        for piece in range(pieces):
            _moments(moments, loop, (group, piece), _tile(first, call))
        if pieces > 1:
            _join_moments(mean, var, parts, loop, group, _tile(first, call))
        _invert(inverse, var, loop, group, _tile(first, call))
        for piece in range(pieces):
            _scale(scale, loop, (group, piece), _tile(second, call))


@parallel
def normalise_by_piece(y, mean, var, inverse, parts, x, gamma, beta, plans):  # type: ignore[no-untyped-def]
    """The same of large groups, of which the cache keeps little for the second pass: all is read nearly as it
    lies in memory.
    """
    first, second, numbers = plans
    loop, calls, pieces = Loop(*numbers), len(first), parts.shape[1]
    moments, scale = _moments_of(parts, x), _scale_of(y, mean, inverse, x, gamma, beta)
    for task in prange(len(mean) * pieces * calls):
        _moments(moments, loop, place_of(task // calls, loop, pieces), _tile(first, task % calls))
    for task in prange(len(mean) * calls):
        _join_moments(mean, var, parts, loop, task // calls, _tile(first, task % calls))
        _invert(inverse, var, loop, task // calls, _tile(first, task % calls))
    for task in prange(len(mean) * pieces * calls):
        _scale(scale, loop, place_of(task // calls, loop, pieces), _tile(second, task % calls))


@parallel
def gradient_by_group(dx, table, parts, factors, g, x, gamma, mean, var, plans):  # type: ignore[no-untyped-def]
    """dx; dgamma and dbeta of each call in `factors`, by way of `table` (3, groups, N) and `parts`
    (2, pieces, groups, N), which of a single piece are table[1:].
    """
    first, second, numbers = plans
    loop, calls, pieces = Loop(*numbers), len(first), parts.shape[1]
    sums = _sums_of(parts, factors, g, x, gamma, mean, table)
    combine = _combine_of(dx, g, x, gamma, mean, table)
    for task in prange(len(mean) * calls):
        group, call = task // calls, task % calls
        _invert(table[0], var, loop, group, _tile(first, call))
        for piece in range(pieces):
            _sums(sums, loop, (group, piece), _tile(first, call), call * factors.strides[0])
        if pieces > 1:
            _join_sums(table, parts, loop, group, _tile(first, call))
        for piece in range(pieces):
            _combine(combine, loop, (group, piece), _tile(second, call))


@parallel
def gradient_by_piece(dx, table, parts, factors, g, x, gamma, mean, var, plans):  # type: ignore[no-untyped-def]
    """The same of large groups."""
    first, second, numbers = plans
    loop, calls, pieces = Loop(*numbers), len(first), parts.shape[1]
    sums = _sums_of(parts, factors, g, x, gamma, mean, table)
    combine = _combine_of(dx, g, x, gamma, mean, table)
    for task in prange(len(mean) * calls):
        _invert(table[0], var, loop, task // calls, _tile(first, task % calls))
    for task in prange(len(mean) * pieces * calls):
        place, call = place_of(task // calls, loop, pieces), task % calls
        _sums(sums, loop, place, _tile(first, call), call * factors.strides[0])
    for task in prange(len(mean) * calls):
        _join_sums(table, parts, loop, task // calls, _tile(first, task % calls))
    for task in prange(len(mean) * pieces * calls):
        _combine(combine, loop, place_of(task // calls, loop, pieces), _tile(second, task % calls))


@parallel
def add_parts(dgamma, dbeta, factors):  # type: ignore[no-untyped-def]
    """dgamma and dbeta, from those of each call."""
    for f in prange(dgamma.size):
        one, other = 0.0, 0.0
        for call in range(factors.shape[0]):
            one += factors[call, 0, f]
            other += factors[call, 1, f]
        dgamma[f], dbeta[f] = one, other


# A tile is (address, first image, images), a place (group, piece). What is called for each of them gets
# numbers alone: the references to arrays that are passed on are counted, by an atomic change for each. The
# addresses of whole arrays are in the order of the call that they are for.


@serial
def _tile(table, call):  # type: ignore[no-untyped-def]
    return table[call, 0], table[call, 1], table[call, 2]


@serial
def _offsets(loop, place, tile):  # type: ignore[no-untyped-def]
    """Where a call begins, in bytes: in arrays like x, (groups, N), (pieces, groups, N) and (features,)."""
    row, group = first_row(loop, place), place[0] * loop.images + tile[1]
    part = place[1] * loop.groups * loop.images + group
    size = loop.itemsize
    return (row * loop.images + tile[1]) * size, group * size, part * size, row * size


@serial
def _moments_of(parts, x):  # type: ignore[no-untyped-def]
    return _address(x), _address(parts), _address(parts[1:]), _address(parts[2:])


@serial
def _moments(whole, loop, place, tile):  # type: ignore[no-untyped-def]
    whole = MomentsCall(*whole)
    here, _, part, _ = _offsets(loop, place, tile)
    moments = MomentsCall(
        x=whole.x + here, mean=whole.mean + part, rounding=whole.rounding + part, var=whole.var + part
    )
    call_kernel(tile[0], (moments, rows_of(loop, place, tile[2])))


@serial
def _join_moments(mean, var, parts, loop, group, tile):  # type: ignore[no-untyped-def]
    """mean and var of the group, for the images of a call."""
    _, first, images = tile
    centre, square, count = np.zeros(images), np.zeros(images), loop.reduced * loop.last
    for piece in range(parts.shape[1]):
        near, rounding = parts[0, piece, group, first:], parts[1, piece, group, first:]
        m = size_of(loop, piece)
        for n in range(images):
            centre[n] += m * (np.float64(near[n]) + rounding[n])
    for n in range(images):
        centre[n] /= count
    for piece in range(parts.shape[1]):
        near, rounding = parts[0, piece, group, first:], parts[1, piece, group, first:]
        m = size_of(loop, piece)
        for n in range(images):
            d = near[n] - centre[n] + rounding[n]
            square[n] += m * (parts[2, piece, group, first + n] + d * d)
    for n in range(images):
        mean[group, first + n], var[group, first + n] = centre[n], square[n] / count


@serial
def _invert(inverse, var, loop, group, tile):  # type: ignore[no-untyped-def]
    _, first, images = tile
    here, there = inverse[group, first : first + images], var[group, first : first + images]
    for n in range(images):
        here[n] = 1.0 / np.sqrt(np.float64(there[n]) + loop.epsilon)


@serial
def _scale_of(y, mean, inverse, x, gamma, beta):  # type: ignore[no-untyped-def]
    return (
        _address(y), _address(x), _address(mean), _address(inverse), _address(gamma), _address(beta)
    )  # fmt: skip


@serial
def _scale(whole, loop, place, tile):  # type: ignore[no-untyped-def]
    whole = ScaleCall(*whole)
    here, there, _, factor = _offsets(loop, place, tile)
    scale = ScaleCall(
        y=whole.y + here, x=whole.x + here, mean=whole.mean + there, inverse=whole.inverse + there,
        gamma=whole.gamma + factor, beta=whole.beta + factor,
    )  # fmt: skip
    call_kernel(tile[0], (scale, rows_of(loop, place, tile[2])))


@serial
def _sums_of(parts, factors, g, x, gamma, mean, table):  # type: ignore[no-untyped-def]
    return (
        _address(g), _address(x), _address(mean), _address(table), _address(gamma), _address(factors),
        _address(factors) + factors.strides[1], _address(parts), _address(parts[1:]),
    )  # fmt: skip


@serial
def _sums(whole, loop, place, tile, own):  # type: ignore[no-untyped-def]
    """`own`: bytes to the call's own dgamma and dbeta."""
    whole = SumsCall(*whole)
    here, there, part, factor = _offsets(loop, place, tile)
    sums = SumsCall(
        g=whole.g + here, x=whole.x + here, mean=whole.mean + there, inverse=whole.inverse + there,
        gamma=whole.gamma + factor, dgamma=whole.dgamma + own + factor, dbeta=whole.dbeta + own + factor,
        total=whole.total + part, product=whole.product + part,
    )  # fmt: skip
    call_kernel(tile[0], (sums, rows_of(loop, place, tile[2])))


@serial
def _join_sums(table, parts, loop, group, tile):  # type: ignore[no-untyped-def]
    """total and product of the group: means of those of its pieces, for the images of a call."""
    _, first, images = tile
    for which in range(2):
        total = np.zeros(images)
        for piece in range(parts.shape[1]):
            m = size_of(loop, piece)
            for n in range(images):
                total[n] += m * np.float64(parts[which, piece, group, first + n])
        for n in range(images):
            table[1 + which, group, first + n] = total[n] / (loop.reduced * loop.last)


@serial
def _combine_of(dx, g, x, gamma, mean, table):  # type: ignore[no-untyped-def]
    return (
        _address(dx), _address(g), _address(x), _address(mean), _address(table), _address(gamma),
        _address(table[1:]), _address(table[2:]),
    )  # fmt: skip


@serial
def _combine(whole, loop, place, tile):  # type: ignore[no-untyped-def]
    whole = CombineCall(*whole)
    here, there, _, factor = _offsets(loop, place, tile)
    combine = CombineCall(
        dx=whole.dx + here, g=whole.g + here, x=whole.x + here, mean=whole.mean + there,
        inverse=whole.inverse + there, gamma=whole.gamma + factor, total=whole.total + there,
        product=whole.product + there,
    )  # fmt: skip
    call_kernel(tile[0], (combine, rows_of(loop, place, tile[2])))


@serial
def _address(x):  # type: ignore[no-untyped-def]
    return np.int64(x.ctypes.data)
