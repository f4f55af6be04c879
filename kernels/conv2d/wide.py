"""The weight gradient of many filters: the lanes are filters, and no lane is left to be summed at the end.

    for each output pixel under one kernel tap, each image:
        acc[c, f] += x[pixel, c] * g[pixel, f]       for CIT channels c and one or two vectors of filters f
    dw[kh, kw, c, f] += acc[c, f]

A matrix product, in other words: x as a matrix (channels, pixels and images) times g as one of (pixels and images, filters).
A number of x is loaded into all lanes, as weights are in the forward tile; g is transposed first, a band of rows at a time, so
that the filters of an image are neighbours. The sums of weight.py's tile are 16 times as many numbers as their result, so it
can keep few of them in registers and reads g and x again for each few. This tile reads less; but filters that do not fill
their vectors are work for nothing, and g is transposed for each tile to profit from.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..common import Array, serial
from ..emit import VectorFunction, Vectors, address, call_kernel
from .forward import split
from .geometry import Pair

FEWEST_CHANNELS = 16  # fewer leave little to share a transposed g
BAND_BYTES = 1 << 19  # of transposed g: with its x, it stays in the second-level cache
TASKS = 8  # the rows are divided until there are about this many pieces of work to share,
TASK_WORK = 1 << 21  # of at least so many multiply-adds


@cache
def is_wide(output: Pair, kernel: Pair, channels: int, filters: int, vectors: Vectors) -> bool:
    """Whether this tile is the faster one: filters fill two vectors or more, and the map is more than a few pixels."""
    places = -(-filters // vectors.lanes) * vectors.lanes
    full = filters >= 2 * vectors.lanes and 4 * filters >= 3 * places
    return full and channels >= FEWEST_CHANNELS and (max(output) > max(kernel) or kernel == (1, 1))


def wide_tile(channels: int, width: int, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile of `width` vectors of filters. With `masked`, the last of them has `live` filters."""
    k = VectorFunction(
        vectors,
        "x g dw rows columns images x_row x_column x_channel g_row g_column g_image dw_channel live",
        masked=masked,
    )
    image, gradient, result = k.pointer("%x"), k.pointer("%g"), k.pointer("%dw")
    places = {
        (c, j): k.move(result, k.mul("%dw_channel", c), j * vectors.bytes) for c in range(channels) for j in range(width)
    }
    acc = {place: k.variable(k.zero) for place in places}
    with k.loop(0, "%rows") as r:
        x_row, g_row = k.move(image, k.mul("%x_row", r)), k.move(gradient, k.mul("%g_row", r))
        with k.loop(0, "%columns") as column:
            x_pixel, g_pixel = k.move(x_row, k.mul("%x_column", column)), k.move(g_row, k.mul("%g_column", column))
            with k.loop(0, "%images") as n:
                x, g = k.move(x_pixel, k.mul(vectors.itemsize, n)), k.move(g_pixel, k.mul("%g_image", n))
                upstream = [k.load(k.move(g, j * vectors.bytes), whole=True) for j in range(width)]
                for c in range(channels):
                    pixel = k.splat(k.move(x, k.mul("%x_channel", c)))
                    for j in range(width):
                        k.set(acc[c, j], k.multiply_add(pixel, upstream[j], k.get(acc[c, j])))
    for (c, j), place in places.items():
        before = k.load(place, whole=j < width - 1)
        k.store(k.add_vectors(before, k.get(acc[c, j])), place, whole=j < width - 1)
    return k


