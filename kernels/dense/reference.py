"""Dense layers in NumPy: the formulas of operations.py as they stand there."""

from typing import Any

from .. import activations
from ..common import Array, Operation
from ..gemm.blas import matmul
from ..reduce import in_double
from .operations import dense, dense_grad

# Name of each activation -> the function, its derivative from the output, and their parameters.
ACTIVATIONS: dict[str, tuple[Operation, Operation, dict[str, Any]]] = {
    "relu": (activations.relu, activations.relu_grad, {}),
    "elu": (activations.elu, activations.elu_grad, {"alpha": 1.0}),
    "selu": (activations.selu, activations.selu_grad, {}),
    "sigmoid": (activations.sigmoid, activations.sigmoid_grad, {}),
    "tanh": (activations.tanh, activations.tanh_grad, {}),
}


@dense.implementation("numpy")
def _(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None) -> Array:
    z = matmul(x, w)  # (N, M)
    z = z if b is None else z + b
    if activation is None:
        return z
    function, _, parameters = ACTIVATIONS[activation]
    return function["numpy"](z, **parameters)


@dense_grad.implementation("numpy")
def _(
    g: Array, x: Array, w: Array, y: Array, *, activation: str | None, wanted: tuple[bool, bool, bool]
) -> tuple[Array, ...]:
    dz = g
    if activation is not None:
        _, derivative, parameters = ACTIVATIONS[activation]
        dz = derivative["numpy"](g, y, **parameters)
    gradients = (lambda: matmul(dz, w.T), lambda: matmul(x.T, dz), lambda: in_double(dz, 0))
    return tuple(gradient() for gradient, needed in zip(gradients, wanted, strict=True) if needed)
