"""Matrix product whose bits do not depend on the number of threads.

    tile.py      the register tile: a few rows of a times a few vectors of b
    product.py   runs the tiles of a product, shared among the threads
    blas.py      NumPy's BLAS on one thread, for what the tiles do not take or are slower at
"""

from .product import explain, gemm

__all__ = ["explain", "gemm"]
