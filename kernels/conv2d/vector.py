"""Convolution on register tiles: what NumPy arrays get where Winograd's algorithm does not pay.

One vector holds the same pixel and channel of 16 images (float32, AVX-512), so no channel count is too small
and no image that lies batch-last is padded or copied: see `kernels/emit` for the idea. This file runs the
tiles; what a tile does is in

    forward           y = x * w                   forward.py, forward_loop.py;
                      forward_few.py for few images, forward_alone.py for one
    input gradient    dx = g * flipped w          the same again; one convolution for each phase of a stride
    weight gradient   dw = sum of x times g       weight.py, weight_loop.py;
                      wide.py, wide_loop.py for many filters; correlate.py
    bias gradient     db = sum of g               bias.py, with the derivative of a fused activation

Groups (of depthwise convolutions, say) go through the same tiles, all in one launch: grouped.py. A few
convolutions take the matrix product of im2col.py: see choice.py.
"""

from functools import cache, partial
from typing import Any

import numpy as np

from .. import common
from ..common import Array, address, contiguous
from ..emit import vectors
from .bias import BiasPlaces, bias_plan, run_bias
from .choice import is_wide, why_product
from .correlate import correlate
from .forward_few import FewImages, few_images, side_by_side
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE, Places, forward_plan, pack, run_forward, spread
from .geometry import (
    Padding,
    Pair,
    Window,
    check_bias,
    check_forward,
    check_gradient,
    check_groups,
    group_slices,
    output_size,
    phases,
)
from .grouped import convolve_groups, correlate_groups, lie_near
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)


def batch_last(x: Array) -> Array:
    """`x`, in batch-last memory: the tiles take any other strides."""
    return x if common.is_batch_last(x) else common.to_batch_last(x)


@cache
def no_bias(filters: int, dtype: Any) -> Array:
    return np.zeros(filters, dtype)


def _by_product(operation: Any, *arrays: Array | None, **static: Any) -> Array:
    """im2col's, which computes with NumPy: one launch, so that a step with it can be repeated."""
    return common.as_one_launch(partial(operation["im2col"], **static), arrays)


def _convolve(x: Array, w: Array, b: Array, y: Array, window: Window, activation: str | None = None) -> None:
    """y = activation(b + x * w) for one group: x (N, H, W, C), w (KH, KW, C, F), y (N, OH, OW, F),
    all but w batch-last.
    """
    v, images = vectors(x.dtype), x.shape[0]
    adjoining = w.strides[3] == w.itemsize
    few = few_images(images, x.shape[1:3], y.shape[1:3], w.shape, window.strides[1], adjoining, v)
    many = images - few.images if few else images
    if many or not few:
        _run(x[:many], x.strides[1:], w, b, y[:many], window, activation, None)
    if few:
        last, steps = (x[many:], x.strides[1:]) if few.alone else side_by_side(x[many:], v)
        _run(last, steps, w, b, y[many:], window, activation, few)


