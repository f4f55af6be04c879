"""Dense layer: a matrix product with its bias and its activation, and the three gradients of that.

operations.py  dense and dense_grad, declared with their formulas
reference.py   "numpy": the formulas, for every array module
vector.py      "vector": one launch for the forward pass and one for the gradients,
               on the register tiles of kernels/gemm,
gradient.py    and on the tile that takes the gradient through the activation
cuda.py        "cuda": launches of the convolution's kernels
"""

from . import cuda, vector  # noqa: F401  (they register their implementations)
from .operations import dense, dense_grad
from .reference import ACTIVATIONS

__all__ = ["ACTIVATIONS", "dense", "dense_grad"]
