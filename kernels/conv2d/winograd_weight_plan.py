"""The plan of Winograd's weight gradient: which tiles there are, and how memory is laid out."""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..common import Array
from ..emit import Vectors
from ..launches import CACHE_LINE
from .choice import DEEP_SUMS_BYTES
from .forward import lengths, split
from .geometry import Pair
from .wide import transpose_address
from .winograd import TAPS, tile_length
from .winograd_plan import axis_tiles, input_addresses, odd_lines
from .winograd_tiles import VECTORS, Span, beside
from .winograd_weight import inverse_address, outer_address, spread_address
from .winograd_weight_loop import WinogradWeightLoop

SUMS, SUMS_OF_16 = 28, 12  # of an outer tile, in 32 registers and in 16
MAX_CHUNKS = 4  # of the images; each has a dU of its own
MIN_PARTS = 8  # about as many as threads that find work
MAX_UNITS = 4  # whose sums stay in registers: longer chains of additions round more


class WinogradWeightPlan(NamedTuple):
    loop: tuple[Any, ...]  # a WinogradWeightLoop, as a plain tuple
    scratch: int  # bytes for each thread
    sums: tuple[int, int, int, int]  # dU (parts, places, channels, filters in whole vectors)
    shared: int  # bytes of V and Z where the threads share them, else 0


@cache
def winograd_weight_plan(
    size: tuple[int, int, int], output: Pair, channels: int, filters: int, corner: Pair, vectors: Vectors
) -> WinogradWeightPlan:
    """Plan for images (N, H, W) of so many channels, and maps (OH, OW) of so many filters."""
    memory = _memory(output, channels, filters, vectors)
    m, together = memory.m, VECTORS * vectors.lanes
    rows, columns = (axis_tiles(m, size[1 + i], output[i], corner[i]) for i in (0, 1))
    channel_pieces, filter_pieces, outers = _outers(channels, memory, vectors)
    bands, chunks = (1, 1) if memory.units else _parts(len(rows.table), -(-size[0] // together))
    steps = _steps(len(rows.table) * len(columns.table), size[0], memory.units, vectors)
    loop = WinogradWeightLoop(
        **_transforms(size[0], filters, rows.kinds, columns.kinds, memory, vectors),
        rows=rows.table,
        columns=columns.table,
        outers=outers,
        channel_pieces=np.array(channel_pieces),
        filter_pieces=np.array(filter_pieces),
        bands=bands,
        chunks=chunks,
        steps=steps,
        images=size[0],
        lanes=vectors.lanes,
        itemsize=vectors.itemsize,
        channels=channels,
        filters=filters,
        places=memory.places,
        v_place=memory.v_place,
        v_channel=beside(vectors),
        z_place=memory.z_place,
        z_offset=memory.places * memory.v_place,
        unit=memory.unit,
        u_channel=memory.width * vectors.bytes,
    )
    # of a thread: g turned round, of all filters or of a piece
    turned = m * m * together * vectors.bytes * (filter_pieces[1] if memory.units else memory.width)
    shared = memory.unit * int(np.diff(steps[:, :2]).max(initial=0))
    scratch = turned + CACHE_LINE + (0 if memory.units else memory.unit)
    sums = bands * chunks, memory.places, channels, memory.width * vectors.lanes
    return WinogradWeightPlan(tuple(loop), scratch, sums, shared)


class _Memory(NamedTuple):
    m: int
    places: int
    width: int  # vectors of filters
    v_place: int
    z_place: int
    unit: int  # bytes of V and Z
    units: int  # that the threads share; 0 where each makes its own


def _memory(output: Pair, channels: int, filters: int, vectors: Vectors) -> _Memory:
    """Where dU is large, the threads share V and Z of so many units that they are as large, about: then
    neither is read more often than the other.
    """
    m, width = tile_length(output), -(-filters // vectors.lanes)
    places, u_channel = (m + TAPS - 1) ** 2, width * vectors.bytes
    v_place = odd_lines(channels * beside(vectors))
    z_place = VECTORS * vectors.lanes * u_channel + CACHE_LINE
    is_deep = vectors.itemsize * places * channels * filters >= DEEP_SUMS_BYTES
    units = min(MAX_UNITS, -(-channels * u_channel // (v_place + z_place))) if is_deep else 0
    return _Memory(m, places, width, v_place, z_place, places * (v_place + z_place), units)


def _steps(tiles: int, images: int, units: int, vectors: Vectors) -> Array:
    """(first unit, end, images of each) of up to so many units, all with as many images. The tiles of two
    vectors of images follow each other.
    """
    steps: list[tuple[int, int, int]] = []
    if units:
        together = VECTORS * vectors.lanes
        whole, rest = tiles * (images // together), images % together
        steps += [(*step, together) for step in pairwise(split(whole, units))]
        padded = -(-rest // vectors.lanes) * vectors.lanes
        steps += [(whole + a, whole + b, padded) for a, b in pairwise(split(tiles if rest else 0, units))]
    return np.array(steps, np.int64).reshape(-1, 3)


def _parts(rows: int, pairs: int) -> Pair:
    """(bands of the rows of tiles, chunks of the pairs of vectors of images)"""
    chunks = min(MAX_CHUNKS, pairs)
    return min(rows, -(-MIN_PARTS // chunks)), chunks


def _transforms(
    images: int, filters: int, rows: list[Span], columns: list[Span], memory: _Memory, vectors: Vectors
) -> dict[str, Any]:
    """The tiles that transform, and what they have of the map, as WinogradWeightLoop has them."""
    m, z_place = memory.m, memory.z_place
    spreads = [[spread_address(m, r.outputs, c.outputs, z_place, vectors) for c in columns] for r in rows]
    return {
        "inputs": input_addresses(m, images, rows, columns, memory.v_place, vectors),
        "transposes": _transposes(filters, vectors),
        "spreads": np.array(spreads),
        "spans": np.array([[(r.outputs, c.outputs) for c in columns] for r in rows]),
        "inverse": inverse_address(m, vectors),
    }


def _outers(channels: int, memory: _Memory, vectors: Vectors) -> tuple[list[int], list[int], Array]:
    """Where pieces of the channels begin, and pieces of the vectors of filters; the tiles of each two."""
    many, width = vectors.registers == 32, memory.width
    widest = 4 if many and width % 4 == 0 and not memory.units else 2
    filter_pieces = split(width, widest)
    channel_pieces = split(channels, (SUMS if many else SUMS_OF_16) // max(lengths(width, widest)))
    tiles = [
        [outer_address(b - a, d - c, vectors) for c, d in pairwise(filter_pieces)]
        for a, b in pairwise(channel_pieces)
    ]
    return channel_pieces, filter_pieces, np.array(tiles)


def _transposes(filters: int, vectors: Vectors) -> Array:
    """Tiles for vectors of images that are whole, and for one that is not."""
    widths = [min(vectors.lanes, filters - first) for first in range(0, filters, vectors.lanes)]
    return np.array([[transpose_address(n, vectors, masked) for n in widths] for masked in (False, True)])