def _run(
    x: Array, steps: tuple[int, ...], w: Array, b: Array, y: Array, window: Window, activation: str | None,
    few: FewImages | None,
) -> None:  # fmt: skip
    """Runs the tiles, for `few` images those of forward_few.py."""
    v = vectors(x.dtype)
    plan = forward_plan(x.shape[:3], y.shape[1:3], w.shape, w.strides, window, activation, v, few=few)
    alone = y.size * w[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    if plan.packed is not None:
        packed = common.aligned(plan.packed, w.dtype)  # (tiles, KH, KW, C, CT)
        pack(packed, w, plan.filters)
        w = packed
    if plan.spread:
        n, *pixels = x.shape
        copy = common.aligned((*pixels, n + plan.spread), x.dtype)[..., :n]  # (H, W, C, N)
        spread(copy, x.transpose(1, 2, 3, 0))
        x, steps = common.from_batch_last(copy), copy.strides[:3]  # (N, H, W, C)
    places = Places(x=address(x), w=address(w), b=address(b), y=address(y))
    run = run_forward.compiled  # type: ignore[attr-defined]
    common.launch(run, plan.loop, tuple(places), steps, y.strides[1:], alone=alone)


@conv2d.implementation("vector")
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
    if why_product("forward", x.shape[0], w.shape, strides, dilation, groups):
        static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        return _by_product(conv2d, x, w, b, activation=activation, **static)
    filters = w.shape[3]
    x, w = batch_last(x), contiguous(w, x.dtype)
    b = no_bias(filters, x.dtype) if b is None else contiguous(b, x.dtype)
    y = common.empty(x, (x.shape[0], *size, filters))
    window = Window(strides, (padding[0][0], padding[1][0]), dilation)
    if groups > 1 and lie_near(w):
        first = w[..., : filters // groups]  # (KH, KW, C/groups, F/groups)
        convolve_groups(x, first, b, y, groups, first.shape[3] * w.strides[3], window, activation)
        return y
    for c, f in group_slices(groups, x.shape[3], filters):
        _convolve(x[..., c], w[..., f], b[f], y[..., f], window, activation)
    return y


@conv2d_input_grad.implementation("vector")
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
    channels, filters = w.shape[2] * groups, w.shape[3]
    check_groups(channels, filters, groups)
    check_gradient(
        g.shape, (None, *output_size(input_size, w.shape[:2], strides, padding, dilation), filters)
    )
    check_bias(None if b is None else b.shape, channels)
    if why_product("input gradient", g.shape[0], w.shape, strides, dilation, groups):
        static: Any = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        static |= {"input_size": input_size, "activation": activation}
        return _by_product(conv2d_input_grad, g, w, b, **static)
    g, w = batch_last(g), contiguous(w, g.dtype)
    dx = common.empty(g, (g.shape[0], *input_size, channels))
    b = no_bias(channels, g.dtype) if b is None else contiguous(b, g.dtype)
    # The filters are the channels of this convolution: (KH, KW, F/groups, C/groups).
    kernel = w[..., : filters // groups].transpose(0, 1, 3, 2)
    step = kernel.shape[2] * w.strides[3]
    rows, columns = (phases(w.shape[i], strides[i], padding[i][0], dilation[i]) for i in (0, 1))
    for first_row, row_taps, top in rows:
        for first_column, column_taps, left in columns:
            # every stride-th pixel, and the taps it sees
            phase = dx[:, first_row :: strides[0], first_column :: strides[1]]
            part = kernel[row_taps, column_taps]
            window = Window((1, 1), (top, left), dilation)
            if phase.size:
                _convolve_phase(g, part, b, phase, groups, step, window, activation)
    return dx


def _convolve_phase(
    g: Array, w: Array, b: Array, dx: Array, groups: int, w_group: int, window: Window, activation: str | None
) -> None:
    """The pixels `dx` of one phase, which see the taps `w` (KH, KW, F/groups, C/groups) of the kernel,
    or none.
    """
    if 0 in w.shape:
        common.launch(np.copyto if activation is None else _rectify, dx, b)
    elif groups > 1:
        convolve_groups(g, w, b, dx, groups, w_group, window, activation)
    else:
        _convolve(g, w, b, dx, window, activation)


def _rectify(y: Array, b: Array) -> None:
    np.maximum(b, 0, out=y)


@conv2d_weight_grad.implementation("vector")
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    channels, filters = x.shape[3], g.shape[3]
    check_groups(channels, filters, groups)
    check_gradient(
        g.shape, (x.shape[0], *output_size(x.shape[1:3], kernel_size, strides, padding, dilation), None)
    )
    if why_product(
        "weight gradient", x.shape[0], (*kernel_size, channels // groups, filters), strides, dilation, groups
    ):
        static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        return _by_product(conv2d_weight_grad, x, g, kernel_size=kernel_size, **static)
    x, g = batch_last(x), batch_last(np.asarray(g, x.dtype))
    dw = common.aligned((*kernel_size, channels // groups, filters), x.dtype)
    window = Window(strides, (padding[0][0], padding[1][0]), dilation)
    if groups > 1 and not is_wide(
        g.shape[1:3], kernel_size, channels // groups, filters // groups, vectors(x.dtype)
    ):
        correlate_groups(x, g, dw, groups, window)
        return dw
    for c, f in group_slices(groups, channels, filters):
        correlate(x[..., c], g[..., f], dw, f, window)
    return dw


@conv2d_activation_grad.implementation("vector")
def _(g: Array, y: Array, activation: str | None) -> tuple[Array, Array]:
    check_gradient(g.shape, y.shape, activation)
    g = batch_last(g)
    y, dz = (g, g) if activation is None else (batch_last(np.asarray(y, g.dtype)), common.empty(g, g.shape))
    v, filters = vectors(g.dtype), g.shape[3]
    plan = bias_plan(g.shape, activation, v)
    sums, db = common.aligned((plan.pieces, filters), g.dtype), common.aligned((filters,), g.dtype)
    places = BiasPlaces(g=address(g), y=address(y), dz=address(dz), db=address(sums))
    steps = (g.strides[1:], y.strides[1:], dz.strides[1:])
    run = run_bias.compiled  # type: ignore[attr-defined]
    common.launch(run, plan.loop, tuple(places), *steps, sums, db, alone=g.size < common.MAX_ELEMENTS_ALONE)
    return dz, db


@conv2d_bias_grad.implementation("vector")
def _(g: Array) -> Array:
    return conv2d_activation_grad["vector"](g, g, None)[1]
