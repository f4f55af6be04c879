"""Sums over images, in one order whatever the compiler does.

Floating-point addition is not associative, so a compiler may only turn a running sum into vector code if it
is allowed to choose the order, and then it chooses another one in every copy of the code it makes. Here the
order is written down, and the compiler is allowed nothing: N running sums, one for each image, are
element-wise vector code as they stand; `fold` then adds their upper half to their lower half until one is
left.
"""

import numpy as np

from .common import serial


@serial
def clear(lanes):
    """lanes = 0 (as a loop it compiles faster than `lanes[:] = 0`)"""
    for n in range(lanes.size):
        lanes[n] = 0


@serial
def add(lanes, row, shift):
    """lanes += row - shift"""
    for n in range(row.size):
        lanes[n] += row[n] - shift


@serial
def add_four(lanes, a, b, c, d):
    """lanes += (a + b) + (c + d) in double precision:
    with one load and one store of the lanes for four rows.
    """
    for n in range(lanes.size):
        lanes[n] += (np.float64(a[n]) + np.float64(b[n])) + (np.float64(c[n]) + np.float64(d[n]))


@serial
def add_stretch(lanes, x):
    """lanes += x, stretch by stretch of as many numbers as there are lanes."""
    size = lanes.size
    fours = x.size // (4 * size) * 4 * size
    for n in range(0, fours, 4 * size):
        rest = x[n : n + 4 * size]
        add_four(lanes, rest[:size], rest[size : 2 * size], rest[2 * size : 3 * size], rest[3 * size :])
    for n in range(fours, x.size, size):
        add(lanes, x[n : n + size], 0.0)


@serial
def fold(lanes):
    """Sum of all lanes, pairwise; overwrites them."""
    width = lanes.size
    while width > 1:
        half = (width + 1) // 2
        lower, upper = lanes[:half], lanes[half:width]
        for n in range(upper.size):
            lower[n] += upper[n]
        width = half
    return lanes[0]
