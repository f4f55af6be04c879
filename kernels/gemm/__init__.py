"""Matrix product whose bits do not depend on the number of threads:
gemm, a @ b over the last two axes (operations.py).

Its implementations, chosen by `kernels.use("gemm", name)`:

    "blas"    blas.py      NumPy's BLAS on one thread: the reference,
              and for what the tiles do not take or are slower at
    "tiles"   product.py   runs register tiles, shared among the threads;
              tile.py: a few rows of a times a few vectors of b
    "cuda"    cuda.py      the same idea on a GPU, in gemm.cu
"""

from . import blas, cuda, product  # noqa: F401  (they register their implementations)
from .operations import gemm
from .product import explain

__all__ = ["explain", "gemm"]
