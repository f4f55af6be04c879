"""Normalisation of whole samples that are large: pieces of their features, one after the other in memory.

    for each piece of the rows, each few vectors of images:    its moments, or the sums of its gradient
    for each image:                                            those of all pieces, in double precision
    for each piece of the rows:                                y, or dx

A sample of a map has thousands of rows, and few vectors of images are too few tasks. A piece is in the cache
when its deviations are squared, after its mean; pieces have means of their own:

    mean = sum of m_k mean_k / M,   var = sum of m_k (var_k + (mean_k - mean)**2) / M

T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983.
"""

from typing import NamedTuple

import numpy as np

from .common import parallel, prange, serial
from .emit import call_kernel
from .group_norm_tiles import TILE, CombineCall, MomentsCall, Rows, ScaleCall, SumsCall

PIECE = 512 // TILE * TILE  # rows: of 64 images 128 KB, a part of the second-level cache
MIN_PIECES = 4


class Pieces(NamedTuple):
    edges: np.ndarray  # the first row of each, and the end
    first: np.ndarray  # tables of the calls of both passes: address, first image, images
    second: np.ndarray
    epsilon: float


def row_pieces(shape: tuple[int, ...]) -> np.ndarray | None:
    """Where pieces of the rows begin, for features seen as (kept, reduced, kept, reduced, N); None where they
    are few, or a sample is several groups.
    """
    kept, rows, inner, last, images = shape
    if kept * inner * last > 1 or images == 0:
        return None
    edges = np.array([*range(0, rows, PIECE), rows])  # not by `images`: nobody's bits depend on the others
    return edges if len(edges) > MIN_PIECES else None


@serial
def invert(inverse, var, epsilon):  # type: ignore[no-untyped-def]
    for n in range(var.size):
        inverse[n] = 1.0 / np.sqrt(np.float64(var[n]) + epsilon)


@serial
def address_of(x):  # type: ignore[no-untyped-def]
    return np.int64(x.ctypes.data)


@serial
def _rows_between(first, end, row_bytes, live):  # type: ignore[no-untyped-def]
    rows = end - first
    return Rows(
        row=row_bytes, outer=1, outer_step=0, tiles=rows // TILE, rest=rows % TILE, step=1, live=live
    )  # fmt: skip


@parallel
def normalise_by_rows(y, mean, var, inverse, parts, x, gamma, beta, pieces):  # type: ignore[no-untyped-def]
    """y, mean and var (1, N), by way of `parts` (2, pieces, N)."""
    edges, first, second, epsilon = Pieces(*pieces)
    size, calls, row = x.itemsize, len(first), x.shape[1] * x.itemsize
    for task in prange((edges.size - 1) * calls):
        piece, call = task // calls, task % calls
        there, here = first[call, 1] * size, edges[piece] * row + first[call, 1] * size
        moments = MomentsCall(
            x=address_of(x) + here, mean=address_of(parts[0, piece]) + there,
            var=address_of(parts[1, piece]) + there,
        )  # fmt: skip
        rows = _rows_between(edges[piece], edges[piece + 1], row, first[call, 2])
        call_kernel(first[call, 0], (moments, rows))
    _join_moments(mean[0], var[0], parts, edges)
    invert(inverse[0], var[0], epsilon)
    for task in prange((edges.size - 1) * calls):
        piece, call = task // calls, task % calls
        there, here = second[call, 1] * size, edges[piece] * row + second[call, 1] * size
        scale = ScaleCall(
            y=address_of(y) + here, x=address_of(x) + here, mean=address_of(mean) + there,
            inverse=address_of(inverse) + there, gamma=address_of(gamma) + edges[piece] * size,
            beta=address_of(beta) + edges[piece] * size,
        )  # fmt: skip
        rows = _rows_between(edges[piece], edges[piece + 1], row, second[call, 2])
        call_kernel(second[call, 0], (scale, rows))


@serial
def _join_moments(mean, var, parts, edges):  # type: ignore[no-untyped-def]
    """mean and var of all pieces; with means of 0 they are mean squares."""
    for n in range(mean.size):
        total, square = 0.0, 0.0
        for k in range(edges.size - 1):
            total += (edges[k + 1] - edges[k]) * np.float64(parts[0, k, n])
        centre = total / edges[-1]
        for k in range(edges.size - 1):
            shift = np.float64(parts[0, k, n]) - centre
            square += (edges[k + 1] - edges[k]) * (np.float64(parts[1, k, n]) + shift * shift)
        mean[n], var[n] = centre, square / edges[-1]


@parallel
def gradient_by_rows(dx, table, parts, sums, g, x, gamma, mean, var, pieces):  # type: ignore[no-untyped-def]
    """dx; dgamma and dbeta of each call in `sums`; `table` (3, 1, N), `parts` (2, pieces, N)."""
    edges, first, second, epsilon = Pieces(*pieces)
    size, calls, row, inverse = x.itemsize, len(first), x.shape[1] * x.itemsize, table[0, 0]
    invert(inverse, var[0], epsilon)
    for task in prange((edges.size - 1) * calls):
        piece, call = task // calls, task % calls
        there, here = first[call, 1] * size, edges[piece] * row + first[call, 1] * size
        factor = edges[piece] * size
        piece_sums = SumsCall(
            g=address_of(g) + here, x=address_of(x) + here, mean=address_of(mean) + there,
            inverse=address_of(inverse) + there, gamma=address_of(gamma) + factor,
            dgamma=address_of(sums[call, 0]) + factor, dbeta=address_of(sums[call, 1]) + factor,
            total=address_of(parts[0, piece]) + there, product=address_of(parts[1, piece]) + there,
        )  # fmt: skip
        rows = _rows_between(edges[piece], edges[piece + 1], row, first[call, 2])
        call_kernel(first[call, 0], (piece_sums, rows))
    _join_means(table[1, 0], parts[0], edges)
    _join_means(table[2, 0], parts[1], edges)
    for task in prange((edges.size - 1) * calls):
        _combine_rows(task // calls, second[task % calls], edges, (dx, g, x, gamma, mean), table)


@serial
def _combine_rows(piece, tile, edges, arrays, table):  # type: ignore[no-untyped-def]
    """dx of a piece."""
    dx, g, x, gamma, mean = arrays
    row, there = x.shape[1] * x.itemsize, tile[1] * x.itemsize
    here = edges[piece] * row + there
    combine = CombineCall(
        dx=address_of(dx) + here, g=address_of(g) + here, x=address_of(x) + here,
        mean=address_of(mean) + there, inverse=address_of(table[0]) + there,
        gamma=address_of(gamma) + edges[piece] * x.itemsize, total=address_of(table[1]) + there,
        product=address_of(table[2]) + there,
    )  # fmt: skip
    call_kernel(tile[0], (combine, _rows_between(edges[piece], edges[piece + 1], row, tile[2])))


@serial
def _join_means(mean, parts, edges):  # type: ignore[no-untyped-def]
    """The mean over all rows, from those of the pieces."""
    for n in range(mean.size):
        total = 0.0
        for k in range(edges.size - 1):
            total += (edges[k + 1] - edges[k]) * np.float64(parts[k, n])
        mean[n] = total / edges[-1]


@parallel
def add_parts(dgamma, dbeta, parts):  # type: ignore[no-untyped-def]
    """dgamma and dbeta, from those of each few images."""
    for f in prange(dgamma.size):
        one, other = 0.0, 0.0
        for c in range(parts.shape[0]):
            one += parts[c, 0, f]
            other += parts[c, 1, f]
        dgamma[f], dbeta[f] = one, other
