"""The matrix product: what it computes. Implementations:
"blas" (blas.py, the reference), "tiles" (product.py) and "cuda" (cuda.py).
"""

from ..common import Array, declared


@declared("blas")
def gemm(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b over the last two axes, leading axes broadcast; a (..., M, K), b (..., K, N) -> (..., M, N)."""
