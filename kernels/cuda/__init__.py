"""CUDA kernels: how a `.cu` file beside an operation becomes functions that are called with arrays.

    drop = Kernel(__file__, "dropout.cu", "dropout", T=FLOATS)     # template <class T> ... dropout(...)
    drop[x.dtype](grid, block, y, bits, x, words, threshold, ...)  # dropout<float>, launched

`kernel.py` reads a kernel's parameters in its source, and converts arguments accordingly; `modules.py`
compiles; `shapes.py` divides work, and `parts.py` adds up what blocks have summed. What several kernels share
is in `common.cu`. Operations that launch kernels register that as their implementation "cuda", which CuPy
arrays of float32 and float64 get. CuPy is imported where the first kernel is launched on its arrays, never
before.

A kernel of tinynet has no atomics and cuts its sums into parts by the shapes alone, so it gives the same bits
run after run, on every GPU. Its lanes are neighbouring images, as on the CPU: memory is batch-last.
"""

from .kernel import FLOATS, SUMS, TYPES, Kernel, kernels
from .modules import loaders
from .parts import add_parts
from .shapes import PLACES, blocks, parts_for

__all__ = [
    "FLOATS", "PLACES", "SUMS", "TYPES", "Kernel", "add_parts", "blocks", "kernels", "loaders", "parts_for",
]  # fmt: skip
