"""The forward tile for few images: columns that are neighbours lie side by side in a vector.

A vector of 16 images takes as long with one image in it as with sixteen. But in a row of one channel, (W, N),
the images of a column are followed by those of the next one. Three images, vectors of eight:

    columns of output        | 0  0  0  1  1  1  2  2 | 2  3  3  3  4  4  4  - |
    under tap kw, the pixels | the same vectors of x, 3 kw numbers further on  |

So what forward.py's tile does for each column, this one does for vectors of such a row, with CT filters. A
lane whose tap lies outside of the map is left as it is: each output is made by the same operations in the
same order as among many images, and has the same bits. Where it is stored, the images of a column are cut out
of their vector, or of two.

Images of one channel lie like that in memory, unless they are the last of many; all others are copied.
A single image has another way out: forward_alone.py.
"""

from functools import cache
from typing import NamedTuple

from .. import common
from ..common import Array, address, parallel, prange
from ..emit import Value, VectorFunction, Vectors, call_kernel
from ..emit import address as compiled
from .forward import (
    ForwardCall,
    Tile,
    activated,
    begin_with_bias,
    lengths,
    tile_shape,
    width,
    write_loops,
    y_places,
)
from .geometry import Pair, Shape, Steps
from .winograd_few import CopyCall, copy_address

# What it costs to copy, cut out or store a vector: so many multiply-adds of one.
COPY, CUT, STORE = 3, 1, 2
# Less work by so much pays; somewhat more does where masks are slow, in vectors narrower than AVX-512's;
GAIN, GAIN_WITHOUT_MASKS = 0.9, 1.3
GAIN_APART = 0.7  # of the last images, whose tile is a launch of its own, and the other one not masked


class FewImages(NamedTuple):
    """The images at the end for which there are other tiles."""

    images: int
    alone: bool  # a single one, with the tile of forward_alone.py


@cache
def few_images(
    images: int, size: Pair, output: Pair, w: Shape, stride: int, adjoining: bool, vectors: Vectors
) -> FewImages | None:
    """The images after the last whole vector, where these tiles pay for them; else None.

    w is (KH, KW, C, F), and maps of `size` (H, W) become `output` (OH, OW). `adjoining`: whether the filters
    are neighbours in w.
    """
    rest, filters, columns = images % vectors.lanes, w[3], output[1]
    if rest == 0 or 0 in w:
        return None
    taps = w[0] * w[1] * w[2]
    work = _gain(rest < images, vectors) * filters * columns * (taps + STORE)
    if images == 1 and adjoining:
        alone = columns * width(filters, (1, vectors.lanes)) * (taps + STORE)
        if alone < work and (stride > 1 or alone < _side_by_side(size, output, w, rest, False, vectors)):
            return FewImages(1, True)
    copied = w[2] > 1 or rest < images
    if stride == 1 and _side_by_side(size, output, w, rest, copied, vectors) < work:
        return FewImages(rest, False)
    return None


def shape_of_tile(filters: int, output: Pair, few: FewImages | None, vectors: Vectors) -> Pair:
    """(CT, XT), filters and columns of the tile for these images; with None, for whole vectors of them."""
    columns = output[1]
    if few and few.alone:
        xt, ct = tile_shape(columns, filters, vectors.registers, (1, vectors.lanes))
        return ct, xt
    return tile_shape(filters, columns, vectors.registers, (few.images, vectors.lanes) if few else (1, 1))


def _gain(apart: bool, vectors: Vectors) -> float:
    if apart:
        return GAIN_APART
    return GAIN if vectors.bytes >= 64 else GAIN_WITHOUT_MASKS


def _side_by_side(size: Pair, output: Pair, w: Shape, images: int, copied: bool, vectors: Vectors) -> float:
    """The work of an output row."""
    column = images, vectors.lanes
    xt = tile_shape(w[3], output[1], vectors.registers, column)[1]
    filled = sum(width(n, column) for n in lengths(output[1], xt))
    copies = COPY * size[0] * size[1] * w[2] / output[0] if copied else 0
    return copies + w[3] * (filled * w[0] * w[1] * w[2] + output[1] * (CUT + STORE))


