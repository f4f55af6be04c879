"""Softmax (`normalise.py`) and categorical cross-entropy, alone and joined to it (`cross_entropy.py`);
both on a GPU (`softmax.cu`, `cuda.py`).
"""

from . import cuda  # noqa: F401  (it registers the implementation "cuda")
from .cross_entropy import crossentropy, crossentropy_grad, softmax_crossentropy, softmax_crossentropy_grad
from .normalise import softmax, softmax_grad

__all__ = [
    "crossentropy",
    "crossentropy_grad",
    "softmax",
    "softmax_crossentropy",
    "softmax_crossentropy_grad",
    "softmax_grad",
]
