"""Convolution as a matrix product: the reference, for every array module.

im2col writes the window under each output pixel as one column of a matrix; the kernel is a matrix with one
row per filter:

     w: F rows, KH*KW*C wide       columns: one per output pixel and image        y
     [ filter 0              ]     [ |      |      |           |      ]
     [ filter 1              ]  @  [ window window window ...  window ]  =  (F, OH*OW*N)
     [ ...                   ]     [ |      |      |           |      ]

(examples/engine_in_one_file.py has windows as rows. Here they are columns, so that images stay innermost.)
Both gradients are the transposed products; col2im, the adjoint of im2col, adds every window back where it was
taken from.

N images, H x W input, C channels, KH x KW kernel, OH x OW output, F filters.
"""

import math
from collections.abc import Iterator

from .. import common
from ..activations import relu, relu_grad
from ..common import Array, xp
from ..gemm import gemm
from ..reduce import in_double
from .geometry import (
    Padding,
    Pair,
    check_bias,
    check_forward,
    check_gradient,
    check_groups,
    group_slices,
    output_size,
)
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)


def _windows(
    padded: Array, kernel: Pair, strides: Pair, dilation: Pair, output: Pair
) -> Iterator[tuple[int, int, Array]]:
    """For each tap (kh, kw), the view (OH, OW, C, N) of the padded image (H, W, C, N) that meets it."""
    (sh, sw), (dh, dw), (oh, ow) = strides, dilation, output
    for kh in range(kernel[0]):
        for kw in range(kernel[1]):
            top, left = kh * dh, kw * dw
            yield kh, kw, padded[top : top + (oh - 1) * sh + 1 : sh, left : left + (ow - 1) * sw + 1 : sw]


def im2col(x: Array, kernel: Pair, strides: Pair, padding: Padding, dilation: Pair = (1, 1)) -> Array:
    """Windows of `x` as columns: (N, H, W, C) -> (KH*KW*C, OH*OW*N)."""
    n, h, w, c = x.shape
    output = output_size((h, w), kernel, strides, padding, dilation)
    (top, bottom), (left, right) = padding
    padded = xp(x).zeros((top + h + bottom, left + w + right, c, n), x.dtype)
    padded[top : top + h, left : left + w] = x.transpose(1, 2, 3, 0)
    columns = xp(x).empty((*kernel, c, *output, n), x.dtype)
    for kh, kw, window in _windows(padded, kernel, strides, dilation, output):
        columns[kh, kw] = window.transpose(2, 0, 1, 3)  # (OH, OW, C, N) -> (C, OH, OW, N)
    return columns.reshape(kernel[0] * kernel[1] * c, output[0] * output[1] * n)


def col2im(
    columns: Array,
    shape: tuple[int, ...],
    kernel: Pair,
    strides: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
) -> Array:
    """Adjoint of im2col: adds the columns (KH*KW*C, OH*OW*N) back into an image of `shape` (N, H, W, C)."""
    n, h, w, c = shape
    output = output_size((h, w), kernel, strides, padding, dilation)
    (top, bottom), (left, right) = padding
    columns = columns.reshape(*kernel, c, *output, n)
    padded = xp(columns).zeros((top + h + bottom, left + w + right, c, n), columns.dtype)
    for kh, kw, window in _windows(padded, kernel, strides, dilation, output):
        window += columns[kh, kw].transpose(1, 2, 0, 3)  # (C, OH, OW, N) -> (OH, OW, C, N)
    image = common.empty(columns, shape)
    image[...] = padded[top : top + h, left : left + w].transpose(3, 0, 1, 2)
    return image


def _rows(w: Array) -> Array:
    """Kernel (KH, KW, C, F) as a matrix with one filter per row: (F, KH*KW*C)."""
    return w.reshape(math.prod(w.shape[:3]), w.shape[3]).T


def _pixels(y: Array) -> Array:
    """Outputs (N, OH, OW, F) as a matrix with one filter per row: (F, OH*OW*N)."""
    return y.transpose(3, 1, 2, 0).reshape(y.shape[3], math.prod(y.shape[:3]))


@conv2d.implementation("im2col")
def _(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    activation: str | None = None,
) -> Array:
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups, activation)
    kernel = w.shape[:2]
    oh, ow = output_size(x.shape[1:3], kernel, strides, padding, dilation)
    n, filters = x.shape[0], w.shape[3]
    y = common.empty(x, (n, oh, ow, filters))
    for c, f in group_slices(groups, x.shape[3], filters):
        columns = im2col(x[..., c], kernel, strides, padding, dilation)
        product = gemm(_rows(w[..., f]), columns)  # (F, OH*OW*N)
        y[..., f] = product.reshape(filters // groups, oh, ow, n).transpose(3, 1, 2, 0)
    if b is not None:
        y += b
    return relu(y) if activation == "relu" else y


@conv2d_input_grad.implementation("im2col")
def _(
    g: Array,
    w: Array,
    b: Array | None = None,
    *,
    input_size: Pair,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    activation: str | None = None,
) -> Array:
    kernel, channels = w.shape[:2], w.shape[2] * groups
    check_groups(channels, w.shape[3], groups)
    oh, ow = output_size(input_size, kernel, strides, padding, dilation)
    check_gradient(g.shape, (None, oh, ow, w.shape[3]))
    check_bias(None if b is None else b.shape, channels)
    n = g.shape[0]
    dx = common.empty(g, (n, *input_size, channels))
    for c, f in group_slices(groups, channels, w.shape[3]):
        columns = gemm(_rows(w[..., f]).T, _pixels(g[..., f]))
        dx[..., c] = col2im(columns, (n, *input_size, w.shape[2]), kernel, strides, padding, dilation)
    if b is not None:
        dx += b
    return relu(dx) if activation == "relu" else dx


@conv2d_weight_grad.implementation("im2col")
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    channels, filters = x.shape[3], g.shape[3]
    check_groups(channels, filters, groups)
    oh, ow = output_size(x.shape[1:3], kernel_size, strides, padding, dilation)
    check_gradient(g.shape, (x.shape[0], oh, ow, None))
    dw = xp(x).empty((*kernel_size, channels // groups, filters), x.dtype)
    for c, f in group_slices(groups, channels, filters):
        columns = im2col(x[..., c], kernel_size, strides, padding, dilation)
        product = gemm(columns, _pixels(g[..., f]).T)  # (KH*KW*C, F)
        dw[..., f] = product.reshape(*kernel_size, channels // groups, filters // groups)
    return dw


@conv2d_bias_grad.implementation("im2col")
def _(g: Array) -> Array:
    return in_double(g, (0, 1, 2))


@conv2d_activation_grad.implementation("im2col")
def _(g: Array, y: Array, activation: str | None) -> tuple[Array, Array]:
    check_gradient(g.shape, y.shape, activation)
    dz = relu_grad(g, y) if activation == "relu" else g
    return dz, in_double(dz, (0, 1, 2))
