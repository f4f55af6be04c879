"""The register tiles of normalisation within samples: a few vectors of images,
walked down the rows of a group, or of a piece of it (group_norm_rows.py).

A tile holds the statistics of its images, a column each, in registers on the way:

    moments_tile    mean and variance of x, which is read once: d = x - shift,
                    mean of d,  mean of d**2 - (mean of d)**2
    scale_tile      y = (x - mean) inverse gamma + beta
    sums_tile       sum of h and of h xhat over the group;  sum of g and of g xhat over the images,
                    for every row
    combine_tile    dx = h inverse - total - (x - mean) product,    h = gamma g

Eight rows are added up in x's precision, the eights in double precision. The shift is the mean of the first
eight rows. If they are a part 1 / m of all, the mean of d**2 is at most m times the variance, whatever x is:
few digits can be lost. The mean, shift + mean of d, is stored with what its rounding left out.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from .emit import VectorFunction, Vectors, address, vectors
from .group_norm_rows import Group, Sums, tree

Emitter = Callable[[int, Vectors, bool], VectorFunction]


class MomentsCall(NamedTuple):
    """What a moments tile is called with, and then Rows. All of these are addresses."""

    x: int
    mean: int
    rounding: int  # what it lacks
    var: int


class ScaleCall(NamedTuple):
    y: int
    x: int
    mean: int
    inverse: int
    gamma: int
    beta: int


class SumsCall(NamedTuple):
    g: int
    x: int
    mean: int
    inverse: int
    gamma: int
    dgamma: int
    dbeta: int
    total: int
    product: int


class CombineCall(NamedTuple):
    dx: int
    g: int
    x: int
    mean: int
    inverse: int
    gamma: int
    total: int
    product: int


def plan(tile: Emitter, x: np.ndarray, most: int) -> np.ndarray:
    """Table of the calls for the images of x (N, ...): (address, first image, images),
    of at most `most` vectors each.
    """
    return _plan(tile, x.shape[0], vectors(x.dtype), most)


@cache
def _plan(tile: Emitter, samples: int, v: Vectors, most: int) -> np.ndarray:
    calls, first = [], 0
    for columns in (4, 2, 1):
        while columns <= most and samples - first >= columns * v.lanes:
            calls.append((address(tile(columns, v, False)), first, columns * v.lanes))
            first += columns * v.lanes
    if first < samples:
        calls.append((address(tile(1, v, True)), first, samples - first))
    return np.array(calls, np.int64).reshape(-1, 3)


def moments_tile(columns: int, v: Vectors, masked: bool, centred: bool = True) -> VectorFunction:
    """mean, its rounding, and var of every image; without `centred` the mean is taken as 0."""
    group = Group(columns, v, masked, MomentsCall)
    k, share = group.k, group.share()
    totals, squares = ([Sums(k) for _ in group.columns] for _ in range(2))
    shifts = group.first_means() if centred else [k.zero for _ in group.columns]
    for rows in group.rows():
        for c in group.columns:
            d = [k.subtract_vectors(group.load("x", c, row), shifts[c]) for row, _ in rows]
            if centred:
                totals[c].add(tree(k, d))
            squares[c].add(tree(k, [k.multiply_vectors(one, one) for one in d]))
    for c in group.columns:
        mean, rounding = totals[c].mean_above(shifts[c], share)
        group.store(mean, "mean", c)
        group.store(rounding, "rounding", c)
        var = squares[c].less_square(totals[c].mean(share), share)
        below = k.subtract_vectors(k.zero, var)
        group.store(k.where_positive(below, k.zero, var), "var", c)  # below 0 by rounding; NaN stays
    return k


def uncentred_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """moments_tile with a mean of 0."""
    return moments_tile(columns, v, masked, False)


def scale_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """y = (x - mean) inverse gamma + beta"""
    group = Group(columns, v, masked, ScaleCall)
    k = group.k
    means, inverses = ([group.load(name, c) for c in group.columns] for name in ("mean", "inverse"))
    for rows in group.rows():
        for row, place in rows:
            gamma, beta = group.factor("gamma", place), group.factor("beta", place)
            for c in group.columns:
                xhat = k.multiply_vectors(k.subtract_vectors(group.load("x", c, row), means[c]), inverses[c])
                group.store(k.multiply_add(xhat, gamma, beta), "y", c, row)
    return k


def sums_tile(columns: int, v: Vectors, masked: bool, centred: bool = True) -> VectorFunction:
    """For every row dgamma = sum of g xhat, dbeta = sum of g; for every image the constants of combine_tile.

    total = inverse mean(h), or 0 without `centred`;  product = -inverse**2 mean(h xhat)
    """
    group = Group(columns, v, masked, SumsCall)
    k, share = group.k, group.share()
    means, inverses = ([group.load(name, c) for c in group.columns] for name in ("mean", "inverse"))
    totals, products = ([Sums(k) for _ in group.columns] for _ in range(2))
    for rows in group.rows():
        for c, (h, product) in enumerate(_row_sums(group, rows, means, inverses)):
            totals[c].add(h)
            products[c].add(product)
    for c in group.columns:
        total = k.multiply_vectors(totals[c].rounded_mean(share), inverses[c])
        square = k.multiply_vectors(inverses[c], inverses[c])
        group.store(total if centred else k.zero, "total", c)
        group.store(
            k.subtract_vectors(k.zero, k.multiply_vectors(products[c].rounded_mean(share), square)),
            "product",
            c,
        )
    return k


def _row_sums(
    group: Group, rows: list[tuple[str, str]], means: list[str], inverses: list[str]
) -> list[tuple[str, str]]:
    """Stores dgamma and dbeta of some rows; (sum of h, sum of h xhat) over them, for each column."""
    k = group.k
    parts: list[tuple[str, str]] = [(k.zero, k.zero) for _ in group.columns]
    sums = []
    for row, place in rows:
        gamma, one, other = group.factor("gamma", place), k.zero, k.zero
        for c in group.columns:
            g = group.load("g", c, row)
            xhat = k.multiply_vectors(k.subtract_vectors(group.load("x", c, row), means[c]), inverses[c])
            one, other = k.multiply_add(g, xhat, one), k.add_vectors(g, other)
            h = k.multiply_vectors(g, gamma)
            parts[c] = k.add_vectors(h, parts[c][0]), k.multiply_add(h, xhat, parts[c][1])
        sums += [one, other]
    names = [(name, place) for _, place in rows for name in ("dgamma", "dbeta")]
    for value, (name, place) in zip(k.lane_sums(sums), names, strict=True):
        k.store_scalar(value, k.move(group.at[name], place))
    return parts


def uncentred_sums_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """sums_tile for a mean that was taken as 0."""
    return sums_tile(columns, v, masked, False)


def combine_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """dx = gamma g inverse - total + (x - mean) product"""
    group = Group(columns, v, masked, CombineCall)
    k = group.k
    names = ("mean", "inverse", "total", "product")
    means, inverses, totals, products = ([group.load(name, c) for c in group.columns] for name in names)
    for rows in group.rows():
        for row, place in rows:
            gamma = group.factor("gamma", place)
            for c in group.columns:
                h = k.multiply_vectors(k.multiply_vectors(group.load("g", c, row), gamma), inverses[c])
                centred = k.subtract_vectors(group.load("x", c, row), means[c])
                group.store(
                    k.multiply_add(centred, products[c], k.subtract_vectors(h, totals[c])), "dx", c, row
                )
    return k
