"""Mini-batches: samples picked from the data set, cast, and written in batch-last memory.

    y[i] = data[index[i]]

This is the one place of a training step where memory order is converted: from the data set's, samples first, to the
engine's, samples last.
"""

from typing import Any

import numpy as np

from . import common
from .common import Array, xp


def gather(data: Array, index: Array, dtype: Any = None) -> Array:
    """Samples data[index] as `dtype`; data (M, ...), index (N,) integers -> (N, ...) in batch-last memory."""
    picked = data[xp(data).asarray(index)]
    if not isinstance(picked, np.ndarray):
        return picked if dtype is None else picked.astype(dtype)
    return common.to_batch_last(picked, dtype)
