"""Which weight-gradient tile (weight.py) runs where: the plan of a gradient, and the loops that follow it.

Every tile walks over the same pixels. So the work is divided into parts, a band of rows of some images each,
whose pixels stay in the second-level cache while all tiles pass over them. A part has its own result, and
these are added in order. Parts depend on the shapes alone: the number of threads changes nothing. The images
are the innermost loop because only they are neighbours in memory; a tile that went over the map for one
vector of images, then for the next, took twice as long for 128 images (each pixel lay in another page, and in
few sets of the caches).

The last images, which fill no vector, are a part of their own. But a map of no more pixels than there are
taps is done before a second part has begun, and with a 1x1 kernel most of the work is to read images: there
they are the last vector of the last part.
"""

from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np

from ..common import Array, parallel, prange, serial
from ..emit import Vectors, call_kernel
from .forward import split
from .geometry import KernelSteps, Pair, Steps, Window
from .weight import Images, Run, Tile, WeightCall, runs, tile_address, tile_shape

# The rows are divided until there are about this many pieces of work to share,
MIN_TASKS = 32
# and until the pixels of a part, which every tile walks over, fit the second-level cache,
MAX_PART_BYTES = 5 << 18
# but so many bytes of neighbouring images stay together, enough for the memory to be read ahead,
MIN_RUN_BYTES = 512
# and the partial results together take no more than about this.
MAX_PARTIAL_BYTES = 1 << 24


class WeightLoop(NamedTuple):
    """What the compiled loop reads."""

    # [address for whole vectors, where one in part follows, kernel row, channel, filter, first of its bounds]
    tiles: Array
    parts: Array  # of the batch: [first vector, whole vectors, whether one in part follows]
    bounds: Array  # [band of rows, run, first row and end]
    groups: int
    vector_bytes: int
    live: int  # images of the vector in part


class Plan(NamedTuple):
    loop: tuple[Any, ...]  # a WeightLoop, as a plain tuple
    pieces: int


