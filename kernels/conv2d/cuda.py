"""Convolution on a GPU: launches of the kernels in convolve.cu and gradients.cu.

Which tile a convolution gets, and into how many parts sums are cut, follows from the shapes alone: the same
bits on every GPU.
"""

import math
from typing import Any, NamedTuple

from ..common import Array, batch_last, contiguous, empty, in_c_order
from ..cuda import FLOATS, PLACES, Kernel, add_parts, blocks, parts_for
from ..elementwise import cast
from .geometry import Padding, Pair, check_bias, check_forward, check_gradient, check_groups, output_size
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)

WARP, WARPS = 32, 4  # lanes, and warps of a block
MANY = 2 * PLACES  # warps with large tiles that keep a large GPU busy: half of those that it has room for
TURNS = 8  # of a warp, that are worth a part of a sum of their own: add_parts is one more launch
MOST = 1 << 31  # numbers of an image batch: convolve.cu counts them in 32 bits


class Tile(NamedTuple):
    """Filters and pixels of which a thread keeps the sums, and warps that share their taps and channels."""

    filters: int
    pixels: int
    split: int


TILES = (Tile(14, 4, 1), Tile(16, 4, 1), Tile(7, 2, 4), Tile(8, 2, 4), Tile(1, 4, 4))
ROWS = (7, 9), (8, 8), (1, 9)  # of the gradient by the weights: filters, and rows of the kernel

_convolve = Kernel(
    __file__, "convolve.cu", "convolve", registers=168, T=FLOATS, BACK=(False, True), tile=TILES
)
_weight_grad = Kernel(__file__, "gradients.cu", "weight_grad", registers=168, T=FLOATS, tile=ROWS)
_bias_grad = Kernel(__file__, "gradients.cu", "bias_grad", T=FLOATS)


def tile_for(outputs: int, rows: int, columns: int, images: int) -> Tile:
    """The tile that costs least among those that leave a GPU no idle warps, or among the small ones."""

    def count(tile: Tile) -> int:
        return blocks(outputs, tile.filters) * blocks(columns, tile.pixels)

    def cost(tile: Tile) -> int:  # multiply-adds and loads of a row of weights; a load of pixels costs four
        return count(tile) * (tile.filters * tile.pixels + 4 * tile.pixels + tile.filters)

    busy = [t for t in TILES if t.split == 1 and count(t) * rows * blocks(images, WARP) >= MANY]
    return min(TILES if busy else [t for t in TILES if t.split > 1], key=cost)


def rows_for(filters: int, rows: int) -> tuple[int, int]:
    """The tile of a gradient by the weights that costs least: multiply-adds, and loads that cost four."""

    def cost(tile: tuple[int, int]) -> int:
        f, r = tile
        return blocks(filters, f) * blocks(rows, r) * (f * r + 4 * (f + r))

    return min(ROWS, key=cost)


class Geometry(NamedTuple):
    """What the taps of a kernel meet."""

    kernel: Pair
    strides: Pair
    padding: Padding
    dilation: Pair
    groups: int

    def fields(self) -> dict[str, int]:
        """As the structs of the `.cu` files name them."""
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.strides, self.dilation
        (top, _), (left, _) = self.padding
        return {
            "kh": kh, "kw": kw, "sh": sh, "sw": sw, "dh": dh, "dw": dw, "top": top, "left": left,
            "groups": self.groups,
        }  # fmt: skip


