"""The weight-gradient tile: CT filters x CIT channels x some kernel taps, summed over some output rows of many images.

    for each output row, each output column, each vector of images:
        acc[f, c, kh, kw] += g[row, column, f] * x[row(kh), column(kw), c]       for all f, c, kh, kw of the tile
    dw[kh, kw, c, f] = sum of the lanes of acc[f, c, kh, kw]

The sums stay in registers from the first pixel to the last. Near the border some taps fall outside the map: rows and
columns are divided into runs that see the same taps, and each run is written with just those. For a 3x3 kernel with
'same' padding that is first, middle, last, in both directions.

Every tile walks over the same pixels. So the work is divided into parts, a band of rows of some images each, whose pixels
stay in the second-level cache while all tiles pass over them. A part has its own result, and these are added in order. Parts
depend on the shapes alone: the number of threads changes nothing. The images are the innermost loop because only they are
neighbours in memory; a tile that went over the map for one vector of images, then for the next, took twice as long for 128
images (each pixel lay in another page, and in few sets of the caches).
"""

from collections import Counter
from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from ..common import Array, serial
from ..emit import Value, VectorFunction, Vectors, address, call_kernel
from .forward import lengths, split
from .geometry import Pair, tap_range

TASKS = 32  # the rows are divided until there are about this many pieces of work to share
PART_BYTES = 5 << 18  # and until the pixels of a part, which every tile walks over, fit the second-level cache
RUN_BYTES = 512  # of neighbouring images that a part keeps together: enough for the memory to be read ahead
PARTIAL_BYTES = 1 << 24  # but the partial results together take no more than about this


class Run(NamedTuple):
    """`length` outputs from `first` on, which see the kernel taps from taps[0] up to taps[1]."""

    first: int
    length: int
    taps: Pair


class Axis(NamedTuple):
    """One axis of a tile: its runs, and origin of the input position o * stride + k * dilation + origin."""

    runs: tuple[Run, ...]
    stride: int
    dilation: int
    origin: int


class Tile(NamedTuple):
    filters: int
    channels: int
    taps: Pair  # (rows, columns) of sums for each filter and channel
    rows: Axis  # of its runs, the tile uses the taps; which rows it walks over is said by each part
    columns: Axis
    small: bool  # every pixel is straight code: there is one loop over the images around all of it, and no band


def runs(output: int, size: int, taps: int, stride: int, dilation: int, origin: int) -> Axis:
    """The runs of an axis with `output` outputs; those that see no tap are left out."""
    found: list[Run] = []
    for o in range(output):
        seen = tap_range(o, size, taps, stride, -origin, dilation)
        if found and found[-1].taps == seen:
            found[-1] = found[-1]._replace(length=found[-1].length + 1)
        else:
            found.append(Run(o, 1, seen))
    return Axis(tuple(run for run in found if run.taps[0] < run.taps[1]), stride, dilation, origin)


