"""Pooling: layers/pooling -> here -> kernels/pool2d.

Max pooling also returns which cell of its window won: an array of integers, constant on the tape. Its
gradient puts g where the winners are, and the gradient of that reads them back. Average pooling is linear,
its two kernels are each other's rules. Padding counts as -inf for the maximum and is not counted by the
average; ties go to the first cell.
"""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.backend.config import check_data_format
from tinynet.kernels import pool2d as kernels
from tinynet.kernels.conv2d import resolve_padding
from tinynet.ops.convolution2d import TO_NCHW, TO_NHWC, rectified_grad
from tinynet.ops.joined import BeforeRelu, takes_before_relu
from tinynet.ops.methods import Value
from tinynet.ops.settings import IMAGES, floats, pair, rank
from tinynet.ops.shapes import transpose


@array_primitive
def max_pool(x, *, pool_size, strides, padding):
    """x (N, H, W, C) -> (maxima (N, OH, OW, C), number of the winning cell in its window)."""
    return kernels.max_pool2d(x, pool_size=pool_size, strides=strides, padding=padding)


@max_pool.vjp("x")
def _(grad, y, x_shape, sources, **geometry):
    g, (largest, index) = grad[0], y
    if not takes_before_relu(sources[0]):
        return max_pool_grad(g, index, input_size=x_shape[1:3], **geometry)
    # x = relu(z). A cell that won has x = largest, and all others get no gradient: so g goes through the relu
    # before it is spread out, on a map a quarter as large.
    g, db = rectified_grad(g, largest)
    return BeforeRelu(max_pool_grad(g, index, input_size=x_shape[1:3], **geometry), db)


@array_primitive
def max_pool_grad(g, index, *, input_size, pool_size, strides, padding):
    """g (N, OH, OW, C) -> (N, H, W, C) with every g added at the cell that won."""
    geometry = {"pool_size": pool_size, "strides": strides, "padding": padding}
    return kernels.max_pool2d_grad(g, index, input_size=input_size, **geometry)


@max_pool_grad.vjp("g")
def _(grad, index, input_size, **geometry):
    return max_pool_gather(grad, index, **geometry)


@array_primitive
def max_pool_gather(x, index, *, pool_size, strides, padding):
    """x (N, H, W, C) -> the cells that won (N, OH, OW, C)."""
    return kernels.max_pool2d_gather(x, index, pool_size=pool_size, strides=strides, padding=padding)


@max_pool_gather.vjp("x")
def _(grad, index, x_shape, **geometry):
    return max_pool_grad(grad, index, input_size=x_shape[1:3], **geometry)


@array_primitive
def average_pool(x, *, pool_size, strides, padding):
    """x (N, H, W, C) -> averages (N, OH, OW, C)."""
    return kernels.average_pool2d(x, pool_size=pool_size, strides=strides, padding=padding)


@average_pool.vjp("x")
def _(grad, x_shape, **geometry):
    return average_pool_grad(grad, input_size=x_shape[1:3], **geometry)


@array_primitive
def average_pool_grad(g, *, input_size, pool_size, strides, padding):
    """g (N, OH, OW, C) -> (N, H, W, C) with every g shared equally among its window's cells."""
    geometry = {"pool_size": pool_size, "strides": strides, "padding": padding}
    return kernels.average_pool2d_grad(g, input_size=input_size, **geometry)


@average_pool_grad.vjp("g")
def _(grad, input_size, **geometry):
    return average_pool(grad, **geometry)


def max_pool2d(
    x: Value,
    *,
    pool_size: Any,
    strides: Any = None,
    padding: Any = "valid",
    data_format: str = "channels_last",
) -> Value:
    """Largest value of every window: x (N, H, W, C) -> (N, OH, OW, C), or channels first,
    as data_format says.

    pool_size (PH, PW) and strides, or one number for both; strides None: pool_size. padding is "valid",
    "same" or ((top, bottom), (left, right)). Raises ValueError for another rank, number or padding.

    >>> ops.max_pool2d(np.arange(16).reshape(1, 4, 4, 1), pool_size=2)[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """
    return _pool(
        "max_pool2d",
        lambda x, **geometry: max_pool(x, **geometry)[0],
        x,
        pool_size,
        strides,
        padding,
        data_format,
    )


def average_pool2d(
    x: Value,
    *,
    pool_size: Any,
    strides: Any = None,
    padding: Any = "valid",
    data_format: str = "channels_last",
) -> Value:
    """Mean of every window of x, over the cells inside the image; pool_size,
    strides, padding, data_format as in max_pool2d.

    >>> ops.average_pool2d(np.arange(16).reshape(1, 4, 4, 1), pool_size=2)[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    return _pool("average_pool2d", average_pool, x, pool_size, strides, padding, data_format)


def _pool(
    name: str, primitive: Any, x: Value, pool_size: Any, strides: Any, padding: Any, data_format: str
) -> Value:
    (x,) = floats(x)
    rank(name, "x", x, IMAGES)
    first = check_data_format(data_format) == "channels_first"
    x = transpose(x, TO_NHWC) if first else x
    pool_size = pair(name, "pool_size", pool_size)
    strides = pool_size if strides is None else pair(name, "strides", strides)
    padding = resolve_padding(padding, x.shape[1:3], pool_size, strides)
    y = primitive(x, pool_size=pool_size, strides=strides, padding=padding)
    return transpose(y, TO_NCHW) if first else y