def few_tile(tile: Tile, images: int, vectors: Vectors) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, ForwardCall)
    columns = range(len(tile.columns))
    places = y_places(k, tile.filters, columns)
    row = range(width(len(columns), (images, vectors.lanes)))
    acc = {(f, v): k.variable(k.zero) for f in range(tile.filters) for v in row}
    write_loops(
        k,
        tile,
        lambda b: begin_with_bias(k, acc, b),
        lambda x, w: _multiply_adds(k, tile, images, acc, x, w),
        lambda y: _store_sums(k, tile, images, acc, y, places),
    )
    return k


def _multiply_adds(k: VectorFunction, tile: Tile, images: int, acc: dict[Pair, str], x: str, w: str) -> None:
    """One kernel row of one channel."""
    for kw in range(tile.kernel_width):
        seen = _lanes(tile, images, kw, k.vectors)
        pixels = {}
        for v, live in seen.items():
            k.only(live)
            step = kw * tile.dilation * images * k.vectors.itemsize + v * k.vectors.bytes
            pixels[v] = k.load(k.move(x, step))
        for f in range(tile.filters):
            weight = k.splat(k.move(w, kw * tile.w_steps[0] + f * tile.w_steps[1]))
            for v, pixel in pixels.items():
                k.only(seen[v])
                old = k.get(acc[f, v])
                k.set(acc[f, v], k.changed(old, k.multiply_add(weight, pixel, old)))


def _lanes(tile: Tile, images: int, kw: int, vectors: Vectors) -> dict[int, list[int]]:
    """For each vector with a column whose tap kw is in the map: the lanes of such columns."""
    found: dict[int, list[int]] = {}
    for j, (first, end) in enumerate(tile.columns):
        for n in range(images) if first <= kw < end else ():
            v, lane = divmod(j * images + n, vectors.lanes)
            found.setdefault(v, []).append(lane)
    return found


def _store_sums(
    k: VectorFunction, tile: Tile, images: int, acc: dict[Pair, str], y: str, places: dict[Pair, Value]
) -> None:
    """y = activation(acc)"""
    values = {place: activated(k, slot, tile.activation) for place, slot in acc.items()}
    for (f, j), offset in places.items():
        v, first = divmod(j * images, k.vectors.lanes)
        k.store_part(values[f, v], values.get((f, v + 1), values[f, v]), first, images, k.move(y, offset))


@cache
def few_address(tile: Tile, images: int, vectors: Vectors) -> int:
    return compiled(few_tile(tile, images, vectors))


def side_by_side(x: Array, vectors: Vectors) -> tuple[Array, tuple[int, ...]]:
    """x (N, H, W, C), batch-last, in memory (H, C, W, N), itself where it lies so; and the steps from row to
    row, column to column and channel to channel.
    """
    images, height, columns, channels = x.shape
    if channels == 1 and x.strides[2] == images * x.itemsize:
        return x, x.strides[1:]
    # a copied vector may be longer than the images: room for the last one
    rows = common.aligned((height, channels * columns * images + vectors.lanes), x.dtype)
    _copy_rows(
        copy_address(images, False, vectors), rows, images, columns, address(x), x.strides[1:], channels
    )
    lying = rows[:, : -vectors.lanes].reshape(height, channels, columns, images)
    # not those of `lying`: NumPy chooses others for a dimension of one
    steps = rows.strides[0], images * x.itemsize, columns * images * x.itemsize
    return lying.transpose(3, 0, 2, 1), steps


@parallel
def _copy_rows(copy, rows, images, columns, x, x_strides, channels):  # type: ignore[no-untyped-def]
    """rows (H, C W N + room) of x; `copy` is an address."""
    step = Steps(*x_strides)
    column = images * rows.itemsize
    for row in prange(rows.shape[0]):
        call_kernel(
            copy,
            CopyCall(
                source=x + row * step.row, target=rows.ctypes.data + row * rows.strides[0], rows=1,
                columns=columns, channels=channels, source_row=0, source_column=step.column,
                source_channel=step.channel, target_row=0, target_column=column,
                target_channel=columns * column, live=images,
            ),
        )  # fmt: skip
