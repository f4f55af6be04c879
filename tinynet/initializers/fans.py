"""Fans of a weight: how many inputs feed one output, and how many outputs one input feeds."""

import math


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a kernel: Dense (in, units) or convolution (KH, KW, C/groups, F).

    A convolution's fans count its receptive field, KH KW C/groups and KH KW F, never the size of the image.
    """
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field