PIXEL = Geometry((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1)  # of Dense layers: maps of one pixel


def convolve(
    back: bool, out: Array, source: Array, w: Array, b: Array | None, geometry: Geometry, relu: bool
) -> None:
    """Writes a convolution of `source`, or with `back` the gradient by the input, into `out`.

    Both are (rows, columns, channels, N) in C order; w (KH, KW, C/groups, F), b one number a channel or None.
    """
    if source.size >= MOST:
        raise ValueError(f"conv2d on a GPU reads at most 2^31 - 1 numbers at a time, got {source.size}")
    (rows, columns, outputs, n), (in_rows, in_columns, inputs, _) = out.shape, source.shape
    sizes = {"rows": rows, "columns": columns, "in_rows": in_rows, "in_columns": in_columns}
    steps = {"in_pixel": inputs * n, "in_channel": n, "out_pixel": outputs * n, "out_channel": n}
    _launch(back, (out, source, w, b), geometry, blocks(n, WARP), {
        **sizes, **steps, "outputs": outputs // geometry.groups, "inputs": inputs // geometry.groups,
        "n": n, "column_images": 0, "relu": relu,
    })  # fmt: skip


def product(back: bool, out: Array, source: Array, w: Array, b: Array | None, relu: bool) -> None:
    """out = source w + b, or with `back` source w^T, for a Dense layer: the convolution of maps of one pixel.

    out and source are (features, N) in C order, w (K, M). Samples are counted as columns of 32 images, so
    that a thread has several of them.
    """
    (outputs, n), inputs = out.shape, source.shape[0]
    columns = blocks(n, WARP)
    steps = {"in_pixel": WARP, "in_channel": n, "out_pixel": WARP, "out_channel": n}
    _launch(back, (out, source, w[None, None], b), PIXEL, 1, {
        "rows": 1, "columns": columns, "in_rows": 1, "in_columns": columns, **steps,
        "outputs": outputs, "inputs": inputs, "n": n, "column_images": WARP, "relu": relu,
    })  # fmt: skip


def _launch(
    back: bool, arrays: tuple[Any, ...], geometry: Geometry, images: int, fields: dict[str, int]
) -> None:
    """images   blocks of 32 in each column"""
    out, source, w, b = arrays
    _, _, channels, filters = w.shape
    weights = {"w_tap": channels * filters, "w_group": filters // geometry.groups}
    weights |= {"w_input": 1, "w_output": filters} if back else {"w_input": filters, "w_output": 1}
    rows, columns, outputs = fields["rows"], fields["columns"], fields["outputs"]
    tile = tile_for(outputs, rows, columns, images * WARP)
    tiles = blocks(rows * blocks(columns, tile.pixels) * tile.split, WARPS)
    grid = tiles, images, geometry.groups * blocks(outputs, tile.filters)
    numbers = {**fields, **weights, **geometry.fields()}
    _convolve[out.dtype, back, tile](grid, (WARP, WARPS), out, source, w, b, numbers)


@conv2d.implementation("cuda")
def _(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair,
    groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups, activation)
    out = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
    y, w = empty(x, (x.shape[0], *out, w.shape[3])), contiguous(w, x.dtype)
    b = None if b is None else contiguous(b, x.dtype)
    geometry = Geometry(w.shape[:2], strides, padding, dilation, groups)
    convolve(False, batch_last(y), batch_last(x), w, b, geometry, activation == "relu")
    return y


@conv2d_input_grad.implementation("cuda")
def _(
    g: Array, w: Array, b: Array | None = None, *, input_size: Pair, strides: Pair, padding: Padding,
    dilation: Pair, groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    kernel, channels = w.shape[:2], w.shape[2] * groups
    check_groups(channels, w.shape[3], groups)
    out = output_size(input_size, kernel, strides, padding, dilation)
    check_gradient(g.shape, (None, *out, w.shape[3]), activation)
    check_bias(None if b is None else b.shape, channels)
    dx, w = empty(g, (g.shape[0], *input_size, channels)), contiguous(w, g.dtype)
    b = None if b is None else contiguous(b, g.dtype)
    geometry = Geometry(kernel, strides, padding, dilation, groups)
    convolve(True, batch_last(dx), batch_last(g), w, b, geometry, activation == "relu")
    return dx


@conv2d_weight_grad.implementation("cuda")
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    check_groups(x.shape[3], g.shape[3], groups)
    out = output_size(x.shape[1:3], kernel_size, strides, padding, dilation)
    check_gradient(g.shape, (x.shape[0], *out, None))
    geometry = Geometry(kernel_size, strides, padding, dilation, groups)
    return weight_grad(batch_last(x), batch_last(cast(g, x.dtype)), geometry)


def weight_grad(x: Array, g: Array, geometry: Geometry) -> Array:
    """dw (KH, KW, C/groups, F) of x (H, W, C, N) and g (OH, OW, F, N), both in C order."""
    (h, w, c, n), (oh, ow, f, _), groups = x.shape, g.shape, geometry.groups
    c, f, rows = c // groups, f // groups, math.prod(geometry.kernel) * (c // groups)
    dw = in_c_order(x, (*geometry.kernel, c, f * groups))
    filters, taps = tile = rows_for(f, rows)
    tiles = groups * blocks(rows, taps), blocks(f, filters)
    parts = parts_for(math.prod(tiles), oh * blocks(n, WARP) // WARPS)
    partial = dw[None] if parts == 1 else in_c_order(x, (parts, *dw.shape))
    sizes = {"h": h, "w": w, "c": c, "oh": oh, "ow": ow, "f": f, "n": n}
    _weight_grad[x.dtype, tile]((*tiles, parts), (WARP, WARPS), partial, x, g, {**sizes, **geometry.fields()})
    return _total(dw, partial)


def _total(total: Array, partial: Array) -> Array:
    """The sum of the parts, unless there is but one, which is `total` already."""
    if len(partial) > 1:
        add_parts(total, partial)
    return total


@conv2d_activation_grad.implementation("cuda")
def _(g: Array, y: Array, activation: str | None) -> tuple[Array, Array]:
    check_gradient(g.shape, y.shape, activation)
    gradient = batch_last(g)
    if activation is None:
        return gradient.transpose(3, 0, 1, 2), bias_grad(gradient)
    dz = empty(g, g.shape)
    return dz, bias_grad(gradient, batch_last(cast(y, g.dtype)), batch_last(dz))


def bias_grad(g: Array, y: Array | None = None, dz: Array | None = None) -> Array:
    """The sum of g (pixels ..., F, N) over pixels and images; with relu's output y, of dz = g where y > 0."""
    *map_size, f, n = g.shape
    pixels = math.prod(map_size)
    parts = parts_for(f, blocks(pixels * blocks(n, WARP), TURNS * WARPS))
    db = in_c_order(g, (f,))
    partial = db[None] if parts == 1 else in_c_order(g, (parts, f))
    _bias_grad[g.dtype]((f, parts), (WARP * WARPS,), partial, dz, g, y, pixels, f, n)
    return _total(db, partial)


@conv2d_bias_grad.implementation("cuda")
def _(g: Array) -> Array:
    return bias_grad(batch_last(g))
