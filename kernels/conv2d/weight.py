"""The weight-gradient tile: CT filters x CIT channels x some kernel taps,
summed over some output rows of many images.

    for each output row, each output column, each vector of images:
        acc[f, c, kh, kw] += g[row, column, f] * x[row(kh), column(kw), c]
            for all f, c, kh, kw of the tile
    dw[kh, kw, c, f] = sum of the lanes of acc[f, c, kh, kw]

The sums stay in registers from the first pixel to the last. Near the border some taps fall outside the map:
rows and columns are divided into runs that see the same taps, and each run is written with just those. For a
3x3 kernel with 'same' padding that is first, middle, last, in both directions.

The images that fill no vector are the last vector of each pixel, or have a pass of their own: weight_loop.py.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

from ..emit import Value, VectorFunction, Vectors, address
from .forward import lengths
from .geometry import Pair, tap_range

Place = tuple[int, int, int, int]  # of a sum in the tile: filter, channel, kernel row, kernel column


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


class Images(NamedTuple):
    """What a tile has of the batch: whole vectors, and one with the last images, in part."""

    whole: bool
    partial: bool


class Tile(NamedTuple):
    filters: int
    channels: int
    taps: Pair  # (rows, columns) of sums for each filter and channel
    rows: Axis  # of its runs, the tile uses the taps; which rows it walks over is said by each part
    columns: Axis
    # every pixel is straight code: there is one loop over the images around all of it, and no band
    small: bool


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


class WeightCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    x: int
    g: int
    dw: int
    bounds: int  # (first row, end) of each run of rows
    blocks: int  # whole vectors of images
    x_row: int
    x_column: int
    x_channel: int
    g_row: int
    g_column: int
    g_channel: int
    dw_row: int
    dw_column: int
    dw_channel: int
    live: int  # images in the one after them, for a tile with `partial` images


def weight_tile(tile: Tile, vectors: Vectors, images: Images) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, WeightCall)
    filters, channels = range(tile.filters), range(tile.channels)
    acc = _sums(k, tile)
    image, gradient, result, bounds = (k.pointer(f"%{name}") for name in ("x", "g", "dw", "bounds"))
    g_filter = [k.mul("%g_channel", f) for f in filters]
    x_place = _x_places(k, tile)

    for far in _every_vector(k, images) if tile.small else (0,):
        for i, row in enumerate(tile.rows.runs):
            with k.loop(*_rows(k, tile, row, k.move(bounds, 16 * i))) as r:
                x_row, g_row = _under(k, image, "%x_row", tile.rows, r), k.move(gradient, k.mul("%g_row", r))
                for column in tile.columns.runs:
                    with k.loop(column.first, column.first + column.length) as j:
                        x_pixel = _under(k, x_row, "%x_column", tile.columns, j)
                        g_pixel = k.move(g_row, k.mul("%g_column", j))
                        seen = product(range(*row.taps), range(*column.taps), channels)
                        near = {place: x_place[place] for place in seen}
                        for step in (far,) if tile.small else _every_vector(k, images):
                            _multiply_adds(
                                k, acc, k.move(x_pixel, step), near, k.move(g_pixel, step), g_filter
                            )
    _store_sums(k, acc, result)
    return k


def _every_vector(k: VectorFunction, images: Images) -> Iterator[Value]:
    """Bytes to each vector of images. The last one is in the same loop: its mask is made for each."""
    last: Value = k.add("%blocks", 1) if images.whole else 1
    before = k.masked, k.mask
    with k.loop(0, last if images.partial else "%blocks") as block:
        if images.partial:  # of a whole vector, more lanes than there are
            after = k.add("%blocks", k.mul(block, -1))
            k.limit(k.add("%live", k.mul(after, k.vectors.lanes)))
        yield k.mul(k.vectors.bytes, block)
    k.masked, k.mask = before


def _sums(k: VectorFunction, tile: Tile) -> dict[Place, str]:
    """A sum for every (f, c, kh, kw), in the order in which they lie in dw."""
    order = product(range(tile.taps[0]), range(tile.taps[1]), range(tile.channels), range(tile.filters))
    return {(f, c, kh, kw): k.variable(k.zero) for kh, kw, c, f in order}


def _x_places(k: VectorFunction, tile: Tile) -> dict[tuple[int, int, int], Value]:
    """Where channel c under tap (kh, kw) lies, from channel 0 under tap (0, 0) on, for every (kh, kw, c)."""
    places = {}
    for kh, kw, c in product(range(tile.taps[0]), range(tile.taps[1]), range(tile.channels)):
        tap = k.add(k.mul("%x_row", kh * tile.rows.dilation), k.mul("%x_column", kw * tile.columns.dilation))
        places[kh, kw, c] = k.add(tap, k.mul("%x_channel", c))
    return places


def _rows(k: VectorFunction, tile: Tile, run: Run, bounds: str) -> tuple[Value, Value]:
    """(first, end) of the output rows of a run: all of them, or those in the band that `bounds` says."""
    if tile.small:
        return run.first, run.first + run.length
    return k.load_integer(bounds), k.load_integer(k.move(bounds, 8))


def _multiply_adds(
    k: VectorFunction,
    acc: dict[Place, str],
    x: str,
    x_place: dict[tuple[int, int, int], Value],
    g: str,
    g_filter: list[Value],
) -> None:
    """One pixel: acc[f, c, kh, kw] += g[f] * x[kh, kw, c]."""
    upstream = [k.load(k.move(g, f)) for f in g_filter]
    for (kh, kw, c), place in x_place.items():
        pixel = k.load(k.move(x, place))
        for f, gradient in enumerate(upstream):
            slot = acc[f, c, kh, kw]
            k.set(slot, k.multiply_add(gradient, pixel, k.get(slot)))


def _store_sums(k: VectorFunction, acc: dict[Place, str], result: str) -> None:
    """dw[kh, kw, c, f] = the sum of the lanes of acc[f, c, kh, kw]."""
    totals = k.lane_sums([k.get(slot) for slot in acc.values()])
    for (f, c, kh, kw), total in zip(acc, totals, strict=True):
        place = k.move(result, k.mul("%dw_row", kh), k.mul("%dw_column", kw), k.mul("%dw_channel", c))
        k.store_scalar(total, k.move(place, f * k.vectors.itemsize))


def _under(k: VectorFunction, x: str, step: str, axis: Axis, output: Value) -> str:
    """The input position under tap 0 of `output`."""
    return k.move(x, k.mul(step, k.add(k.mul(axis.stride, output), axis.origin)))


@cache
def tile_address(tile: Tile, vectors: Vectors, images: Images) -> int:
    return address(weight_tile(tile, vectors, images))


@cache
def tile_shape(filters: int, channels: int, kernel: Pair, registers: int) -> tuple[int, int, int]:
    """(CT, CIT, kernel rows) of the tile that divides the work best.

    For each pixel a tile does one multiply-add for each of its sums, and loads CT gradients and CIT * taps
    pixels, of which CT + CIT were not used before and come from farther away. Fewer than eight sums leave the
    multiply-add units idle.
    """
    shapes = [
        (f, c, rows)
        for f in range(1, min(filters, 8) + 1)
        for c in range(1, min(channels, 8) + 1)
        for rows in range(1, kernel[0] + 1)
        if f * c * rows * kernel[1] + f + 2 <= registers or f == c == rows == 1
    ]

    def cost(shape: tuple[int, int, int]) -> float:
        sizes = [
            Counter(lengths(*axis)).items()
            for axis in zip((filters, channels, kernel[0]), shape, strict=True)
        ]
        total = 0.0
        for (f, f_times), (c, c_times), (rows, row_times) in product(*sizes):
            taps = rows * kernel[1]
            pixel = max(f * c * taps, 8) + 0.3 * (f + c * taps) + f + c
            total += f_times * c_times * row_times * pixel
        return total

    return min(shapes, key=cost)
