"""Convolution on register tiles: the implementation NumPy arrays get.

One vector holds the same pixel and channel of 16 images (float32, AVX-512), so no channel count is too small and
no image that lies batch-last is padded or copied: see `kernels/emit` for the idea. This file runs the tiles; what a
tile does is in

    forward           y = x * w                   forward.py
    input gradient    dx = g * flipped w          forward.py again; one convolution for each phase of a stride
    weight gradient   dw = sum of x times g       weight.py

Groups are channel slices, one after the other. Kernels wider than 16 columns, and input gradients with both stride and
dilation, have no tiles and take the matrix product of im2col.py.
"""

from functools import cache, partial

import numpy as np

from .. import common
from ..common import Array, parallel, prange, serial
from ..emit import call_kernel, vectors
from ..reduce import sum_channel
from .forward import forward_plan
from .geometry import Padding, Pair, check_forward, check_gradient, check_groups, group_slices, output_size
from .im2col import conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad
from .weight import weight_plan

SMALL_KERNEL = 1 << 14  # weights that one thread packs sooner than two could be woken
WIDEST_KERNEL = 16  # columns of sums that fit the registers for one filter and one channel


def _batch_last(x: Array) -> Array:
    """`x`, in batch-last memory: the tiles take any other strides."""
    return x if common.is_batch_last(x) else common.to_batch_last(x)


def _address(x: Array) -> int:
    return x.__array_interface__["data"][0]