def weight_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. Steps are in bytes; `bounds` is the address of (first row, end) of each run of rows."""
    k = VectorFunction(
        vectors,
        "x g dw bounds blocks x_row x_column x_channel g_row g_column g_channel dw_row dw_column dw_channel live",
        masked=masked,
    )
    filters, channels = range(tile.filters), range(tile.channels)
    taps = list(product(range(tile.taps[0]), range(tile.taps[1])))
    sums = [(f, c, kh, kw) for kh, kw in taps for c in channels for f in filters]
    acc = {place: k.variable(k.zero) for place in sums}
    image, gradient, result, bounds = (k.pointer(f"%{name}") for name in ("x", "g", "dw", "bounds"))
    g_filter = [k.mul("%g_channel", f) for f in filters]
    x_place = {
        (kh, kw, c): k.add(
            k.add(k.mul("%x_row", kh * tile.rows.dilation), k.mul("%x_column", kw * tile.columns.dilation)),
            k.mul("%x_channel", c),
        )
        for kh, kw in taps
        for c in channels
    }

    blocks: Value = 1 if masked else "%blocks"
    with k.loop(0, blocks if tile.small else 1) as far:
        for i, row in enumerate(tile.rows.runs):
            band = (k.load_integer(k.move(bounds, 16 * i + j)) for j in (0, 8))
            with k.loop(*((row.first, row.first + row.length) if tile.small else band)) as r:
                x_row, g_row = _under(k, image, "%x_row", tile.rows, r), k.move(gradient, k.mul("%g_row", r))
                for column in tile.columns.runs:
                    with k.loop(column.first, column.first + column.length) as j:
                        x_pixel = _under(k, x_row, "%x_column", tile.columns, j)
                        g_pixel = k.move(g_row, k.mul("%g_column", j))
                        with k.loop(0, 1 if tile.small else blocks) as near:
                            step = k.mul(vectors.bytes, k.add(far, near))
                            x, g = k.move(x_pixel, step), k.move(g_pixel, step)
                            upstream = [k.load(k.move(g, f)) for f in g_filter]
                            for kh, kw, c in product(range(*row.taps), range(*column.taps), channels):
                                pixel = k.load(k.move(x, x_place[kh, kw, c]))
                                for f in filters:
                                    slot = acc[f, c, kh, kw]
                                    k.set(slot, k.multiply_add(upstream[f], pixel, k.get(slot)))

    totals = k.lane_sums([k.get(acc[place]) for place in sums])
    for (f, c, kh, kw), total in zip(sums, totals, strict=True):
        place = k.move(result, k.mul("%dw_row", kh), k.mul("%dw_column", kw), k.mul("%dw_channel", c))
        k.store_scalar(total, k.move(place, f * vectors.itemsize))
    return k


def _under(k: VectorFunction, x: str, step: str, axis: Axis, output: Value) -> str:
    """The input position under tap 0 of `output`."""
    return k.move(x, k.mul(step, k.add(k.mul(axis.stride, output), axis.origin)))


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(weight_tile(tile, vectors, masked))


@cache
def tile_shape(filters: int, channels: int, kernel: Pair, registers: int) -> tuple[int, int, int]:
    """(CT, CIT, kernel rows) of the tile that divides the work best.

    For each pixel a tile does one multiply-add for each of its sums, and loads CT gradients and CIT * taps pixels, of
    which CT + CIT were not used before and come from farther away. Fewer than eight sums leave the multiply-add units
    idle.
    """
    shapes = [
        (f, c, rows)
        for f in range(1, min(filters, 8) + 1)
        for c in range(1, min(channels, 8) + 1)
        for rows in range(1, kernel[0] + 1)
        if f * c * rows * kernel[1] + f + 2 <= registers or f == c == rows == 1
    ]

    def cost(shape: tuple[int, int, int]) -> float:
        sizes = [Counter(lengths(*axis)).items() for axis in zip((filters, channels, kernel[0]), shape, strict=True)]
        total = 0.0
        for (f, f_times), (c, c_times), (rows, row_times) in product(*sizes):
            taps = rows * kernel[1]
            pixel = max(f * c * taps, 8) + 0.3 * (f + c * taps) + f + c
            total += f_times * c_times * row_times * pixel
        return total

    return min(shapes, key=cost)


class Plan(NamedTuple):
    """What the loop reads.

    tiles: [full address, masked address, kernel row, channel, filter, first of its bounds]
    parts: [first block, blocks, masked]; bounds: [band of rows, run, first row and end].
    """

    tiles: Array
    parts: Array
    bounds: Array
    pieces: int


@cache
def weight_plan(
    size: Pair, output: Pair, kernel: Pair, channels: int, filters: int, strides: Pair, corner: Pair, dilation: Pair,
    vectors: Vectors, images: int, groups: int = 1,
) -> Plan:
    """Tiles of the result (of one group), parts of the batch, and bands of rows."""
    columns = runs(output[1], size[1], kernel[1], strides[1], dilation[1], -corner[1])
    rows = runs(output[0], size[0], kernel[0], strides[0], dilation[0], -corner[0])
    small = all(run.length == 1 for run in rows.runs + columns.runs)  # no more pixels than taps, as in a 3x3 map
    spare = vectors.registers // 4 if small else 0  # straight code needs more registers
    ct, cit, kht = tile_shape(filters, channels, kernel, vectors.registers - spare)
    blocks, rest = divmod(images, vectors.lanes)
    tiles: list[tuple[int, ...]] = []
    row_runs: list[Run] = []
    for kh, kh_end in _pieces(kernel[0], kht):
        rows = runs(output[0], size[0], kh_end - kh, strides[0], dilation[0], kh * dilation[0] - corner[0])
        for c, c_end in _pieces(channels, cit):
            for f, f_end in _pieces(filters, ct):
                tile = Tile(f_end - f, c_end - c, (kh_end - kh, kernel[1]), rows, columns, small)
                full = _tile_address(tile, vectors, False) if blocks else 0
                masked = _tile_address(tile, vectors, True) if rest else 0
                tiles.append((full, masked, kh, c, f, len(row_runs)))
        row_runs += rows.runs
    together, height = blocks, output[0]
    if not small:
        all_channels, all_filters, calls = channels * groups, filters * groups, len(tiles) * groups
        together, height = _part(size, output, kernel, strides, all_channels, all_filters, vectors, blocks, calls)
    least = blocks * kernel[0] * kernel[1] * channels * filters * groups * vectors.itemsize // PARTIAL_BYTES
    edges = split(blocks, max(together, least, 1)) if blocks else [0]
    parts = [(first, end - first, 0) for first, end in pairwise(edges)]
    if rest:
        parts.append((blocks, 1, 1))
    bounds = [
        [(max(run.first, first), min(run.first + run.length, end)) for run in row_runs]
        for first, end in _pieces(output[0], height)
    ]
    return Plan(np.array(tiles), np.array(parts, np.int64).reshape(-1, 3), np.array(bounds), len(parts) * len(bounds))


def _part(
    size: Pair, output: Pair, kernel: Pair, strides: Pair, channels: int, filters: int, vectors: Vectors, blocks: int,
    tiles: int,
) -> Pair:
    """(blocks, rows) of a part at most. Its pixels fit PART_BYTES, with two rows at least as long as that leaves a block."""
    x_row, g_row = size[1] * channels * vectors.bytes, output[1] * filters * vectors.bytes  # of one vector of images
    above, each = max(kernel[0] - strides[0], 0) * x_row, strides[0] * x_row + g_row
    together = blocks
    if blocks * (above + output[0] * each) > PART_BYTES:
        together = max(1, min(blocks, RUN_BYTES // vectors.bytes, PART_BYTES // (above + 2 * each)))
    rows = min(output[0], max(1, (PART_BYTES // max(together, 1) - above) // each))
    pieces = -(-TASKS // (tiles * max(1, -(-blocks // max(together, 1)))))  # bands, if there are rows enough
    rows = max(1, min(rows, output[0] // pieces))
    pieces = -(-TASKS // (tiles * -(-output[0] // rows)))
    return max(1, min(together, -(-blocks // pieces))), rows


def _pieces(length: int, most: int) -> list[Pair]:
    return list(pairwise(split(length, most)))


@serial
def weight_task(task, tiles, parts, bounds, x, g, target, live, vector_bytes, target_steps, x_steps, g_steps):  # type: ignore[no-untyped-def]
    """Runs one tile on one piece: a band of the rows of a part. x, g and target are addresses, steps are in bytes.

    Steps of x and g are (row, column, channel), of target (piece, kernel row, kernel column, channel, filter).
    """
    piece, i = task // tiles.shape[0], task % tiles.shape[0]
    part, band = piece // bounds.shape[0], piece % bounds.shape[0]
    image, blocks, masked = parts[part, 0] * vector_bytes, parts[part, 1], parts[part, 2]
    kh, c, f = tiles[i, 2], tiles[i, 3], tiles[i, 4]
    call_kernel(  # type: ignore[call-arg]
        tiles[i, masked],
        (
            x + image + c * x_steps[2],
            g + image + f * g_steps[2],
            target + piece * target_steps[0] + kh * target_steps[1] + c * target_steps[3] + f * target_steps[4],
            bounds.ctypes.data + (band * bounds.shape[1] + tiles[i, 5]) * 16,
            blocks, x_steps[0], x_steps[1], x_steps[2], g_steps[0], g_steps[1], g_steps[2],
            target_steps[1], target_steps[2], target_steps[3], live,
        ),
    )


@serial
def add_results(dw, results, pieces, first_filter, filters, width):  # type: ignore[no-untyped-def]
    """Columns from first_filter on of dw (rows, width) = sum of `results` (pieces, rows, filters), both flat."""
    rows = dw.size // width
    for row in range(rows):
        place = row * width + first_filter
        for f in range(filters):
            dw[place + f] = 0
        for piece in range(pieces):
            source = (piece * rows + row) * filters
            for f in range(filters):
                dw[place + f] += results[source + f]
