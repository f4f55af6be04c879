"""Images of another size: layers/upsampling.py -> here -> kernels/resize.py.

Every output pixel is a weighted sum of a few input pixels: linear,
so each of the two kernels is the other one's rule.
"""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.backend.config import known_format
from tinynet.kernels import resize as kernels
from tinynet.ops.convolution2d import TO_NCHW, TO_NHWC
from tinynet.ops.methods import Value
from tinynet.ops.settings import IMAGES, choice, floats, pair, rank
from tinynet.ops.shapes import transpose


@array_primitive
def resize(x, *, size, method):
    """x (N, H, W, C) -> (N, OH, OW, C), where size = (OH, OW)."""
    return kernels.resize(x, size=size, method=method)


@resize.vjp("x")
def _(grad, x_shape, method):
    return resize_grad(grad, input_size=x_shape[1:3], method=method)


@array_primitive
def resize_grad(g, *, input_size, method):
    """g (N, OH, OW, C) -> (N, H, W, C) with every g shared among the pixels it is made of."""
    return kernels.resize_grad(g, input_size=input_size, method=method)


@resize_grad.vjp("g")
def _(grad, g_shape, method):
    return resize(grad, size=g_shape[1:3], method=method)


def resize_images(
    x: Value, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Value:
    """Images x (N, H, W, C) interpolated to size = (OH, OW): "nearest", "bilinear",
    "bicubic", "lanczos3" or "lanczos5".

    Pixel centres lie at half integers, as in Keras; images that are made smaller are not smoothed before.
    data_format="channels_first": (N, C, H, W). Raises ValueError for another interpolation.

    >>> ops.resize_images(np.array([[[[0.0], [1.0]]]]), (1, 4), "nearest")[0, 0, :, 0]
    array([0., 0., 1., 1.])
    """
    (x,) = floats(x)
    rank("resize_images", "x", x, IMAGES)
    choice("resize_images", "interpolation", interpolation, kernels.METHODS)
    first = known_format(data_format) == "channels_first"
    x = transpose(x, TO_NHWC) if first else x
    y = resize(x, size=pair("resize_images", "size", size), method=interpolation)
    return transpose(y, TO_NCHW) if first else y
