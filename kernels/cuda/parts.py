"""Sums of which several blocks have computed a part each."""

from ..common import Array
from .kernel import SUMS, TYPES, Kernel
from .shapes import blocks

THREADS = 128

_add_parts = Kernel(__file__, "parts.cu", "add_parts", registers=64, numbers=SUMS)


def add_parts(total: Array, parts: Array) -> None:
    """total = parts[0] + parts[1] + ..., in this order; parts (P, *shape of total), in the sums' format."""
    numbers = TYPES[total.dtype], TYPES[parts.dtype]
    grid = (blocks(total.size, THREADS),)
    _add_parts[(numbers,)](grid, (THREADS,), total, parts, len(parts), total.size)
