"""Constants: arrays that follow from a few numbers, such as the taps of an interpolation.

A copy from host to device waits, and a CUDA graph cannot hold one. So such an array is copied once.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .common import Array, is_on_gpu, xp
from .devices import device_of

MOST = 4096  # constants kept


def constant(like: Array, make: Callable[..., np.ndarray], *args: Any) -> Array:
    """make(*args), beside the array `like`: whoever gets it must leave it as it is.

    `make` is a function of numbers, and gives the same for the same ones.
    """
    return make(*args) if isinstance(like, np.ndarray) else _kept(xp(like), device_of(like), make, args)


def settled(like: Array, array: np.ndarray) -> Array:
    """A NumPy array of settings, which may change from call to call but seldom does, beside `like`."""
    if not is_on_gpu(like):
        return array
    return constant(like, _from_bytes, array.tobytes(), array.shape, array.dtype.str)


def _from_bytes(content: bytes, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.frombuffer(content, dtype).reshape(shape)


@lru_cache(MOST)
def _kept(module: Any, device: str, make: Callable[..., np.ndarray], args: tuple[Any, ...]) -> Array:
    return module.asarray(make(*args))
