"""Winograd's convolution of few images: their tiles lie side by side in a vector.

A vector of 16 images takes as long with one image in it as with sixteen. So where there are few, or few after
the last whole vector, their tiles are cut out, and each is convolved as if it were an image:

    cut      x (H, W, C, N)  ->  pixels (6, 6, C, tiles * N), zeros outside of the map
    the loops of winograd_loop.py, for maps of one tile      ->  outputs (4, 4, F, tiles * N)
    join     outputs  ->  y (OH, OW, F, N)

Each output is made by the same operations in the same order as among many images, so it has the same bits.
(Where a pixel is outside of the map, a sum has a 0 more, which changes none.)

What is copied at a time are the images of a pixel and channel: one vector of a power of two numbers.
The vector may be longer than the number of images. `cut` then writes zeros into the lanes of the next tile,
before the tile itself comes; after the last tile of a channel is room for them.
"""

from functools import cache
from typing import NamedTuple

from ..common import parallel, prange, serial
from ..emit import VectorFunction, Vectors, address, call_kernel
from .geometry import Pair, Steps
from .winograd import TAPS, tile_length

# What a number costs that is copied, or transformed in a vector: so many multiply-adds of a vector.
COPY, TRANSFORM = 2, 3


class Few(NamedTuple):
    """The images at the end that are cut into tiles."""

    images: int
    m: int  # outputs of a tile along an axis
    rows: int  # of tiles of an image
    columns: int
    total: int  # tiles of all of them


@cache
def few_at_end(images: int, output: Pair, channels: int, filters: int, vectors: Vectors) -> Few | None:
    """The images after the last whole vector of a batch, where it pays to cut them; else None."""
    m, rest = tile_length(output), images % vectors.lanes
    rows, columns = (-(-length // m) for length in output)
    tiles, n = rows * columns, m + TAPS - 1
    blocks = -(-tiles * rest // vectors.lanes)
    products = n * n * (channels * filters + TRANSFORM * (channels + filters))
    copies = COPY * tiles * (n * n * channels + m * m * filters)
    if rest == 0 or rest > vectors.lanes // 2 or blocks * products + copies >= tiles * products:
        return None
    return Few(rest, m, rows, columns, tiles * rest)


class Map(NamedTuple):
    """A map, and the width of its border."""

    height: int
    width: int
    top: int
    left: int


class CopyCall(NamedTuple):
    """Addresses, counts, and steps in bytes: of one place of the tiles."""

    source: int
    target: int
    rows: int  # of tiles
    columns: int
    channels: int
    source_row: int
    source_column: int
    source_channel: int
    target_row: int
    target_column: int
    target_channel: int
    live: int  # images


def copy_tile(joins: bool, vectors: Vectors, masked: bool) -> VectorFunction:
    """Copies a place of all tiles, into y if it `joins` them. Of the tiles, whole vectors are read and
    written; of the maps, the images alone.
    """
    k = VectorFunction(vectors, CopyCall, masked=masked)
    source, target = k.pointer("%source"), k.pointer("%target")
    with k.loop(0, "%rows") as r:
        from_row, to_row = (
            k.move(source, k.mul("%source_row", r)),
            k.move(target, k.mul("%target_row", r)),
        )
        with k.loop(0, "%channels") as c:
            from_channel = k.move(from_row, k.mul("%source_channel", c))
            to_channel = k.move(to_row, k.mul("%target_channel", c))
            with k.loop(0, "%columns") as j:
                value = k.load(k.move(from_channel, k.mul("%source_column", j)), whole=joins)
                k.store(value, k.move(to_channel, k.mul("%target_column", j)), whole=not joins)
    return k


@cache
def copy_address(images: int, joins: bool, vectors: Vectors) -> int:
    """The function for so many images: its vectors are no longer than need be."""
    lanes = 1 << (images - 1).bit_length()
    return address(copy_tile(joins, vectors._replace(lanes=lanes), lanes > images))


@parallel
def cut(copy, pixels, few, x, x_strides, size):  # type: ignore[no-untyped-def]
    """pixels (m + 2, m + 2, C, total + room) of x; `copy` is an address, `size` a Map."""
    few = Few(*few)
    size = Map(*size)
    step = Steps(*x_strides)
    n, channels = pixels.shape[0], pixels.shape[2]
    image, tile = pixels.itemsize * few.images, pixels.strides[2]
    flat = pixels.reshape(n * n, -1)
    for place in prange(n * n):
        row, column = place // n - size.top, place % n - size.left
        top, bottom = inside(row, few.m, few.rows, size.height)
        left, right = inside(column, few.m, few.columns, size.width)
        if (bottom - top) * (right - left) < few.rows * few.columns:
            for i in range(flat.shape[1]):
                flat[place, i] = 0
        call_kernel(
            copy,
            CopyCall(
                source=x + (row + top * few.m) * step.row + (column + left * few.m) * step.column,
                target=flat[place].ctypes.data + (top * few.columns + left) * image,
                rows=bottom - top, columns=right - left, channels=channels, source_row=few.m * step.row,
                source_column=few.m * step.column, source_channel=step.channel,
                target_row=few.columns * image, target_column=image, target_channel=tile,
                live=few.images,
            ),
        )  # fmt: skip


@serial
def inside(first, m, tiles, size):  # type: ignore[no-untyped-def]
    """(first, end) of the tiles t whose pixel `first + t * m` is in the map; first > -m."""
    begin = 1 if first < 0 else 0
    return begin, max(begin, min(tiles, (size - first + m - 1) // m))


@parallel
def join(copy, outputs, few, y, y_strides, size):  # type: ignore[no-untyped-def]
    """y of outputs (m, m, F, total + room); `copy` is an address, `size` a Map."""
    few = Few(*few)
    size = Map(*size)
    step = Steps(*y_strides)
    m, filters = outputs.shape[0], outputs.shape[2]
    image, tile = outputs.itemsize * few.images, outputs.strides[2]
    for place in prange(m * m):
        row, column = place // m, place % m
        call_kernel(
            copy,
            CopyCall(
                source=outputs.ctypes.data + place * filters * tile,
                target=y + row * step.row + column * step.column,
                rows=inside(row, m, few.rows, size.height)[1],
                columns=inside(column, m, few.columns, size.width)[1],
                channels=filters, source_row=few.columns * image, source_column=image,
                source_channel=tile, target_row=m * step.row, target_column=m * step.column,
                target_channel=step.channel, live=few.images,
            ),
        )  # fmt: skip