@cache
def weight_plan(
    size: Pair,
    output: Pair,
    kernel: Pair,
    channels: int,
    filters: int,
    window: Window,
    vectors: Vectors,
    images: int,
    groups: int = 1,
) -> Plan:
    """Tiles of the result (of one group), parts of the batch, and bands of rows."""
    tiles, row_runs, small = _tiles(size, output, kernel, channels, filters, window, vectors, images)
    whole, rest = divmod(images, vectors.lanes)
    # vectors that are divided into parts
    blocks = -(-images // vectors.lanes) if _at_once(small, kernel, vectors) else whole
    together, height = blocks, output[0]
    if not small:
        all_channels, all_filters, calls = channels * groups, filters * groups, len(tiles) * groups
        together, height = _part(
            size, output, kernel, window.strides, all_channels, all_filters, vectors, blocks, calls
        )
    least = (
        blocks * kernel[0] * kernel[1] * channels * filters * groups * vectors.itemsize // MAX_PARTIAL_BYTES
    )
    edges = split(blocks, max(together, least, 1)) if blocks else [0]
    parts = [(first, min(end, whole) - first, int(end > whole)) for first, end in pairwise(edges)]
    if rest and blocks == whole:
        parts.append((whole, 0, 1))
    bounds = [
        [(max(run.first, first), min(run.first + run.length, end)) for run in row_runs]
        for first, end in pieces_of(output[0], height)
    ]
    loop = WeightLoop(
        tiles=np.array(tiles),
        parts=np.array(parts, np.int64).reshape(-1, 3),
        bounds=np.array(bounds),
        groups=groups,
        vector_bytes=vectors.bytes,
        live=rest,
    )
    return Plan(tuple(loop), len(parts) * len(bounds))


def _tiles(
    size: Pair,
    output: Pair,
    kernel: Pair,
    channels: int,
    filters: int,
    window: Window,
    vectors: Vectors,
    images: int,
) -> tuple[list[tuple[int, ...]], list[Run], bool]:
    """The tiles as WeightLoop has them, the runs of rows that they walk over, and whether they are small."""
    strides, corner, dilation = window
    columns = runs(output[1], size[1], kernel[1], strides[1], dilation[1], -corner[1])
    rows = runs(output[0], size[0], kernel[0], strides[0], dilation[0], -corner[0])
    small = all(run.length == 1 for run in rows.runs + columns.runs)  # no more pixels than taps: a 3x3 map
    spare = vectors.registers // 4 if small else 0  # straight code needs more registers
    ct, cit, kht = tile_shape(filters, channels, kernel, vectors.registers - spare)
    tiles: list[tuple[int, ...]] = []
    row_runs: list[Run] = []
    for kh, kh_end in pieces_of(kernel[0], kht):
        rows = runs(output[0], size[0], kh_end - kh, strides[0], dilation[0], kh * dilation[0] - corner[0])
        kind = Tile(0, 0, (kh_end - kh, kernel[1]), rows, columns, small)
        at_once = _at_once(small, kernel, vectors)
        for (c, c_end), (f, f_end) in product(pieces_of(channels, cit), pieces_of(filters, ct)):
            tile = kind._replace(filters=f_end - f, channels=c_end - c)
            tiles.append((*_both(tile, vectors, images, at_once), kh, c, f, len(row_runs)))
        row_runs += rows.runs
    return tiles, row_runs, small


def _at_once(small: bool, kernel: Pair, vectors: Vectors) -> bool:
    """Whether a tile takes the images that fill no vector along with the others. Each multiply-add of a 1x1
    kernel waits for loads, and a mask slows those of vectors narrower than AVX-512's.
    """
    return small or (kernel == (1, 1) and vectors.bytes >= 64)


def _both(tile: Tile, vectors: Vectors, images: int, at_once: bool) -> Pair:
    """Addresses of a tile for whole vectors of images, and for the one in part, with whole ones before it if
    `at_once`; 0 where there are none.
    """
    whole, partial = images >= vectors.lanes, images % vectors.lanes > 0
    return (
        tile_address(tile, vectors, Images(True, False)) if whole else 0,
        tile_address(tile, vectors, Images(whole and at_once, True)) if partial else 0,
    )


def _part(
    size: Pair,
    output: Pair,
    kernel: Pair,
    strides: Pair,
    channels: int,
    filters: int,
    vectors: Vectors,
    blocks: int,
    tiles: int,
) -> Pair:
    """(blocks, rows) of a part at most. Its pixels fit MAX_PART_BYTES;
    two rows at least, as long as that leaves a block.
    """
    # of one vector of images
    x_row, g_row = size[1] * channels * vectors.bytes, output[1] * filters * vectors.bytes
    above, each = max(kernel[0] - strides[0], 0) * x_row, strides[0] * x_row + g_row
    together = blocks
    if blocks * (above + output[0] * each) > MAX_PART_BYTES:
        together = max(1, min(blocks, MIN_RUN_BYTES // vectors.bytes, MAX_PART_BYTES // (above + 2 * each)))
    rows = min(output[0], max(1, (MAX_PART_BYTES // max(together, 1) - above) // each))
    # bands, if there are rows enough
    pieces = -(-MIN_TASKS // (tiles * max(1, -(-blocks // max(together, 1)))))
    rows = max(1, min(rows, output[0] // pieces))
    pieces = -(-MIN_TASKS // (tiles * -(-output[0] // rows)))
    return max(1, min(together, -(-blocks // pieces))), rows


class WeightPlaces(NamedTuple):
    """Addresses, of one group: of its channels in x, of its filters in g,
    and where the results of its pieces go.
    """

    x: int
    g: int
    target: int


@parallel
def run_weight(loop, places, x_strides, g_strides, target_strides, results, dw, first_filter):
    """Runs every tile on every piece. Several pieces leave their results in `results`,
    a single one in dw itself.
    """
    loop = WeightLoop(*loop)
    at = WeightPlaces(*places)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    dw_step = KernelSteps(*target_strides)
    pieces = loop.parts.shape[0] * loop.bounds.shape[0]
    for task in prange(pieces * loop.tiles.shape[0]):
        weight_task(task, loop, at, x_step, g_step, dw_step)
    if pieces != 1:
        add_results(dw.reshape(-1), results.reshape(-1), pieces, first_filter, results.shape[4], dw.shape[3])


@serial
def weight_task(task, loop, at, x_step, g_step, dw_step):  # type: ignore[no-untyped-def]
    """Runs one tile on one piece: a band of the rows of a part."""
    piece, i = task // loop.tiles.shape[0], task % loop.tiles.shape[0]
    part, band = piece // loop.bounds.shape[0], piece % loop.bounds.shape[0]
    image, blocks, partial = loop.parts[part, 0] * loop.vector_bytes, loop.parts[part, 1], loop.parts[part, 2]
    kh, c, f = loop.tiles[i, 2], loop.tiles[i, 3], loop.tiles[i, 4]
    call_kernel(
        loop.tiles[i, partial],
        WeightCall(
            x=at.x + image + c * x_step.channel,
            g=at.g + image + f * g_step.channel,
            dw=at.target
            + piece * dw_step.piece
            + kh * dw_step.row
            + c * dw_step.channel
            + f * dw_step.filter,
            bounds=loop.bounds.ctypes.data + (band * loop.bounds.shape[1] + loop.tiles[i, 5]) * 16,
            blocks=blocks,
            x_row=x_step.row,
            x_column=x_step.column,
            x_channel=x_step.channel,
            g_row=g_step.row,
            g_column=g_step.column,
            g_channel=g_step.channel,
            dw_row=dw_step.row,
            dw_column=dw_step.column,
            dw_channel=dw_step.channel,
            live=loop.live,
        ),
    )


@serial
def add_results(dw, results, pieces, first_filter, filters, width):  # type: ignore[no-untyped-def]
    """Columns from first_filter on of dw (rows, width) = sum of `results` (pieces, rows, filters),
    both flat.
    """
    rows = dw.size // width
    for row in range(rows):
        place = row * width + first_filter
        for f in range(filters):
            dw[place + f] = 0
        for piece in range(pieces):
            source = (piece * rows + row) * filters
            for f in range(filters):
                dw[place + f] += results[source + f]


def pieces_of(length: int, most: int) -> list[Pair]:
    return list(pairwise(split(length, most)))
