"""NumPy's matrix product with BLAS on one thread.

A BLAS library divides a product among its threads, and another division adds in another order. tinynet therefore runs
BLAS on one thread while a product of its own is under way; the pool of the compiled kernels never has to share the cores
with it. The setting of the process is put back afterwards.
"""

import threading
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

from ..common import Array, xp


class _OneThread:
    """Counts the products under way: the first pins BLAS to one thread, the last restores what it found."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.active = 0
        self.found: list[int] = []

    @staticmethod
    @lru_cache(maxsize=1)
    def libraries() -> list[Any]:
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self) -> None:
        with self.lock:
            if self.active == 0:
                self.found = [library.get_num_threads() for library in self.libraries()]
                for library, count in zip(self.libraries(), self.found, strict=True):
                    if count != 1:
                        library.set_num_threads(1)
            self.active += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.active -= 1
            if self.active == 0:
                for library, count in zip(self.libraries(), self.found, strict=True):
                    if count != 1:
                        library.set_num_threads(count)


_one_thread = _OneThread()


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b as NumPy (or the array module of a) has it, on one thread."""
    with _one_thread:
        return xp(a).matmul(a, b) if out is None else xp(a).matmul(a, b, out=out)
