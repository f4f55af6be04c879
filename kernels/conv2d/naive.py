"""Convolution by its definition: seven nested loops, compiled so that a training run can use them.

The image loop is the innermost because images are neighbours in memory; the order of the other loops is that
of the formula. No tiles, no vectors by hand, no threads: the definition that the other implementations, the
reference im2col.py among them, are tested against.
"""

import numpy as np

from .. import common
from ..activations import relu
from ..common import Array, serial
from .geometry import Padding, Pair, check_bias, check_forward, check_gradient, check_groups, output_size
from .operations import conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad


@serial
def _forward(x, w, y, strides, corner, dilation):
    """y += x * w. x (H, W, C, N), w (KH, KW, C/groups, F), y (OH, OW, F, N); corner = (top, left) padding."""
    groups = x.shape[2] // w.shape[2]
    for oh in range(y.shape[0]):
        for ow in range(y.shape[1]):
            for f in range(y.shape[2]):
                group = f // (y.shape[2] // groups)
                for kh in range(w.shape[0]):
                    ih = oh * strides[0] + kh * dilation[0] - corner[0]
                    for kw in range(w.shape[1]):
                        iw = ow * strides[1] + kw * dilation[1] - corner[1]
                        if 0 <= ih < x.shape[0] and 0 <= iw < x.shape[1]:
                            for c in range(w.shape[2]):
                                for n in range(x.shape[3]):
                                    y[oh, ow, f, n] += x[ih, iw, group * w.shape[2] + c, n] * w[kh, kw, c, f]


@serial
def _input_grad(dx, w, g, strides, corner, dilation):
    """dx += what each output pixel sends back through each tap;
    the loops of `_forward` with x and y changing roles.
    """
    groups = dx.shape[2] // w.shape[2]
    for oh in range(g.shape[0]):
        for ow in range(g.shape[1]):
            for f in range(g.shape[2]):
                group = f // (g.shape[2] // groups)
                for kh in range(w.shape[0]):
                    ih = oh * strides[0] + kh * dilation[0] - corner[0]
                    for kw in range(w.shape[1]):
                        iw = ow * strides[1] + kw * dilation[1] - corner[1]
                        if 0 <= ih < dx.shape[0] and 0 <= iw < dx.shape[1]:
                            for c in range(w.shape[2]):
                                for n in range(dx.shape[3]):
                                    dx[ih, iw, group * w.shape[2] + c, n] += g[oh, ow, f, n] * w[kh, kw, c, f]


@serial
def _weight_grad(x, dw, g, strides, corner, dilation):
    """dw += x * g; the loops of `_forward` with w and y changing roles."""
    groups = x.shape[2] // dw.shape[2]
    for oh in range(g.shape[0]):
        for ow in range(g.shape[1]):
            for f in range(g.shape[2]):
                group = f // (g.shape[2] // groups)
                for kh in range(dw.shape[0]):
                    ih = oh * strides[0] + kh * dilation[0] - corner[0]
                    for kw in range(dw.shape[1]):
                        iw = ow * strides[1] + kw * dilation[1] - corner[1]
                        if 0 <= ih < x.shape[0] and 0 <= iw < x.shape[1]:
                            for c in range(dw.shape[2]):
                                for n in range(x.shape[3]):
                                    dw[kh, kw, c, f] += (
                                        x[ih, iw, group * dw.shape[2] + c, n] * g[oh, ow, f, n]
                                    )


@conv2d.implementation("naive", default=False)
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
    size = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
    y = common.empty(x, (x.shape[0], *size, w.shape[3]))
    y[...] = 0 if b is None else b
    corner = (padding[0][0], padding[1][0])
    _forward(
        common.batch_last(x),
        np.ascontiguousarray(w, x.dtype),
        common.batch_last(y),
        strides,
        corner,
        dilation,
    )
    return relu(y) if activation == "relu" else y


@conv2d_input_grad.implementation("naive", default=False)
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
    check_groups(w.shape[2] * groups, w.shape[3], groups)
    check_gradient(
        g.shape, (None, *output_size(input_size, w.shape[:2], strides, padding, dilation), w.shape[3])
    )
    check_bias(None if b is None else b.shape, w.shape[2] * groups)
    dx = common.empty(g, (g.shape[0], *input_size, w.shape[2] * groups))
    dx[...] = 0 if b is None else b
    corner = (padding[0][0], padding[1][0])
    w = np.ascontiguousarray(w, g.dtype)
    _input_grad(common.batch_last(dx), w, common.batch_last(g), strides, corner, dilation)
    return relu(dx) if activation == "relu" else dx


@conv2d_weight_grad.implementation("naive", default=False)
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    check_groups(x.shape[3], g.shape[3], groups)
    check_gradient(
        g.shape, (x.shape[0], *output_size(x.shape[1:3], kernel_size, strides, padding, dilation), None)
    )
    dw = np.zeros((*kernel_size, x.shape[3] // groups, g.shape[3]), x.dtype)
    corner = (padding[0][0], padding[1][0])
    _weight_grad(
        common.batch_last(x), dw, common.batch_last(np.asarray(g, x.dtype)), strides, corner, dilation
    )
    return dw


@conv2d_bias_grad.implementation("naive", default=False)
def _(g: Array) -> Array:
    db = np.zeros(g.shape[3], g.dtype)
    _bias_grad(common.batch_last(g), db)
    return db


@serial
def _bias_grad(g, db):
    """db += g, summed over pixels and images. g (OH, OW, F, N), db (F,)."""
    height, width, filters, images = g.shape
    for oh in range(height):
        for ow in range(width):
            for f in range(filters):
                for n in range(images):
                    db[f] += g[oh, ow, f, n]
