"""Random numbers on a GPU: launches of the kernels in normal.cu and uniform.cu.

Their words are those of the CPU, bit by bit, and so are uniform numbers; the logarithm and the sine of normal
ones may differ in the last bit of double precision.
"""

import math

from .common import Array, batch_last, contiguous, empty
from .cuda import FLOATS, Kernel, blocks
from .normal import BLOCK, LANES, normal
from .uniform import uniform

THREADS = 128

_normal = Kernel(__file__, "normal.cu", "normal", T=FLOATS)
_uniform = Kernel(__file__, "uniform.cu", "uniform", T=FLOATS)


@normal.implementation("cuda")
def _(x: Array, words: Array) -> Array:
    return _drawn(_normal, x, words)


@uniform.implementation("cuda")
def _(x: Array, words: Array) -> Array:
    return _drawn(_uniform, x, words)


def _drawn(kernel: Kernel, x: Array, words: Array) -> Array:
    z, n = empty(x, x.shape), x.shape[0]
    counters = blocks(n, BLOCK) * LANES  # of each feature
    size = counters * math.prod(x.shape[1:])
    arrays = batch_last(z), contiguous(words, "uint32")
    kernel[x.dtype]((blocks(size, THREADS),), (THREADS,), *arrays, counters, n, size)
    return z
