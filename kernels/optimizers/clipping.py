"""Gradient clipping of all variables in a few launches; the norms stay in arrays.

The rows of a table (sweep.py) hold a gradient as g and its clipped copy as w. Squares are summed within a row
in lanes and then from row to row, so a norm has the same bits at any number of threads.
"""

import math

import numpy as np

from .. import common
from ..common import parallel, prange, serial
from ..constants import settled
from ..sums import clear, fold
from .sweep import Segments, arrays, on_gpu, sweep_of

LANES = 128  # running sums of squares: independent, so that they are vector code


@serial
def _sum_of_squares(g, lanes):
    clear(lanes)
    for start in range(0, g.size, lanes.size):
        part = g[start : start + lanes.size]
        for n in range(part.size):
            lanes[n] += part[n] * part[n]
    return fold(lanes)


@parallel
def squares_sweep(table, shares, squares):
    """squares[row] = sum g^2 over the row"""
    for share in prange(shares.size - 1):
        lanes = np.empty(LANES, squares.dtype)
        for row in range(shares[share], shares[share + 1]):
            squares[row] = _sum_of_squares(arrays(table[row], squares)[1], lanes)


@serial
def factors_of_rows(squares, group, limit, spread, factors):
    """factors[row] = c / max(||g||, c), where ||g|| is the norm of all rows of the same group.

    `spread`: NaN if the norm is not finite. Without it, 0 if the norm is infinite.
    """
    sums = np.zeros(group.size, squares.dtype)
    for row in range(group.size):
        sums[group[row]] += squares[row]
    for row in range(group.size):
        length = math.sqrt(sums[group[row]])
        factors[row] = limit[0] / (limit[0] if length < limit[0] else length)  # a norm that is NaN stays
        if spread and not math.isfinite(length):
            factors[row] = math.nan


@parallel
def scale_sweep(table, shares, factors):
    """w = g factor"""
    for share in prange(shares.size - 1):
        for row in range(shares[share], shares[share + 1]):
            w, g, _, _, _ = arrays(table[row], factors)
            factor = factors[row]
            for i in range(w.size):
                w[i] = g[i] * factor


@serial
def _cut_off(w, g, limit):
    """w = g restricted to [-limit, limit]"""
    high = limit[0]
    for i in range(w.size):
        value = g[i]  # NaN is neither above nor below, and stays
        if value > high:
            value = high
        if value < -high:
            value = -high
        w[i] = value


cut_off_sweep = sweep_of(_cut_off)


def clip_by_value(segments: Segments, table: np.ndarray, limit: np.ndarray) -> None:
    """Every element restricted to [-c, c], c = limit[0]."""
    segments.launch(cut_off_sweep, table, limit)


def clip_by_norm(segments: Segments, table: np.ndarray, limit: np.ndarray, together: bool = False) -> None:
    """g c / max(||g||, c), c = limit[0]: each gradient shortened to length c if it is longer.

    `together`: all gradients shortened by the factor that their common norm asks for;
    NaN, if that is not finite.
    """
    squares, factors = (common.in_c_order(limit, (len(table),), segments.dtype) for _ in range(2))
    group = np.zeros_like(segments.segment) if together else segments.segment
    segments.launch(squares_sweep, table, squares)
    if common.is_on_gpu(limit):
        there = settled(limit, np.ascontiguousarray(group))
        on_gpu[factors_of_rows](squares, there, limit, together, factors)
    else:
        common.launch(factors_of_rows, squares, group, limit, together, factors)
    segments.launch(scale_sweep, table, factors)
