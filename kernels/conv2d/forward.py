"""The forward tile: CT filters x XT output columns of one output row,
for one vector of images after the other.

    for each vector of images:
        acc[f, j] = b[f]
        for kh in the kernel rows that meet the map:
            for c in channels:
                for kw in kernel columns:
                    acc[f, j] += w[kh, kw, c, f] * x[row(kh), column(j, kw), c]      for all f, j of the tile
        y[row, column j, f] = activation(acc[f, j])

Columns outside the map are known when the tile is written, and their multiply-adds are left out: the left and
right borders are tiles of their own. Rows are limited by the two numbers first_tap and end_tap at run time.
So no padded copy of the image is ever made. Weights are read where they lie: the two steps of w that the
innermost code takes are written into the tile as numbers. Input gradients are forward convolutions of another
view of w and run through the same tiles.

A tile walks over the images because neighbouring vectors of the batch are neighbours in memory. One vector of
every pixel, then the next, would touch the same memory pages again and again, at a third of the speed
(measured: 18 GB/s against 60). For the same reason all filters of some columns come before the next columns:
what they read is still in the second-level cache.

The last vector ends with the last image. Where it would not be full, it begins earlier: some images are
convolved twice, with the same bits, which takes no longer than a vector in part. Only fewer images than there
are lanes are masked.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from ..emit import Value, VectorFunction, Vectors, address
from .geometry import Pair


class Tile(NamedTuple):
    """What a forward tile is made for: its filters,
    and for each column the kernel columns that meet the map.
    """

    filters: int
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int
    w_steps: Pair  # bytes from one (kernel column, filter) to the next in w
    activation: str | None
    grouped: bool = False  # goes over groups of channels and filters, all with the same shapes: grouped.py


class ForwardCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    x: int  # under tap 0 of the tile's first column, in the first of its vectors of images
    w: int
    b: int
    y: int
    blocks: int  # vectors of images
    last: int  # how far the last of the batch is from the first of these
    channels: int
    first_tap: int  # kernel rows that meet the map
    end_tap: int
    x_row: int  # from kernel row to kernel row
    x_column: int
    x_channel: int
    w_row: int
    w_channel: int
    y_column: int
    y_channel: int
    live: int  # images of the vector at the end
    groups: int  # and the steps from one to the next, for a tile that is `grouped`
    x_group: int
    w_group: int
    b_group: int
    y_group: int


def forward_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, ForwardCall, masked=masked)
    columns = range(len(tile.columns))
    offsets = {i: k.mul("%x_column", i) for i in columns_read(tile)}
    places = y_places(k, tile.filters, columns)
    acc = {(f, j): k.variable(k.zero) for f in range(tile.filters) for j in columns}
    write_loops(
        k,
        tile,
        lambda b: begin_with_bias(k, acc, b),
        lambda x, w: _multiply_adds(k, tile, acc, x, offsets, w),
        lambda y: _store_sums(k, acc, y, places, tile.activation),
    )
    return k


def write_loops(
    k: VectorFunction,
    tile: Tile,
    begin: Callable[[str], None],
    multiply_adds: Callable[[str, str], None],
    store_sums: Callable[[str], None],
) -> None:
    """The loops around `multiply_adds`, of one kernel row and one channel. The three functions are given the
    addresses of b, of x and w, of y.
    """
    start = {name: k.pointer(f"%{name}") for name in ("b", "w", "x", "y")}
    with k.loop(0, "%groups" if tile.grouped else 1) as group:
        own = {name: k.move(start[name], k.mul(f"%{name}_group", group)) for name in ("x", "w", "b", "y")}
        with k.loop(0, "%blocks") as block:
            step = k.minimum(k.mul(k.vectors.bytes, block), "%last")
            x_block, y_block = k.move(own["x"], step), k.move(own["y"], step)
            begin(own["b"])
            with k.loop("%first_tap", "%end_tap") as kh:
                x_row, w_row = k.move(x_block, k.mul("%x_row", kh)), k.move(own["w"], k.mul("%w_row", kh))
                with k.loop(0, "%channels") as c:
                    multiply_adds(
                        k.move(x_row, k.mul("%x_channel", c)), k.move(w_row, k.mul("%w_channel", c))
                    )
            store_sums(y_block)


def begin_with_bias(k: VectorFunction, acc: dict[Pair, str], b: str) -> None:
    """acc[f, ...] = b[f] in all lanes"""
    for (f, _), slot in acc.items():
        k.set(slot, k.splat(k.move(b, f * k.vectors.itemsize)))


def columns_read(tile: Tile) -> list[int]:
    """Input columns the tile reads, counted from the one under tap 0 of its first output."""
    return sorted(
        {j * tile.stride + kw * tile.dilation for j, taps in enumerate(tile.columns) for kw in range(*taps)}
    )


def y_places(k: VectorFunction, filters: int, columns: range) -> dict[Pair, Value]:
    """Where the outputs lie, from the first one on."""
    return {
        (f, j): k.add(k.mul("%y_column", j), k.mul("%y_channel", f)) for j in columns for f in range(filters)
    }


def _store_sums(
    k: VectorFunction, acc: dict[Pair, str], y: str, places: dict[Pair, Value], activation: str | None
) -> None:
    """y = activation(acc)"""
    for place, offset in places.items():
        k.store(activated(k, acc[place], activation), k.move(y, offset))


def activated(k: VectorFunction, slot: str, activation: str | None) -> str:
    value = k.get(slot)
    return k.maximum(k.zero, value) if activation == "relu" else value


def _multiply_adds(
    k: VectorFunction, tile: Tile, acc: dict[Pair, str], x: str, offsets: dict[int, Value], w: str
) -> None:
    """One kernel row of one channel: every pixel is loaded once, every weight once."""
    pixels: dict[int, str] = {}
    for kw in range(tile.kernel_width):
        present = [j for j, (first, end) in enumerate(tile.columns) if first <= kw < end]
        column = {j: j * tile.stride + kw * tile.dilation for j in present}
        for i in column.values():
            if i not in pixels:
                pixels[i] = k.load(k.move(x, offsets[i]))
        for f in range(tile.filters) if present else ():
            weight = k.splat(k.move(w, kw * tile.w_steps[0] + f * tile.w_steps[1]))
            for j in present:
                k.set(acc[f, j], k.multiply_add(weight, pixels[column[j]], k.get(acc[f, j])))


@cache
def tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(forward_tile(tile, vectors, masked))


def split(length: int, most: int) -> list[int]:
    """Starts and end of the fewest equal pieces (give or take one) of at most `most`:
    split(7, 3) = [0, 3, 5, 7].
    """
    pieces = -(-length // most)
    return [-(-length * i // max(pieces, 1)) for i in range(pieces + 1)]


@cache
def tile_shape(filters: int, columns: int, registers: int, column: Pair = (1, 1)) -> tuple[int, int]:
    """(CT, XT): the filters and columns of a tile that divides the work best. `column` (a, b): the numbers of
    a column are a of the b that a vector holds (forward_few.py); otherwise they fill it.

    A sum can be added to again only after four cycles, and two additions start in each, so fewer than eight
    sums leave units waiting. More sums, with the pixels and the weight they meet, than there are registers
    would be kept in memory. In between, a larger tile loads less for each multiply-add (pixels come from
    farther away than weights), and few different tiles are fewer functions to compile.
    """
    shapes = [
        (f, x)
        for f in range(1, min(filters, 16) + 1)
        for x in range(1, min(width(columns, column), 8) + 1)
        if f * x + x + 2 <= registers and f * x <= 24
    ]

    def cost(shape: tuple[int, int]) -> float:
        heights = lengths(filters, shape[0])
        widths = [width(n, column) for n in lengths(columns, columns_of(shape[1], column))]
        work = sum(max(f * x, 8) + 0.5 * f + 0.8 * x for f in heights for x in widths)
        return work * (1 + 0.02 * len(set(heights)) * len(set(widths)))

    ct, vectors = min(shapes, key=cost)
    return ct, min(columns, columns_of(vectors, column))


def width(columns: int, column: Pair) -> int:
    """Vectors that so many columns fill, the last one in part."""
    return -(-columns * column[0] // column[1])


def columns_of(vectors: int, column: Pair) -> int:
    """Whole columns in so many vectors."""
    return vectors * column[1] // column[0]


def lengths(length: int, most: int) -> list[int]:
    """Lengths of the pieces of `split`."""
    return [end - start for start, end in pairwise(split(length, most))]
