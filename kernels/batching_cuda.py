"""Mini-batches on a GPU: launches of the kernel in batching.cu."""

import math

from .common import Array, batch_last, contiguous
from .cuda import FLOATS, TYPES, Kernel, blocks

NUMBERS = ("uint8", "int64", "float", "double")  # of data sets
SQUARE = 32

_gather = Kernel(__file__, "batching.cu", "gather", T=FLOATS, D=NUMBERS)


def fits(data: Array, out: Array) -> bool:
    """Whether the kernel is made for these: a data set in C order, a batch of floats in batch-last memory."""
    turned = out.transpose(*range(1, out.ndim), 0)
    dense = data.flags.c_contiguous and turned.flags.c_contiguous
    return dense and TYPES.get(data.dtype) in NUMBERS and out.dtype.char in "fd"


def gather(out: Array, data: Array, index: Array) -> None:
    """out[i] = data[index[i]]; data (M, ...), index (N,) integers of the same device, out (N, ...)."""
    features, samples = math.prod(data.shape[1:]), len(index)
    grid = (blocks(features, SQUARE) * blocks(samples, SQUARE),)  # along y there may be 65535
    arrays = batch_last(out), data, contiguous(index, "int64")
    _gather[out.dtype, data.dtype](grid, (SQUARE, 8), *arrays, len(data), features, samples)
