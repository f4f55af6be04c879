"""Convolution of images: layers/conv2d.py -> here -> kernels/conv2d
(geometry.py has the one formula all follows from).

    y[n, oh, ow, f] = b[f] + sum over kh, kw, c of x[n, oh SH + kh DH - top,
    ow SW + kw DW - left, c] w[kh, kw, c, f]

This is linear in x and in w. The gradients are two more kernels of the same kind, and the three are each
other's rules. For all are derivatives of one number, S(x, w, g) = sum of g convolution(x, w) over all
outputs, which is linear in each:

    dS/dg = convolution(x, w),   dS/dx = input_grad(g, w),   dS/dw = weight_grad(x, g)

Whichever two of (image, kernel, output gradient) are given, one of the three kernels computes the derivative
by the third.

A relu after it is done in the same pass, while the sums are still in registers;
its derivative follows from the output.
"""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.backend.config import known_format
from tinynet.kernels import conv2d as kernels
from tinynet.ops.derived import derived_from
from tinynet.ops.joined import BeforeRelu, ends_in_relu
from tinynet.ops.methods import Value
from tinynet.ops.rectifiers import relu_grad
from tinynet.ops.settings import IMAGES, KERNEL, floats, integer, pair, rank
from tinynet.ops.shapes import broadcast_to, transpose

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


@array_primitive
def convolution(x, w, b, *, strides, padding, dilation, groups):
    """Image x (N, H, W, C), kernel w (KH, KW, C/groups, F), bias b (F,) or None -> y (N, OH, OW, F)."""
    return kernels.conv2d(x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups)


@convolution.joint_vjp
def _(grad, x, w, needs, **geometry):
    dx = convolution_input_grad(grad, w, input_size=x.shape[1:3], **geometry) if needs[0] else None
    dw = convolution_weight_grad(x, grad, kernel_size=w.shape[:2], **geometry) if needs[1] else None
    db = convolution_bias_grad(grad) if needs[2] else None
    return dx, dw, db


@ends_in_relu
@array_primitive
def rectified_convolution(x, w, b, *, strides, padding, dilation, groups):
    """relu(convolution(x, w, b)) in one pass."""
    geometry = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return kernels.conv2d(x, w, b, activation="relu", **geometry)


@rectified_convolution.joint_vjp
def _(grad, x, w, y, needs, **geometry):
    joined = isinstance(grad, BeforeRelu)
    grad, db = (grad.dz, grad.db) if joined else rectified_grad(grad, y)  # from here on as without relu
    dx = convolution_input_grad(grad, w, input_size=x.shape[1:3], **geometry) if needs[0] else None
    dw = convolution_weight_grad(x, grad, kernel_size=w.shape[:2], **geometry) if needs[1] else None
    return dx, dw, db if needs[2] else None


@array_primitive
def rectified_grad(g, s):  # s: elsewhere y, which in a rule means the primitive's own output
    """Gradient before the relu: g where s = relu(..) > 0; and its sum over pixels and images, in one pass."""
    return kernels.conv2d_activation_grad(g, s, "relu")


@derived_from(rectified_grad)  # its rule: the derivative of this formula, taken on the tape
def _(g, s):
    dz = relu_grad(g, s)
    return dz, convolution_bias_grad(dz)


@array_primitive
def convolution_input_grad(g, w, *, input_size, strides, padding, dilation, groups):
    """Output gradient g (N, OH, OW, F), kernel w -> gradient of the image (N, H, W, C)."""
    geometry = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return kernels.conv2d_input_grad(g, w, input_size=input_size, **geometry)


@convolution_input_grad.joint_vjp
def _(grad, g, w, needs, input_size, **geometry):
    dg = convolution(grad, w, None, **geometry) if needs[0] else None
    dw = convolution_weight_grad(grad, g, kernel_size=w.shape[:2], **geometry) if needs[1] else None
    return dg, dw


@array_primitive
def convolution_weight_grad(x, g, *, kernel_size, strides, padding, dilation, groups):
    """Image x (N, H, W, C), output gradient g (N, OH, OW, F) -> gradient of the kernel (KH,
    KW, C/groups, F).
    """
    geometry = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return kernels.conv2d_weight_grad(x, g, kernel_size=kernel_size, **geometry)


@convolution_weight_grad.joint_vjp
def _(grad, x, g, needs, kernel_size, **geometry):
    dx = convolution_input_grad(g, grad, input_size=x.shape[1:3], **geometry) if needs[0] else None
    dg = convolution(x, grad, None, **geometry) if needs[1] else None
    return dx, dg


@array_primitive
def convolution_bias_grad(g):
    """Output gradient g (N, OH, OW, F) -> gradient of the bias (F,),
    its sum over all pixels of all images.
    """
    return kernels.conv2d_bias_grad(g)


@convolution_bias_grad.vjp("g")
def _(grad, g_shape):
    return broadcast_to(grad, g_shape)


def conv2d(
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    groups: int = 1,
    activation: str | None = None,
) -> Value:
    """Convolution (cross-correlation: the kernel is not flipped) of images x with w (KH,
    KW, C/groups, F) and bias b (F,).

    x (N, H, W, C) -> (N, OH, OW, F), or (N, C, H, W) -> (N, F, OH, OW) for data_format="channels_first".
    padding is "valid", "same" (an odd rest goes to the bottom and the right) or ((top, bottom), (left,
    right)). activation="relu" is applied in the same pass. strides (SH, SW) and dilation_rate (DH, DW), or
    one number for both; groups: the channels and the filters are divided into so many groups. Raises
    ValueError where the shapes do not fit each other, or for another activation.

    >>> ops.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 2))).shape
    (1, 2, 2, 2)
    """
    x, w, b = floats(x, w, b)
    check_images("conv2d", x, w, activation, groups)
    first = known_format(data_format) == "channels_first"
    x = transpose(x, TO_NHWC) if first else x
    strides, dilation = pair("conv2d", "strides", strides), pair("conv2d", "dilation_rate", dilation_rate)
    padding = kernels.resolve_padding(padding, x.shape[1:3], w.shape[:2], strides, dilation)
    function = convolution if activation is None else rectified_convolution
    y = function(x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups)
    return transpose(y, TO_NCHW) if first else y


def check_images(
    name: str, x: Value, w: Value, activation: Any, groups: Any = 1, axes: tuple[str, ...] = IMAGES,
    kernel: tuple[str, ...] = KERNEL,
) -> None:  # fmt: skip
    """Raises ValueError unless x and w have their axes, and for an activation that is not fused."""
    rank(name, "x", x, axes)
    rank(name, "w", w, kernel)
    if activation not in (None, "relu"):
        raise ValueError(
            f"{name}: activation must be None or 'relu', got {activation!r}; apply others to the result"
        )
    if groups != 1:
        integer(name, "groups", groups, least=1)
