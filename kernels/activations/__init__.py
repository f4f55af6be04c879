"""Activation functions, element by element: each with its derivative, its NumPy form, its compiled form, and
its CUDA form (activations.cu, cuda.py).

The derivative f_grad(g, s) is given what its formula needs: s = y for the functions whose derivative follows
from the output (relu, leaky_relu, elu, selu, sigmoid, tanh), s = x for the others (softplus, softsign, silu,
gelu).
"""

from . import cuda  # noqa: F401  (it registers the implementation "cuda")
from .rectifiers import elu, elu_grad, leaky_relu, leaky_relu_grad, relu, relu_grad, selu, selu_grad
from .sigmoids import sigmoid, sigmoid_grad, softplus, softplus_grad, softsign, softsign_grad, tanh, tanh_grad
from .smooth import gelu, gelu_grad, silu, silu_grad

__all__ = [
    "elu",
    "elu_grad",
    "gelu",
    "gelu_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu_grad",
    "selu",
    "selu_grad",
    "sigmoid",
    "sigmoid_grad",
    "silu",
    "silu_grad",
    "softplus",
    "softplus_grad",
    "softsign",
    "softsign_grad",
    "tanh",
    "tanh_grad",
]