def _element_steps(view: Array, owner: Array) -> tuple[int, tuple[int, ...]]:
    """Where `view` starts in the flat array `owner`, and its steps, counted in elements."""
    origin = (_address(view) - _address(owner)) // view.itemsize
    return origin, tuple(step // view.itemsize for step in view.strides)


def _convolve(x: Array, w: Array, b: Array, y: Array, strides: Pair, corner: Pair, dilation: Pair) -> None:
    """y = b + x * w for one group. x and y are batch-last, w is a view of a C-ordered array; corner = (top, left)."""
    v = vectors(x.dtype)
    images = x.shape[0]
    kinds = (images >= v.lanes, images % v.lanes > 0)  # whether there are full blocks, and a partial one
    plan = forward_plan(x.shape[1:3], y.shape[1:3], w.shape[:2], w.shape[3], strides, corner, dilation, v, kinds)
    weights = (w if w.base is None else w.base).reshape(-1)  # the array that the flipped or strided view w looks into
    packed = np.empty(w.size, w.dtype)
    _run_forward(*plan, weights, *_element_steps(w, weights), w.shape, packed, _address(x), _address(b), _address(y),
                images, v.lanes, x.strides[1:], y.strides[1:], strides, corner, dilation)


@conv2d.implementation("vector")
def _(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups)
    size = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
    if w.shape[1] > WIDEST_KERNEL:
        return conv2d["im2col"](x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups)
    filters = w.shape[3]
    x, w = _batch_last(x), np.array(w, x.dtype, order="C")
    b = np.zeros(filters, x.dtype) if b is None else np.ascontiguousarray(b, x.dtype)
    y = common.empty(x, (x.shape[0], *size, filters))
    corner = (padding[0][0], padding[1][0])
    for c, f in group_slices(groups, x.shape[3], filters):
        _convolve(x[..., c], w[..., f], b[f], y[..., f], strides, corner, dilation)
    return y


@conv2d_input_grad.implementation("vector")
def _(
    g: Array, w: Array, *, input_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    channels, filters = w.shape[2] * groups, w.shape[3]
    check_groups(channels, filters, groups)
    check_gradient(g.shape, (None, *output_size(input_size, w.shape[:2], strides, padding, dilation), filters))
    dilated_stride = any(s > 1 and d > 1 for s, d in zip(strides, dilation, strict=True))
    if dilated_stride or w.shape[1] > WIDEST_KERNEL:
        static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        return conv2d_input_grad["im2col"](g, w, input_size=input_size, **static)
    g, w = _batch_last(g), np.array(w, g.dtype, order="C")
    dx = common.empty(g, (g.shape[0], *input_size, channels))
    no_bias = np.zeros(w.shape[2], g.dtype)
    rows, columns = (_phases(w.shape[i], strides[i], padding[i][0], dilation[i]) for i in (0, 1))
    for c, f in group_slices(groups, channels, filters):
        kernel = w[..., f].transpose(0, 1, 3, 2)  # the filters are the channels of this convolution
        for first_row, row_taps, top in rows:
            for first_column, column_taps, left in columns:
                phase = dx[:, first_row :: strides[0], first_column :: strides[1], c]
                part = kernel[row_taps, column_taps]
                if 0 in part.shape:
                    phase[...] = 0
                elif phase.size:
                    _convolve(g[..., f], part, no_bias, phase, (1, 1), (top, left), dilation)
    return dx


@cache
def _phases(taps: int, stride: int, padding: int, dilation: int) -> list[tuple[int, slice, int]]:
    """Along one axis: input positions first, first + stride, ... see only the taps r, r + stride, ... of the kernel.

    Position i meets output o at tap k when i = o * stride + k * dilation - padding. If the dilation is 1, then
    k = (i + padding) mod stride = r, up to multiples of the stride; if it is not, the stride is 1 and there is one
    phase. Over those positions the gradient is a convolution of stride 1 with these taps in reverse order. Returns (first,
    slice of the taps, padding of that convolution) for each phase.
    """
    phases = []
    for first in range(stride):
        r = (first + padding) % stride
        count = len(range(r, taps, stride))
        last = r + (count - 1) * stride
        reverse = slice(last, r - stride if r >= stride else None, -stride) if count else slice(0, 0)
        phases.append((first, reverse, (count - 1) * dilation - (first + padding - r) // stride))
    return phases


@conv2d_weight_grad.implementation("vector")
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    channels, filters = x.shape[3], g.shape[3]
    check_groups(channels, filters, groups)
    check_gradient(g.shape, (x.shape[0], *output_size(x.shape[1:3], kernel_size, strides, padding, dilation), None))
    if kernel_size[1] > WIDEST_KERNEL:
        static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        return conv2d_weight_grad["im2col"](x, g, kernel_size=kernel_size, **static)
    x, g = _batch_last(x), _batch_last(np.asarray(g, x.dtype))
    corner = (padding[0][0], padding[1][0])
    slices = group_slices(groups, channels, filters)
    parts = [_correlate(x[..., c], g[..., f], kernel_size, strides, corner, dilation) for c, f in slices]
    return parts[0] if groups == 1 else np.concatenate(parts, axis=3)


def _correlate(x: Array, g: Array, kernel: Pair, strides: Pair, corner: Pair, dilation: Pair) -> Array:
    """dw (KH, KW, C, F) of one group: the sum of the partial results of a fixed division of the batch."""
    v = vectors(x.dtype)
    n, c, f = x.shape[0], x.shape[3], g.shape[3]
    plan = weight_plan(x.shape[1:3], g.shape[1:3], kernel, c, f, strides, corner, dilation, v, n)
    partial = np.empty((plan.parts.shape[0], *kernel, c, f), x.dtype)
    _run_weight(*plan, _address(x), _address(g), _address(partial), v.lanes * v.itemsize, n, v.lanes, partial.strides,
                x.strides[1:], g.strides[1:])
    return partial[0] if len(partial) == 1 else partial.sum(axis=0)


@conv2d_bias_grad.implementation("vector")
def _(g: Array) -> Array:
    g = _batch_last(g)
    rows = g.transpose(1, 2, 3, 0).reshape(-1, g.shape[3], g.shape[0])  # (OH OW, F, N)
    db = np.empty(g.shape[3], g.dtype)
    _run_bias(db, rows)
    return db


# The compiled loops: which tile runs where. Addresses and steps are in bytes.


@serial
def _pack(w, origin, steps, shape, kh, first, end, packed):
    """Packs kernel row `kh` for the tile of filters first to end: [c][kw][its filters], as the tile reads them.

    The flipped kernel of an input gradient and the sub-kernels of a strided one are views of w; given as steps, they
    are all served by one compiled version.
    """
    _, columns, channels, _ = shape
    filters = end - first
    k = (first * shape[0] + kh * filters) * columns * channels
    for c in range(channels):
        for kw in range(columns):
            source = origin + kh * steps[0] + kw * steps[1] + c * steps[2] + first * steps[3]
            for f in range(filters):
                packed[k + f] = w[source + f * steps[3]]
            k += filters


@partial(parallel, by_size=False)  # its arrays are plans
def _run_forward(tiles, filters, columns, taps, w, w_origin, w_steps, w_shape, packed, x, b, y, images, lanes, x_steps,
                y_steps, strides, corner, dilation):
    """Packs the weights and runs the tiles. x, b, y are addresses, steps are (row, column, channel) in bytes.

    `packed` is scratch that the caller owns: the tiles read it by its address, which Numba does not count as a use, so
    an array made here would be freed too early.
    """
    pieces, rows, itemsize = tiles.shape[1], taps.shape[0], w.itemsize
    weights_per_filter = w_shape[0] * w_shape[1] * w_shape[2]
    if packed.size < SMALL_KERNEL:
        for i in range(pieces):
            for kh in range(w_shape[0]):
                _pack(w, w_origin, w_steps, w_shape, kh, filters[i], filters[i + 1], packed)
    else:
        for piece in prange(pieces * w_shape[0]):
            i, kh = piece // w_shape[0], piece % w_shape[0]
            _pack(w, w_origin, w_steps, w_shape, kh, filters[i], filters[i + 1], packed)

    weights = packed.ctypes.data
    for task in prange(-(-images // lanes) * pieces * rows):
        block, i, row = task // (pieces * rows), task // rows % pieces, task % rows
        live = min(lanes, images - block * lanes)
        kind = 1 if live < lanes else 0
        f, first_lane = filters[i], block * lanes * itemsize
        x_row = x + first_lane + (row * strides[0] - corner[0]) * x_steps[0] - corner[1] * x_steps[1]
        y_row = y + first_lane + row * y_steps[0] + f * y_steps[2]
        for j in range(tiles.shape[2]):
            call_kernel(  # type: ignore[call-arg]
                tiles[kind, i, j],
                (
                    x_row + columns[j] * strides[1] * x_steps[1],
                    weights + f * weights_per_filter * itemsize,
                    b + f * itemsize,
                    y_row + columns[j] * y_steps[1],
                    w_shape[2], taps[row, 0], taps[row, 1],
                    x_steps[0] * dilation[0], x_steps[1], x_steps[2], y_steps[1], y_steps[2], live,
                ),
            )


@partial(parallel, by_size=False)  # its arrays are plans
def _run_weight(tiles, parts, x, g, dw, vector_bytes, images, lanes, dw_steps, x_steps, g_steps):
    """Runs every tile on every part. x, g, dw are addresses; steps of x and g are (row, column, channel) in bytes."""
    for task in prange(parts.shape[0] * tiles.shape[0]):
        part, i = task // tiles.shape[0], task % tiles.shape[0]
        first, blocks, masked = parts[part, 0], parts[part, 1], parts[part, 2]
        kh, c, f = tiles[i, 2], tiles[i, 3], tiles[i, 4]
        call_kernel(  # type: ignore[call-arg]
            tiles[i, masked],
            (
                x + first * vector_bytes + c * x_steps[2],
                g + first * vector_bytes + f * g_steps[2],
                dw + part * dw_steps[0] + kh * dw_steps[1] + c * dw_steps[3] + f * dw_steps[4],
                blocks, x_steps[0], x_steps[1], x_steps[2], g_steps[0], g_steps[1], g_steps[2],
                dw_steps[1], dw_steps[2], dw_steps[3], images % lanes,
            ),
        )


@parallel
def _run_bias(db, g):
    """db (F,) = sum of g (pixels, F, N) over pixels and images; every filter is one thread's."""
    for f in prange(g.shape[1]):
        db[f] = sum_channel(g, f)
