"""Element-wise kernels see flat memory: any order of visit is right, so the arrays' own order is kept."""

import numpy as np

from . import common


def flat(*arrays: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """New array, shaped and ordered as the last of `arrays`, and one-dimensional views of it and of all arrays.

    (out, [out's view, first's view, ...]); out has the first one's dtype. Arrays of one shape that lie alike and
    without gaps are used where they are; others are first brought into batch-last memory.
    """
    if not (_dense(arrays[-1]) and all(_alike(array, arrays[-1]) for array in arrays[:-1])):
        arrays = tuple(common.from_batch_last(common.batch_last(array)) for array in arrays)
    out = common.empty(arrays[-1], arrays[-1].shape, arrays[0].dtype)
    if not _alike(out, arrays[-1]):
        out = np.empty_like(arrays[-1], dtype=arrays[0].dtype, subok=False)
    return out, [array.ravel(order="K") for array in (out, *arrays)]


def _dense(x: np.ndarray) -> bool:
    """Whether the elements of `x` fill one stretch of memory, in whatever order."""
    expected = x.itemsize
    for stride, size in sorted(zip(x.strides, x.shape, strict=True)):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def _alike(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether equal indices mean equal places in memory (an axis of one element has no say)."""
    return x.shape == y.shape and all(
        size == 1 or sx * y.itemsize == sy * x.itemsize
        for size, sx, sy in zip(x.shape, x.strides, y.strides, strict=True)
    )
