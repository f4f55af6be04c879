"""Vector code written on purpose: small functions of explicit vector instructions,
compiled by LLVM, called from Numba.

A compiler that meets seven nested loops keeps its running sums in memory. The fast kernels keep them in
registers instead, and a *register tile* says which: a block of outputs, here 3 filters x 4 columns, each one
vector register whose lanes are 16 images of the batch.

                     column of the input, 16 images in its lanes
                       x0     x1     x2     x3
                   +------+------+------+------+
      weight w0 -> | acc  | acc  | acc  | acc  |        acc[f, j] += w[f] * x[j]
      weight w1 -> | acc  | acc  | acc  | acc  |        7 loads feed 12 multiply-adds: the larger the tile,
      weight w2 -> | acc  | acc  | acc  | acc  |        the less it loads, until the registers run out (32,
                   +------+------+------+------+        or 16 on AVX2)

    host.py       what this CPU offers: vector width, register count, name and features for the compiler
    function.py   VectorFunction: writes such a function as LLVM assembly, one method per instruction
    objects.py    compiles it and keeps the machine code on disk (kernels/cache.py);
                  the result is the function's address
    call.py       call_kernel: how a Numba loop calls that address
    local.py      local_array: an array whose numbers a Numba loop may keep in registers

A kernel describes itself to VectorFunction once for each shape of its tile; `address` turns the text into an
address to call. Tiles of convolutions, matrix products, Dense layers and batch norm are written in this way,
and so are the few loops that must shuffle lanes or bits: the transpose of a batch, the random bits of
dropout.
"""

from .call import call_kernel
from .function import Value, VectorFunction, vectors_of
from .host import Vectors, vectors
from .objects import Emitted, address, assembly, emitted, optimised

__all__ = [
    "Emitted", "Value", "VectorFunction", "Vectors", "address", "assembly", "call_kernel", "emitted",
    "optimised", "vectors", "vectors_of",
]  # fmt: skip
