"""Batch normalisation of the output of a convolution with relu: the way back through both in one pass.

    x = relu(z),  y = batch_norm(x);      dz = dx where x > 0, else 0;   db = sum of dz

The pass that computes dx (batch_norm.py) reads x, whose sign is all that the relu's derivative asks for. On a
GPU one follows the other.
"""

import numpy as np

from .batch_norm import batch_norm_grad, run_gradient
from .batch_norm_tiles import combine_rectified_tile
from .common import Array, aligned, empty, operation
from .conv2d import conv2d_activation_grad


@operation("numpy", family="batch_norm")
def batch_norm_relu_grad(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array, *, epsilon: float
) -> tuple[Array, Array, Array, Array]:
    """g and x (N, H, W, C), the rest (C,) -> (dz as x, db (C,), dgamma (C,), dbeta (C,))."""
    dx, dgamma, dbeta = batch_norm_grad(g, x, gamma, mean, var, epsilon=epsilon)
    return *conv2d_activation_grad(dx, x, "relu"), dgamma, dbeta


@batch_norm_relu_grad.implementation("numba")
def _(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, *, epsilon: float
) -> tuple[np.ndarray, ...]:
    dz, factors = empty(x, x.shape), aligned((3, *gamma.shape), gamma.dtype)  # dgamma, dbeta, db
    run_gradient(dz, factors, combine_rectified_tile, g, x, gamma, mean, var, epsilon)
    return dz, factors[2], factors[0], factors[1]
