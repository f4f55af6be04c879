"""Dense layer: a matrix product with its bias and its activation, and the three gradients of that.

    reference.py   the formulas
    vector.py      one launch for the forward pass and one for the gradients, on the register tiles of kernels/gemm, with
    gradient.py    the tile that takes the gradient through the activation
"""

from . import vector  # noqa: F401  (it registers its implementations)
from .reference import ACTIVATIONS, dense, dense_grad

__all__ = ["ACTIVATIONS", "dense", "dense_grad"]
