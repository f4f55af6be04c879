"""A ladder from the definition to the register tile: one idea on each rung, in loops that Numba compiles.

The example of README.md: 14x14 pixels, 14 channels to 14 filters, 3x3, 'same', 128 images, float32. It is 40
million multiply-adds, each of a pixel and a weight; images and weights come to 1.4 MB, outputs to as much.
Each rung can be chosen (`kernels.use("conv2d", "several_filters")`), and `python -m benchmarks ladder` times
them side by side.

    one_at_a_time       the formula, image by image: each output is the sum of 126 products
    (naive.py)          images innermost: sixteen images do the same at the same time, in one vector
    sums_in_registers   the sums of seven columns stay in registers until they are finished
    several_filters     every pixel that is loaded serves seven filters
    rows_shared         the rows of the output are shared among the threads
    (vector.py)         the tile: written by instruction, for the shape at hand

The rungs take every stride, padding, dilation and number of groups, but are the forward pass only: the
gradients are then those of im2col.py.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import common
from ..activations import relu
from ..common import Array, contiguous, parallel, prange, serial
from ..emit.local import local_array
from .geometry import Padding, Pair, check_forward, group_slices, output_size
from .operations import conv2d

LANES = 16  # images side by side: one vector of float32 with AVX-512, two with AVX2


# Rung 0: the formula
#
# One number after the other. An output is a sum, and each addition waits some cycles for the one before it.
# The compiler may not reorder the sum, since that changes its bits; so no vector code comes of it, and most
# of the machine is idle.


@serial
def _one_at_a_time(x, w, b, y, strides, corner, dilation):
    """y = b + x * w. x (N, H, W, C), w (KH, KW, C, F), y (N, OH, OW, F); corner = (top, left) padding."""
    for n in range(y.shape[0]):
        for oh in range(y.shape[1]):
            for ow in range(y.shape[2]):
                for f in range(y.shape[3]):
                    total = b[f]
                    for kh in range(w.shape[0]):
                        ih = oh * strides[0] + kh * dilation[0] - corner[0]
                        for kw in range(w.shape[1]):
                            iw = ow * strides[1] + kw * dilation[1] - corner[1]
                            if 0 <= ih < x.shape[1] and 0 <= iw < x.shape[2]:
                                for c in range(w.shape[2]):
                                    total += x[n, ih, iw, c] * w[kh, kw, c, f]
                    y[n, oh, ow, f] = total


# Rung 1: images innermost, `_forward` of naive.py
#
# The same arithmetic for every image: so the loop over images comes last, and the images of a pixel are
# neighbours in memory. Its turns do not wait for each other, and the compiler makes vectors of them: 16
# products at a time. But the sums lie in memory: for each multiply-add of a vector two vectors are loaded,
# pixels and sums, and one is stored. The layer has 2.8 MB of data, and 3 x 4 bytes x 40 million = 480 MB go
# to and fro between registers and caches.


# Rung 2: sums in registers
#
# On rung 1 a sum is loaded and stored 126 times, once for each tap and channel. Here it is begun in a
# register and stored when it is finished. So the loop over images goes outside, sixteen at a time, and the
# innermost loop has as many turns as a vector has lanes: the compiler makes one instruction of it. `local`
# is a small array that shares its memory with no other, which the compiler may therefore keep in registers,
# and does. Seven columns at a time are seven sums that do not wait for each other. Borders would need tests
# inside, so x is copied between zeros first. What is left: one load of 64 bytes for each multiply-add of a
# vector, 160 MB in all.

COLUMNS = 7
SUMS = COLUMNS * LANES


@serial
def _sums_in_registers(x, w, b, y, strides, dilation):
    """y = b + x * w. x (H, W, C, N/16, 16), padded; w (KH, KW, C, F), y (OH, OW, F, N/16, 16)."""
    height, width, filters, blocks, _ = y.shape
    for oh in range(height):
        for first in range(0, width, COLUMNS):
            for f in range(filters):
                for block in range(blocks):
                    local = local_array(x, SUMS)
                    for i in range(SUMS):
                        local[i] = b[f]
                    for kh in range(w.shape[0]):
                        for kw in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                for lane in range(LANES):
                                    for j in range(COLUMNS):
                                        ow = min(first + j, width - 1)  # beyond the edge: the last one again
                                        ih = oh * strides[0] + kh * dilation[0]
                                        iw = ow * strides[1] + kw * dilation[1]
                                        local[j * LANES + lane] += x[ih, iw, c, block, lane] * w[kh, kw, c, f]
                    for j in range(COLUMNS):
                        for lane in range(LANES):
                            y[oh, min(first + j, width - 1), f, block, lane] = local[j * LANES + lane]


# Rung 3: several filters
#
# All filters see the same pixels, and rung 2 loads them anew for each. Here a pixel serves seven filters
# while it is in its register: 2 pixels and 7 weights are loaded for 14 multiply-adds, and pixels come to a
# seventh of what they were, 23 MB. FLOPs for each byte loaded, the arithmetic intensity, are what grew from
# rung to rung: 0.17, 0.5, 3.5 (pixels and sums). This is a register tile: 14 sums, 2 pixels and a weight,
# of 32 registers.

TILE_FILTERS, TILE_COLUMNS = 7, 2
TILE_SUMS = TILE_FILTERS * TILE_COLUMNS * LANES


@serial
def _row(oh, x, w, b, y, strides, dilation):
    """Row `oh` of y = b + x * w; shapes as on the rung before."""
    _, width, filters, blocks, _ = y.shape
    for first in range(0, width, TILE_COLUMNS):
        for low in range(0, filters, TILE_FILTERS):
            for block in range(blocks):
                local = local_array(x, TILE_SUMS)
                for g in range(TILE_FILTERS):
                    for i in range(TILE_COLUMNS * LANES):
                        local[g * TILE_COLUMNS * LANES + i] = b[min(low + g, filters - 1)]
                for kh in range(w.shape[0]):
                    for kw in range(w.shape[1]):
                        for c in range(w.shape[2]):
                            for lane in range(LANES):
                                for j in range(TILE_COLUMNS):
                                    ow = min(first + j, width - 1)
                                    ih = oh * strides[0] + kh * dilation[0]
                                    iw = ow * strides[1] + kw * dilation[1]
                                    pixel = x[ih, iw, c, block, lane]
                                    for g in range(TILE_FILTERS):
                                        weight = w[kh, kw, c, min(low + g, filters - 1)]
                                        local[(g * TILE_COLUMNS + j) * LANES + lane] += pixel * weight
                for g in range(TILE_FILTERS):
                    for j in range(TILE_COLUMNS):
                        for lane in range(LANES):
                            f, ow = min(low + g, filters - 1), min(first + j, width - 1)
                            y[oh, ow, f, block, lane] = local[(g * TILE_COLUMNS + j) * LANES + lane]


@serial
def _several_filters(x, w, b, y, strides, dilation):
    for oh in range(y.shape[0]):
        _row(oh, x, w, b, y, strides, dilation)


# Rung 4: rows shared
#
# One core is busy, so the others get rows of their own. No two of them write the same row, and each sum is
# still made by one thread in one order: the bits are those of rung 3.


@parallel
def _rows_shared(x, w, b, y, strides, dilation):
    for oh in prange(y.shape[0]):
        _row(oh, x, w, b, y, strides, dilation)


# What is left to vector.py: `a * b + c` in one instruction (no compiler may do that unasked, as it rounds
# once and not twice), no copy of x (the borders are tiles of their own), larger tiles, of a size that
# divides the shape well, and three gradients and dense layers written by the same means.


@parallel
def _pad(padded, x, corner):
    """padded = x between zeros. padded (H + ..., W + ..., C, N rounded up), x (H, W, C, N)."""
    for row in prange(padded.shape[0]):
        for column in range(padded.shape[1]):
            ih, iw = row - corner[0], column - corner[1]
            inside = 0 <= ih < x.shape[0] and 0 <= iw < x.shape[1]
            for c in range(padded.shape[2]):
                for n in range(padded.shape[3]):
                    padded[row, column, c, n] = 0
                if inside:
                    for n in range(x.shape[3]):
                        padded[row, column, c, n] = x[ih, iw, c, n]


def _begin(
    x: Array, w: Array, b: Array | None, static: dict[str, Any], activation: str | None
) -> tuple[Array, Array]:
    """The output, not yet computed, and the bias as an array."""
    check_forward(x.shape, w.shape, None if b is None else b.shape, static["groups"], activation)
    size = output_size(x.shape[1:3], w.shape[:2], static["strides"], static["padding"], static["dilation"])
    y = common.empty(x, (x.shape[0], *size, w.shape[3]))
    return y, np.zeros(w.shape[3], x.dtype) if b is None else contiguous(b, x.dtype)


@conv2d.implementation("one_at_a_time", default=False)
def _(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None, **static: Any) -> Array:
    y, b = _begin(x, w, b, static, activation)
    corner = (static["padding"][0][0], static["padding"][1][0])
    for c, f in group_slices(static["groups"], x.shape[3], w.shape[3]):
        arrays = (contiguous(x[..., c]), contiguous(w[..., f], x.dtype), b[f], y[..., f])
        common.launch(_one_at_a_time, *arrays, static["strides"], corner, static["dilation"])
    return relu(y) if activation == "relu" else y


def _rung(name: str, run: Callable[..., None]) -> None:
    """Registers a rung: `run` takes padded images, sixteen in a vector, and writes sixteen in a vector."""

    @conv2d.implementation(name, default=False)
    def _(
        x: Array, w: Array, b: Array | None = None, *, activation: str | None = None, **static: Any
    ) -> Array:
        y, b = _begin(x, w, b, static, activation)
        corner = (static["padding"][0][0], static["padding"][1][0])
        for c, f in group_slices(static["groups"], x.shape[3], w.shape[3]) if y.size else ():
            images = _padded(x[..., c].transpose(1, 2, 3, 0), static["padding"], corner)
            target = y[..., f].transpose(1, 2, 3, 0)  # (OH, OW, F, N)
            whole = static["groups"] == 1 and x.shape[0] % LANES == 0
            blocks = images.shape[3]
            result: Array = target if whole else common.aligned((*target.shape[:3], blocks * LANES), x.dtype)
            vectors = result.reshape(*target.shape[:3], blocks, LANES)
            run(images, contiguous(w[..., f], x.dtype), b[f], vectors, static["strides"], static["dilation"])
            if not whole:
                common.launch(np.copyto, target, result[..., : x.shape[0]])
        return relu(y) if activation == "relu" else y


def _padded(x: Array, padding: Padding, corner: Pair) -> Array:
    """x (H, W, C, N) between zeros, and its images sixteen by sixteen: (H + ..., W + ..., C, N/16, 16)."""
    height, width, channels, n = x.shape
    rows, columns, blocks = height + sum(padding[0]), width + sum(padding[1]), -(-n // LANES)
    padded = common.aligned((rows, columns, channels, blocks * LANES), x.dtype)
    _pad(padded, x, corner)
    return padded.reshape(rows, columns, channels, blocks, LANES)


_rung("sums_in_registers", partial(common.launch, _sums_in_registers))
_rung("several_filters", partial(common.launch, _several_filters))
_rung("rows_shared", _rows_shared)
