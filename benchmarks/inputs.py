"""The numbers that operations are run on, the same in every process."""

import numpy as np


def uniform(*shape: int) -> np.ndarray:
    """Numbers between -1 and 1."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def labels(batch: int, classes: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, classes, batch)
