"""Sums over images, in one order whatever the compiler does.

Floating-point addition is not associative, so a compiler may only turn a running sum into vector code if it is allowed to
choose the order, and then it chooses another one in every copy of the code it makes. Here the order is written down, and the
compiler is allowed nothing: N running sums, one for each image, are element-wise vector code as they stand; `fold` then adds
their upper half to their lower half until one is left.
"""

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
