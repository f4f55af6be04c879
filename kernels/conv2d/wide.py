"""The weight gradient of many filters: the lanes are filters, and no lane is left to be summed at the end.

    for each output pixel under one kernel tap, each image:
        acc[c, f] += x[pixel, c] * g[pixel, f]       for CIT channels c and one or two vectors of filters f
    dw[kh, kw, c, f] += acc[c, f]

A matrix product, in other words: x as a matrix (channels, pixels and images) times g as one of
(pixels and images, filters). A number of x is loaded into all lanes, as weights are in the forward tile; g is
transposed first, a band of rows at a time, so that the filters of an image are neighbours; those of a single
image are already. The sums of weight.py's tile are 16 times as many numbers as their result, so it can keep
few of them in registers and reads g and x again for each few. This tile reads less; but filters that do not
fill their vectors are work for nothing, and g is transposed for each tile to profit from.
"""

from functools import cache
from typing import NamedTuple

from ..emit import VectorFunction, Vectors, address


class WideCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    x: int
    g: int  # its filters side by side
    dw: int
    rows: int
    columns: int
    images: int
    x_row: int
    x_column: int
    x_channel: int
    g_row: int
    g_column: int
    g_image: int
    dw_channel: int
    live: int  # filters of the vector at the end


def wide_tile(channels: int, width: int, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile of `width` vectors of filters. With `masked`, the last of them has `live` filters."""
    k = VectorFunction(vectors, WideCall, masked=masked)
    image, gradient, result = k.pointer("%x"), k.pointer("%g"), k.pointer("%dw")
    places = {
        (c, j): k.move(result, k.mul("%dw_channel", c), j * vectors.bytes)
        for c in range(channels)
        for j in range(width)
    }
    acc = {place: k.variable(k.zero) for place in places}
    with k.loop(0, "%rows") as r:
        x_row, g_row = k.move(image, k.mul("%x_row", r)), k.move(gradient, k.mul("%g_row", r))
        with k.loop(0, "%columns") as column:
            x_pixel, g_pixel = (
                k.move(x_row, k.mul("%x_column", column)),
                k.move(g_row, k.mul("%g_column", column)),
            )
            with k.loop(0, "%images") as n:
                x, g = k.move(x_pixel, k.mul(vectors.itemsize, n)), k.move(g_pixel, k.mul("%g_image", n))
                upstream = [k.load(k.move(g, j * vectors.bytes), whole=j < width - 1) for j in range(width)]
                for c in range(channels):
                    pixel = k.splat(k.move(x, k.mul("%x_channel", c)))
                    for j in range(width):
                        k.set(acc[c, j], k.multiply_add(pixel, upstream[j], k.get(acc[c, j])))
    for (c, j), place in places.items():
        _add_to(k, place, k.get(acc[c, j]), whole=j < width - 1)
    return k


def _add_to(k: VectorFunction, place: str, value: str, *, whole: bool) -> None:
    k.store(k.add_vectors(k.load(place, whole=whole), value), place, whole=whole)


class TransposeCall(NamedTuple):
    """What a transposing tile is called with: addresses, counts, and steps in bytes."""

    g: int
    packed: int
    rows: int
    columns: int
    blocks: int  # vectors of images
    g_row: int
    g_column: int
    g_filter: int
    packed_row: int
    packed_column: int
    packed_image: int
    live: int  # images of the vector at the end


def transposing_tile(filters: int, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes: g, a vector of images for each of `filters` filters -> a vector
    of filters (the rest 0) for each image.
    """
    k = VectorFunction(vectors, TransposeCall, masked=masked)
    gradient, packed = k.pointer("%g"), k.pointer("%packed")
    with k.loop(0, "%rows") as r, k.loop(0, "%columns") as c:
        source = k.move(gradient, k.mul("%g_row", r), k.mul("%g_column", c))
        target = k.move(packed, k.mul("%packed_row", r), k.mul("%packed_column", c))
        with k.loop(0, 1 if masked else "%blocks") as block:
            first = k.move(source, k.mul(vectors.bytes, block))
            images = [k.load(k.move(first, k.mul("%g_filter", f))) for f in range(filters)]
            place = k.move(target, k.mul(k.mul("%packed_image", vectors.lanes), block))
            for i, vector in enumerate(k.transpose(images + [k.zero] * (vectors.lanes - filters))):
                k.store(vector, k.move(place, k.mul("%packed_image", i)), whole=True)
    return k


@cache
def tile_address(channels: int, width: int, vectors: Vectors, masked: bool) -> int:
    return address(wide_tile(channels, width, vectors, masked))


@cache
def transpose_address(filters: int, vectors: Vectors, masked: bool) -> int:
    return address(transposing_tile(filters, vectors, masked))
