"""Matrix products, and the Dense layer: layers/dense.py -> here -> kernels/dense and kernels/gemm.

With X of shape (N, K), W (K, M) and Y = X W, the upstream gradient G (N, M) gives dX = G W^T and dW = X^T G.
"""

from functools import partial
from typing import Any

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import is_float
from tinynet.kernels import common, elementwise
from tinynet.kernels import dense as kernels
from tinynet.kernels.gemm import gemm
from tinynet.ops.derived import derived_from
from tinynet.ops.methods import Value, operator
from tinynet.ops.rectifiers import elu, elu_grad, relu, relu_grad, selu, selu_grad
from tinynet.ops.reduction import sum
from tinynet.ops.settings import choice, floats, in_one_format
from tinynet.ops.shapes import reshape, swapaxes
from tinynet.ops.smooth_activations import sigmoid, sigmoid_grad, tanh, tanh_grad


@array_primitive
def matrix_product(a, b):
    """a @ b over the last two axes: a (..., N, K), b (..., K, M) -> (..., N, M), leading axes broadcast."""
    return gemm(a, b)


@matrix_product.vjp("a")
def _(grad, b):
    return grad @ swapaxes(b, -1, -2)


@matrix_product.vjp("b")
def _(grad, a):
    return swapaxes(a, -1, -2) @ grad


def matmul(x1: Value, x2: Value) -> Value:
    """x1 @ x2 as NumPy has it: a vector (K,) stands for a row on the left and for a column on the right.

    Raises ValueError where the shapes do not fit.

    >>> ops.matmul([[1, 2], [3, 4]], [10, 1])
    array([12, 34])
    """
    x1, x2 = in_one_format(x1, x2)
    shape1, shape2 = x1.shape, x2.shape
    if not (shape1 and shape2) or shape1[-1] != shape2[-2 if len(shape2) > 1 else 0]:
        shapes = f"{tuple(shape1)} and {tuple(shape2)}"
        raise ValueError(f"matmul: shapes {shapes} do not fit (..., N, K) @ (..., K, M)")
    if x1.dtype.kind == "f" and not is_float(x1.dtype):
        x1, x2 = floats(x1, x2)
    row, column = len(shape1) == 1, len(shape2) == 1
    y = matrix_product(reshape(x1, (1, -1)) if row else x1, reshape(x2, (-1, 1)) if column else x2)
    if row or column:
        y = reshape(y, y.shape[:-2] + (() if row else y.shape[-2:-1]) + (() if column else y.shape[-1:]))
    return y


operator("matmul", matmul)


@array_primitive
def affine(x, w, b):
    """x W + b over the last axis: x (N, ..., K), w (K, M), b (M,) or None -> (N, ..., M),
    in batch-last memory.
    """
    rotated = x.transpose(*range(1, x.ndim), 0)  # (..., K, N): as it lies in memory, if x is batch-last
    y = common.from_batch_last(gemm(w.T, rotated))  # (..., M, N) seen as (N, ..., M)
    return y if b is None else elementwise.apply(np.add, y, b)


@affine.joint_vjp
def _(grad, x, w, needs):
    dx = affine(grad, swapaxes(w, 0, 1), None) if needs[0] else None
    dw = swapaxes(_rows(x), 0, 1) @ _rows(grad) if needs[1] else None
    db = sum(grad, tuple(range(grad.ndim - 1))) if needs[2] else None
    return dx, dw, db


def _rows(x: Value) -> Value:
    """(N, ..., K) as a matrix (N ..., K)."""
    return x if x.ndim == 2 else reshape(x, (-1, x.shape[-1]))


# Name of each activation that kernels/dense fuses -> the function, and its derivative from the output, as
# operations. The kernel's own table, ACTIVATIONS, has functions of arrays; these are recorded on the tape:
# for derivatives of second order, and for inputs with more axes than the kernel takes.
FUSED: dict[str, Any] = {
    "relu": (relu, relu_grad),
    "elu": (elu, partial(elu_grad, alpha=1.0)),
    "selu": (selu, selu_grad),
    "sigmoid": (sigmoid, sigmoid_grad),
    "tanh": (tanh, tanh_grad),
}


@array_primitive
def dense(x, w, b, *, activation=None):
    """y = f(x W + b): x (N, K), w (K, M), b (M,) or None -> (N, M); f is named by `activation`, or None."""
    return kernels.dense(x, w, b, activation=activation)


@dense.joint_vjp
def _(grad, x, w, y, needs, activation):
    found = iter(dense_grad(grad, x, w, y, activation=activation, wanted=tuple(needs)))
    return tuple(next(found) if needed else None for needed in needs)


@array_primitive
def dense_grad(g, x, w, s, *, activation, wanted):  # s: y, which in a rule is the primitive's own output
    """Those of (dx, dw, db) that `wanted` marks, for the gradient g of s = dense(x, w, b)."""
    return kernels.dense_grad(g, x, w, s, activation=activation, wanted=wanted)


@derived_from(dense_grad)  # its rule: the derivative of this formula, taken on the tape
def _(g, x, w, s, *, activation, wanted):
    dz = g if activation is None else FUSED[activation][1](g, s)
    dx = dz @ swapaxes(w, 0, 1) if wanted[0] else None
    dw = swapaxes(x, 0, 1) @ dz if wanted[1] else None
    db = sum(dz, 0) if wanted[2] else None
    return tuple(d for d in (dx, dw, db) if d is not None)


def linear(x: Value, w: Value, b: Value | None = None, activation: str | None = None) -> Value:
    """y = f(x W + b) over the last axis: x (N, ..., K), w (K, M), b (M,) -> y (N, ..., M); f by its name.

    activation: None, "relu", "elu", "selu", "sigmoid" or "tanh". Raises ValueError for another, and where the
    shapes do not fit.

    >>> ops.linear([[1.0, -2.0]], [[3.0], [4.0]], [1.0], activation="relu")
    array([[0.]], dtype=float32)
    """
    x, w, b = floats(x, w, b)
    shape, sizes = x.shape, w.shape
    if (
        len(shape) < 2
        or len(sizes) != 2
        or shape[-1] != sizes[0]
        or (b is not None and tuple(b.shape) != sizes[1:])
    ):
        raise ValueError(
            f"linear: expected x (N, ..., K), w (K, M) and b (M,), "
            f"got x {x.shape}, w {w.shape}, b {None if b is None else b.shape}"
        )
    if activation is not None and not (isinstance(activation, str) and activation in FUSED):
        choice("linear", "activation", activation, FUSED)
    if len(shape) == 2:
        return dense(x, w, b, activation=activation)
    y = affine(x, w, b)
    return y if activation is None else FUSED[activation][0](y)
