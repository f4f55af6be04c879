"""NumPy's matrix product with BLAS on one thread.

A BLAS library divides a product among its threads, and another division adds in another order. tinynet
therefore runs BLAS on one thread while a product of its own is under way; the pool of the compiled kernels
never has to share the cores with it. The setting of the process is put back afterwards.
"""

import os
import threading
from functools import lru_cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from .. import common
from ..common import Array, launch, xp
from .operations import gemm


class _OneThread:
    """Counts the products under way: the first pins BLAS to one thread, the last restores what it found.

    A signal handler may multiply at any moment of this: whatever it meets,
    it finds BLAS pinned and leaves it as it was.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.active = 0
        self.found: list[int] | None = None  # while BLAS is pinned

    @staticmethod
    @lru_cache(maxsize=1)
    def libraries() -> list[Any]:
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self) -> None:
        with self.lock:
            self.active += 1
            if self.found is None:
                found = [library.get_num_threads() for library in self.libraries()]
                self._set(found, [1] * len(found))
                self.found = found

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.active -= 1
            if self.active == 0 and (found := self.found) is not None:
                self.found = None
                self._set([1] * len(found), found)

    def _set(self, before: list[int], after: list[int]) -> None:
        for library, old, new in zip(self.libraries(), before, after, strict=True):
            if old != new:
                library.set_num_threads(new)


_one_thread = _OneThread()


def _after_fork() -> None:
    """Another thread of the parent may have held the lock; none of its products is under way here."""
    _one_thread.lock, _one_thread.active = threading.RLock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b as NumPy (or the array module of a) has it, on one thread."""
    with _one_thread:
        return xp(a).matmul(a, b) if out is None else xp(a).matmul(a, b, out=out)


@gemm.implementation("blas")
def _(a: Array, b: Array, out: Array | None = None) -> Array:
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return xp(a).matmul(a, b)
    if out is None:
        if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
            return matmul(a, b)  # which says what is wrong
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        out = common.aligned(shape, np.result_type(a, b))
    launch(matmul, a, b, out)
    return out
