"""y = f(z) with z = x W + b, for the activations f whose derivative follows from the output y.

With the upstream gradient g of y, and all sums over the samples:

    dz = g f'(z),     dx = dz W^T,     dW = x^T dz,     db = sum of dz
"""

from typing import Any

from .. import activations
from ..common import Array, Operation, operation
from ..gemm.blas import matmul
from ..reduce import in_double

# Name of each activation -> the function, its derivative from the output, and their parameters.
ACTIVATIONS: dict[str, tuple[Operation, Operation, dict[str, Any]]] = {
    "relu": (activations.relu, activations.relu_grad, {}),
    "elu": (activations.elu, activations.elu_grad, {"alpha": 1.0}),
    "selu": (activations.selu, activations.selu_grad, {}),
    "sigmoid": (activations.sigmoid, activations.sigmoid_grad, {}),
    "tanh": (activations.tanh, activations.tanh_grad, {}),
}


@operation("numpy", family="dense")
def dense(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None) -> Array:
    """Samples x (N, K), weights w (K, M), bias b (M,) or None -> y (N, M); `activation` is one of ACTIVATIONS, or None."""
    z = matmul(x, w)  # (N, M)
    z = z if b is None else z + b
    if activation is None:
        return z
    function, _, parameters = ACTIVATIONS[activation]
    return function["numpy"](z, **parameters)


@operation("numpy", family="dense")
def dense_grad(
    g: Array, x: Array, w: Array, y: Array, *, activation: str | None, wanted: tuple[bool, bool, bool]
) -> tuple[Array, ...]:
    """g (N, M), x (N, K), w (K, M), y = dense(x, w, b) (N, M) -> those of dx (N, K), dw (K, M), db (M,) that `wanted` marks."""
    dz = g
    if activation is not None:
        _, derivative, parameters = ACTIVATIONS[activation]
        dz = derivative["numpy"](g, y, **parameters)
    gradients = (lambda: matmul(dz, w.T), lambda: matmul(x.T, dz), lambda: in_double(dz, 0))
    return tuple(gradient() for gradient, needed in zip(gradients, wanted, strict=True) if needed)
