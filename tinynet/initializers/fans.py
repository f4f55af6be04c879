"""Fans of a weight: how many inputs feed one output, and how many outputs one input feeds."""

import math
from collections.abc import Sequence


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """(fan_in, fan_out) of a kernel of this `shape`: Dense (in, units) or convolution (KH, KW, C/groups, F).

    A convolution's fans count its receptive field, KH KW C/groups and KH KW F, never the size of the image;
    so does a depthwise kernel's (KH, KW, C, M), as KH KW C and KH KW M, and a transposed one's
    (KH, KW, F, C). Given both input_axes and output_axes, the fans are the products of their sizes.

    >>> initializers.compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field