def transposing_tile(filters: int, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes: g, a vector of images for each of `filters` filters -> a vector of filters (the rest 0) for each image."""
    k = VectorFunction(
        vectors,
        "g packed rows columns blocks g_row g_column g_filter packed_row packed_column packed_image live",
        masked=masked,
    )
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
def _tile_address(channels: int, width: int, vectors: Vectors, masked: bool) -> int:
    return address(wide_tile(channels, width, vectors, masked))


@cache
def _transpose_address(filters: int, vectors: Vectors, masked: bool) -> int:
    return address(transposing_tile(filters, vectors, masked))


class Plan(NamedTuple):
    """What the loop reads: six tables, the number of pieces, and the bytes of a band of transposed g with its steps.

    tiles: [group of filters, piece of the channels, (address, first channel)]
    groups: [first filter, filters, addresses to transpose: a whole vector of filters, the last; partial images: the same]
    bands: [first row, end, first image, end]; piece_bands: the first band of each piece, and their number
    rows, columns: [kernel tap, outputs (first, end) that meet it]
    """

    tiles: Array
    groups: Array
    bands: Array
    piece_bands: Array
    rows: Array
    columns: Array
    pieces: int
    packed: tuple[int, int, int, int]  # bytes of a band, steps (row, column, image)


@cache
def wide_plan(
    size: Pair, output: Pair, kernel: Pair, channels: int, filters: int, strides: Pair, corner: Pair, dilation: Pair,
    vectors: Vectors, images: int,
) -> Plan:
    """Groups of filters times pieces of the rows. They depend on the shapes alone."""
    lanes = vectors.lanes
    channel_edges = split(channels, 12 if vectors.registers >= 32 else 6)  # sums for two vectors of filters
    groups, tiles = [], []
    for first, end in pairwise(split(-(-filters // lanes), 2)):
        count = min(filters, end * lanes) - first * lanes
        last = count - (end - first - 1) * lanes
        transposing = (_transpose_address(f, vectors, masked) for masked in (False, True) for f in (lanes, last))
        groups.append((first * lanes, count, *transposing))
        tiles.append([(_tile_address(b - a, end - first, vectors, last < lanes), a) for a, b in pairwise(channel_edges)])

    work = images * output[0] * output[1] * kernel[0] * kernel[1] * channels * filters
    pieces = max(1, min(TASKS // len(groups), work // TASK_WORK, output[0]))
    image_bytes = 2 * vectors.bytes
    together = min(max(images, 1), max(lanes, BAND_BYTES // (output[1] * image_bytes) // lanes * lanes))  # of a row that fit
    packed_column = -(-together // lanes) * lanes * image_bytes
    packed_row = output[1] * packed_column
    height = max(1, BAND_BYTES // packed_row)
    steps = min(output[0], -(-output[0] // (height * pieces)) * pieces)  # as many bands in each piece
    edges = [output[0] * i // steps for i in range(steps + 1)]
    parts = [(first, min(first + together, images)) for first in range(0, images, together)]
    bands = [(*rows, *part) for rows in pairwise(edges) for part in parts]
    firsts = [len(parts) * (steps * i // pieces) for i in range(pieces + 1)]
    taps = [
        [_outputs(k, size[i], output[i], strides[i], corner[i], dilation[i]) for k in range(kernel[i])] for i in (0, 1)
    ]
    packed = (height * packed_row, packed_row, packed_column, image_bytes)
    return Plan(
        np.array(tiles), np.array(groups), np.array(bands, np.int64).reshape(-1, 4), np.array(firsts), np.array(taps[0]),
        np.array(taps[1]), pieces, packed,
    )


def _outputs(tap: int, size: int, output: int, stride: int, padding: int, dilation: int) -> Pair:
    """(first, end) of the outputs o that meet `tap` inside the map: 0 <= o * stride + tap * dilation - padding < size."""
    first = max(0, -((tap * dilation - padding) // stride))
    return first, max(first, min(output, (size - 1 + padding - tap * dilation) // stride + 1))


@serial
def wide_task(task, tiles, groups, bands, pieces, rows, columns, steps, x, g, packed, target, lanes, itemsize, x_steps, g_steps,
              target_steps, strides, corner, dilation):  # type: ignore[no-untyped-def]
    """Adds the pixels of one piece to the result of one group of filters.

    x, g, target and packed (scratch of this thread) are addresses, steps are in bytes: of x and g (row, column, channel), of
    target (piece, kernel row, kernel column, channel, filter). `steps` are the bytes of a transposed band and its steps.
    """
    piece, i = task // groups.shape[0], task % groups.shape[0]
    dw = target + piece * target_steps[0] + groups[i, 0] * itemsize
    for j in range(pieces[piece], pieces[piece + 1]):
        band, image = bands[j], bands[j, 2] * itemsize
        source = g + band[0] * g_steps[0] + groups[i, 0] * g_steps[2] + image
        transpose_band(groups[i], band, steps[1] // steps[2], source, packed, lanes, itemsize, g_steps, steps)
        multiply_band(tiles[i], band, rows, columns, x + image, packed, dw, x_steps, steps, target_steps, strides, corner,
                      dilation, (groups[i, 1] - 1) % lanes + 1)


@serial
def clear_result(task, groups, results, rows, width, first_filter):  # type: ignore[no-untyped-def]
    """Results (pieces, rows, width) of one piece and one group of filters = 0."""
    piece, i = task // groups.shape[0], task % groups.shape[0]
    for row in range(rows):
        place = (piece * rows + row) * width + first_filter + groups[i, 0]
        for f in range(groups[i, 1]):
            results[place + f] = 0


@serial
def transpose_band(group, band, columns, g, packed, lanes, itemsize, g_steps, steps):  # type: ignore[no-untyped-def]
    """Transposes the g of a band for a group of filters."""
    width, rows, images = (group[1] + lanes - 1) // lanes, band[1] - band[0], band[3] - band[2]
    for j in range(width):
        for partial in range(2):  # the whole vectors of images, and the partial one at the end
            blocks = 1 if partial else images // lanes
            first = images // lanes * lanes if partial else 0
            if blocks > 0 and first < images:
                call_kernel(  # type: ignore[call-arg]
                    group[2 + 2 * partial + (1 if j == width - 1 else 0)],
                    (
                        g + j * lanes * g_steps[2] + first * itemsize, packed + j * lanes * itemsize + first * steps[3],
                        rows, columns, blocks, g_steps[0], g_steps[1], g_steps[2], steps[1], steps[2], steps[3],
                        images % lanes,
                    ),
                )


@serial
def multiply_band(tiles, band, rows, columns, x, packed, dw, x_steps, steps, dw_steps, strides, corner, dilation, live):  # type: ignore[no-untyped-def]
    """dw += x times transposed g of a band, for every kernel tap and every channel."""
    for kh in range(rows.shape[0]):
        top, bottom = max(rows[kh, 0], band[0]), min(rows[kh, 1], band[1])
        x_row = x + (top * strides[0] + kh * dilation[0] - corner[0]) * x_steps[0]
        for kw in range(columns.shape[0]):
            left, right = columns[kw, 0], columns[kw, 1]
            x_pixel = x_row + (left * strides[1] + kw * dilation[1] - corner[1]) * x_steps[1]
            for i in range(tiles.shape[0] if top < bottom and left < right else 0):
                c = tiles[i, 1]
                call_kernel(  # type: ignore[call-arg]
                    tiles[i, 0],
                    (
                        x_pixel + c * x_steps[2], packed + (top - band[0]) * steps[1] + left * steps[2],
                        dw + kh * dw_steps[1] + kw * dw_steps[2] + c * dw_steps[3],
                        bottom - top, right - left, band[3] - band[2],
                        x_steps[0] * strides[0], x_steps[1] * strides[1], x_steps[2], steps[1], steps[2], steps[3],
                        dw_steps[3], live,
                    ),
                )
