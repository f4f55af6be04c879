"""Convolutions that are the one of convolution2d.py in another dress: depthwise, transposed, of sequences."""

from typing import Any

from tinynet.autograd import array_primitive
from tinynet.backend.config import known_format
from tinynet.kernels import conv2d as kernels
from tinynet.kernels.conv2d.geometry import padding_along, transposed_length
from tinynet.ops.convolution2d import (
    TO_NCHW,
    TO_NHWC,
    check_images,
    conv2d,
    convolution,
    convolution_bias_grad,
    convolution_weight_grad,
    rectified_grad,
)
from tinynet.ops.methods import Value
from tinynet.ops.settings import SEQUENCES, choice, floats, integer, pair
from tinynet.ops.shapes import reshape, transpose


def depthwise_conv2d(
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    activation: str | None = None,
) -> Value:
    """Each channel of x filtered by itself: w (KH, KW, C, M), b (C M,),
    the output's channel c M + q is w[..., c, q] on c.

    That is a convolution with C groups of one channel and M filters, and w has the memory order for it.
    strides, padding, data_format, dilation_rate and activation are as in conv2d. Raises ValueError where the
    channels do not fit.

    >>> ops.depthwise_conv2d(np.ones((1, 4, 4, 3)), np.ones((3, 3, 3, 2))).shape
    (1, 2, 2, 6)
    """
    name, (x, w, b) = "depthwise_conv2d", floats(x, w, b)
    check_images(name, x, w, activation)
    strides, dilation_rate = pair(name, "strides", strides), pair(name, "dilation_rate", dilation_rate)
    kh, kw, channels, multiplier = w.shape
    found = x.shape[3 if known_format(data_format) == "channels_last" else 1]
    if found != channels:
        raise ValueError(
            f"depthwise_conv2d: a kernel {w.shape} takes {channels} channels, "
            f"the images {x.shape} have {found}"
        )
    return conv2d(
        x,
        reshape(w, (kh, kw, 1, channels * multiplier)),
        b,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        groups=channels,
        activation=activation,
    )


@array_primitive
def transposed_convolution(x, w, b, *, input_size, strides, padding, dilation, activation):
    """x (N, H, W, C), w (KH, KW, F, C), b (F,) or None -> (N, OH, OW, F),
    where (OH, OW) is the convolution's input_size.
    """
    geometry = {"input_size": input_size, "strides": strides, "padding": padding, "dilation": dilation}
    return kernels.conv2d_input_grad(x, w, b, groups=1, activation=activation, **geometry)


@transposed_convolution.joint_vjp
def _(grad, x, w, y, needs, strides, padding, dilation, activation):
    geometry = {"strides": strides, "padding": padding, "dilation": dilation, "groups": 1}
    grad, db = (grad, None) if activation is None else rectified_grad(grad, y)
    dx = convolution(grad, w, None, **geometry) if needs[0] else None
    dw = convolution_weight_grad(grad, x, kernel_size=w.shape[:2], **geometry) if needs[1] else None
    if needs[2] and db is None:
        db = convolution_bias_grad(grad)
    return dx, dw, db if needs[2] else None


def conv2d_transpose(
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    strides: Any = (1, 1),
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    activation: str | None = None,
) -> Value:
    """Transposed convolution of x (N, H, W, C) with w (KH, KW, F, C) and bias b (F,) -> (N, OH, OW, F).

    y[n, h, w, f] = b[f] + sum of x[n, i, j, c] W[kh, kw, f, c] over all i SH + kh DH - top = h,
    j SW + kw DW - left = w

    It is the input gradient of the convolution that has kernel w and makes maps of x's size from maps of y's:
    the same kernel runs. `padding` ("valid" or "same") and `output_padding` (None, or less than the strides)
    give OH, OW, top and left: `transposed_length` in kernels/conv2d/geometry.py. strides, dilation_rate,
    data_format and activation are as in conv2d. Raises ValueError for another activation, and where x, w and
    b do not fit.

    >>> ops.conv2d_transpose(np.ones((1, 2, 2, 3)), np.ones((3, 3, 4, 3)), strides=2).shape
    (1, 5, 5, 4)
    """
    name = "conv2d_transpose"
    x, w, b = floats(x, w, b)
    check_images(name, x, w, activation)
    choice(name, "padding", padding, ("valid", "same"))
    first = known_format(data_format) == "channels_first"
    x = transpose(x, TO_NHWC) if first else x
    strides, dilation = pair(name, "strides", strides), pair(name, "dilation_rate", dilation_rate)
    if x.shape[3] != w.shape[3]:
        raise ValueError(
            f"{name}: a kernel {tuple(w.shape)} takes {w.shape[3]} channels, the images have {x.shape[3]}"
        )
    extra = (None, None) if output_padding is None else pair(name, "output_padding", output_padding, least=0)
    axes = zip(x.shape[1:3], w.shape[:2], strides, (padding,) * 2, extra, dilation, strict=True)
    (height, rows), (width, columns) = (transposed_length(*axis) for axis in axes)
    if any(e is not None and e >= s for e, s in zip(extra, strides, strict=True)):
        raise ValueError(
            f"{name}: output_padding must be less than the strides {strides}, got {output_padding}"
        )
    geometry = {"strides": strides, "padding": (rows, columns), "dilation": dilation}
    y = transposed_convolution(x, w, b, input_size=(height, width), activation=activation, **geometry)
    return transpose(y, TO_NCHW) if first else y


def conv1d(
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    strides: int = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Value:
    """Convolution of sequences x (N, L, C) with w (K, C/groups, F) and bias b (F,) -> (N, OL, F),
    as images of one row.

    padding is that of conv2d, or "causal": zeros before the sequence only, so that y[i] sees nothing after
    x[i * strides]. strides and dilation_rate are numbers; groups, activation and data_format (channels first:
    (N, C, L)) are as in conv2d. Raises ValueError where the shapes do not fit each other.

    >>> ops.conv1d([[[1.0], [2.0], [3.0]]], [[[1.0]], [[10.0]]], padding="causal")[..., 0]
    array([[10., 21., 32.]], dtype=float32)
    """
    x, w, b = floats(x, w, b)
    check_images("conv1d", x, w, activation, groups, SEQUENCES, ("K", "C", "F"))
    strides = integer("conv1d", "strides", strides, least=1)
    dilation_rate = integer("conv1d", "dilation_rate", dilation_rate, least=1)
    choice("conv1d", "padding", padding, ("valid", "same", "causal"))
    causal = (0, 0), padding_along("causal", x.shape[1], w.shape[0], strides, dilation_rate)
    y = conv2d(
        as_images(x, data_format),
        reshape(w, (1, *w.shape)),
        b,
        strides=(1, strides),
        padding=causal if padding == "causal" else padding,
        data_format=data_format,
        dilation_rate=(1, dilation_rate),
        groups=groups,
        activation=activation,
    )
    return as_sequences(y, data_format)


def as_images(x: Value, data_format: str) -> Value:
    """Sequences (N, L, C) as images of one row (N, 1, L, C), or (N, C, L) as (N, C, 1, L): a view."""
    axis = 2 if known_format(data_format) == "channels_first" else 1
    return reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))


def as_sequences(x: Value, data_format: str) -> Value:
    """The same backwards."""
    axis = 2 if known_format(data_format) == "channels_first" else 1
    return reshape(x, (*x.shape[:axis], *x.shape[axis + 1 :]))
