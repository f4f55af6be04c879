"""Affine warps of images: layers/augmentation.py -> here -> kernels/warp.py.

    y[n, i, j, c] = x[n, v, u, c]   at   u = a0 j + a1 i + a2,   v = b0 j + b1 i + b2,
                                    maps[n] = (a0, a1, a2, b0, b1, b2)

The maps are an array and not settings, and constant on the tape: in a step that is repeated they are what
differs from time to time. Warping is linear in x, so that it and its adjoint are each other's rules.
"""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, array_primitive
from tinynet.autograd.tensor import as_raw
from tinynet.backend.config import check_data_format
from tinynet.backend.number_format import numbers
from tinynet.kernels import warp as kernels
from tinynet.kernels.by_value import sent
from tinynet.kernels.common import contiguous, is_on_gpu, xp
from tinynet.ops.convolution2d import TO_NCHW, TO_NHWC
from tinynet.ops.elementary import cast
from tinynet.ops.methods import Value
from tinynet.ops.settings import IMAGES, choice, floats, number, rank
from tinynet.ops.shapes import transpose


@array_primitive
def warp(x, maps, *, fill_mode, interpolation, fill_value):
    """x (N, H, W, C), maps (N, 6) -> y as x."""
    return kernels.warp(x, maps, fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value)


@warp.vjp("x")
def _(grad, maps, fill_mode, interpolation):
    return warp_grad(grad, maps, fill_mode=fill_mode, interpolation=interpolation)


@array_primitive
def warp_grad(g, maps, *, fill_mode, interpolation):
    """g (N, H, W, C), each shared among the cells that its pixel was made of."""
    return kernels.warp_grad(g, maps, fill_mode=fill_mode, interpolation=interpolation)


@warp_grad.vjp("g")
def _(grad, maps, fill_mode, interpolation):
    return warp(grad, maps, fill_mode=fill_mode, interpolation=interpolation, fill_value=0.0)


def affine_warp(
    x: Value,
    maps: Any,
    *,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
    data_format: str = "channels_last",
) -> Value:
    """Each image of x (N, H, W, C), or channels first, under its map of maps (N, 6), from output to input.

    fill_mode   what lies outside of an image: "reflect", "wrap", "nearest",
                "constant" (which is fill_value), and
    those of kernels/warp.py;  interpolation   between pixels: "bilinear" or "nearest"
    data_format   "channels_last" or "channels_first"

    Raises ValueError for an unknown fill_mode or interpolation, and if there is not one map for each image.

    >>> flip = [[-1, 0, 2, 0, 1, 0]]  # u = 2 - j, v = i
    >>> ops.affine_warp(np.array([[[[1.0], [2.0], [3.0]]]]), flip)[0, 0, :, 0]
    array([3., 2., 1.])
    """
    (x,) = floats(x)
    rank("affine_warp", "x", x, IMAGES)
    choice("affine_warp", "fill_mode", fill_mode, kernels.FILL_MODES)
    choice("affine_warp", "interpolation", interpolation, kernels.INTERPOLATIONS)
    fill_value = number("affine_warp", "fill_value", fill_value)
    maps = cast(maps.detach(), dtype=np.float64) if isinstance(maps, Tensor) else _beside(as_raw(x), maps)
    if maps.shape != (x.shape[0], 6):
        raise ValueError(
            f"affine_warp: maps must have shape ({x.shape[0]}, 6), one map for each image, got {maps.shape}"
        )
    first = check_data_format(data_format) == "channels_first"
    x = transpose(x, TO_NHWC) if first else x
    y = warp(x, maps, fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value)
    return transpose(y, TO_NCHW) if first else y


def _beside(x: Any, maps: Any) -> Any:
    """The maps as float64 where x lies. What is drawn on the host at each step goes to a GPU by value."""
    maps = maps if hasattr(maps, "dtype") else numbers(maps)
    if isinstance(maps, np.ndarray) and is_on_gpu(x):
        return sent(contiguous(maps, np.float64), x)
    return xp(x).asarray(maps, np.float64)
