"""Constants: arrays that follow from a few numbers, such as the taps of an interpolation.

A copy from host to device waits, and a CUDA graph cannot hold one. So such an array is copied once, on a
stream of its own: that of this thread may be making a graph. The host waits for it, so that the streams of
other threads find it there too.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .common import Array, is_on_gpu, xp
from .devices import device_of
from .launches import listener, listening

MOST = 4096  # constants kept


def constant(like: Array, make: Callable[..., np.ndarray], *args: Any) -> Array:
    """make(*args), beside the array `like`: whoever gets it must leave it as it is.

    `make` is a function of numbers, and gives the same for the same ones.
    """
    if isinstance(like, np.ndarray):
        return make(*args)
    kept = _kept(xp(like), device_of(like), make, args)
    if (current := listening.get() and listener()) is not None:
        current.on_address(kept)  # the graph that is made may read it later
    return kept


def settled(like: Array, array: np.ndarray) -> Array:
    """A NumPy array of settings, which may change from call to call but seldom does, beside `like`."""
    if not is_on_gpu(like):
        return array
    return constant(like, _from_bytes, array.tobytes(), array.shape, array.dtype.str)


def _from_bytes(content: bytes, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.frombuffer(content, dtype).reshape(shape)


@lru_cache(MOST)
def _kept(module: Any, device: str, make: Callable[..., np.ndarray], args: tuple[Any, ...]) -> Array:
    cuda = getattr(module, "cuda", None)
    if cuda is None:
        return module.asarray(make(*args))
    used, copying = cuda.get_current_stream(), cuda.Stream(non_blocking=True)
    try:
        copying.use()
        with cuda.using_allocator(module.get_default_memory_pool().malloc):  # not in the memory of a graph
            made = module.asarray(make(*args))
        copying.synchronize()
    finally:
        used.use()  # the end of a `with` would bring back another one: see backend/gpu.py
    return made
