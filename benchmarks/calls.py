"""The calls of a case in this process's library: {implementation: a function without arguments}."""

from collections.abc import Callable
from typing import Any

import numpy as np

Calls = dict[str, Callable[[], Any]]


def prepare(library: str, case: dict[str, Any]) -> Calls:
    """Each is called once, so that it is compiled; empty where the library has no such operation."""
    if library == "tinynet":
        from .calls_tinynet import calls
    elif library == "torch":
        from .calls_torch import calls
    else:
        from .calls_tensorflow import calls
    found = calls(case)
    for call in found.values():
        call()
    return found


def uniform(*shape: int) -> np.ndarray:
    """Numbers between -1 and 1, the same in every process."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def labels(batch: int, classes: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, classes, batch)
