"""The plan of Winograd's convolution: which tiles there are, where they lie, and how memory is laid out."""

from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np

from ..common import Array
from ..emit import Vectors
from ..launches import CACHE_LINE
from .choice import most_filters
from .forward import lengths, split
from .forward_loop import MIN_TASKS
from .geometry import Pair
from .winograd import TAPS, tile_length
from .winograd_deep_loop import PAIRS
from .winograd_loop import WinogradLoop
from .winograd_product import Scratch, few_product_address, product_address
from .winograd_tiles import (
    VECTORS,
    Span,
    beside,
    input_address,
    output_address,
    weight_address,
)

DEEP_U_BYTES = 1 << 22  # of U: from here on the loops are those of winograd_deep_loop.py
MIN_DEEP_TASKS = 8  # tiles are divided by images until there are about this many


class Problem(NamedTuple):
    """A convolution: of x (N, H, W, C) to y (N, OH, OW, F)."""

    size: tuple[int, int, int]  # (N, H, W)
    output: Pair
    channels: int
    filters: int
    corner: Pair  # (top, left) padding
    flipped: bool  # w lies as (3, 3, F, C), its taps in the reverse order; otherwise as (3, 3, C, F)
    activation: str | None


class WinogradPlan(NamedTuple):
    loop: tuple[Any, ...]  # a WinogradLoop, as a plain tuple
    scratch: int  # bytes for each thread
    u: int  # bytes of U where the threads share it, else 0


@cache
def winograd_plan(
    problem: Problem, x_steps: tuple[int, ...], y_steps: tuple[int, ...], vectors: Vectors
) -> WinogradPlan:
    """Plan for arrays of these steps, `strides[1:]`."""
    p, m = problem, tile_length(problem.output)
    places, sign = (m + TAPS - 1) ** 2, -1 if p.flipped else 1
    rows, columns = (axis_tiles(m, p.size[1 + i], p.output[i], p.corner[i]) for i in (0, 1))
    memory = _memory(p, places, vectors)
    steps = memory.steps
    kinds = p.size[0], rows.kinds, columns.kinds
    loop = WinogradLoop(
        rows=rows.table,
        columns=columns.table,
        inputs=input_addresses(m, *kinds, steps.v_place, vectors),
        outputs=_outputs(m, *kinds, steps.m_place, p.activation, vectors),
        products=_products(p, memory, vectors),
        weights=weight_address(m, vectors),
        filters=np.array(memory.pieces),
        ahead=_ahead(rows.kinds, columns.kinds, x_steps, y_steps, places),
        chunks=_chunks(-(-p.size[0] // (VECTORS * vectors.lanes)), rows, columns, memory.is_deep),
        images=p.size[0],
        lanes=vectors.lanes,
        itemsize=vectors.itemsize,
        channels=p.channels,
        u_place=memory.tap,
        u_channel=vectors.itemsize * (1 if p.flipped else p.filters),
        u_filter=steps.u_filter,
        w_row=sign * TAPS * memory.tap,
        w_column=sign * memory.tap,
        v_offset=memory.v_offset,
        m_offset=memory.m_offset,
        v_place=steps.v_place,
        m_place=steps.m_place,
        pair=memory.pair,
    )
    if memory.is_deep:
        return WinogradPlan(tuple(loop), PAIRS * memory.pair + CACHE_LINE, memory.v_offset)
    return WinogradPlan(tuple(loop), memory.v_offset + memory.pair + CACHE_LINE, 0)


def _chunks(pairs: int, rows: "Tiles", columns: "Tiles", is_deep: bool) -> int:
    """Into how many parts the pairs of vectors of images are divided, for enough tasks."""
    if is_deep:
        tiles = len(rows.table) * len(columns.table)
        return min(pairs, max(pairs // PAIRS, -(-MIN_DEEP_TASKS // tiles)))
    return min(pairs, -(-MIN_TASKS // len(rows.table)))


class Tiles(NamedTuple):
    """The tiles along one axis: of each (kind, first output, first input), and what is in those of a kind."""

    table: Array
    kinds: list[Span]


def axis_tiles(m: int, size: int, output: int, corner: int) -> Tiles:
    """Tiles of m outputs; the last may have fewer."""
    spans = [
        Span(tuple(i for i in range(m + TAPS - 1) if 0 <= o - corner + i < size), min(m, output - o))
        for o in range(0, output, m)
    ]
    kinds = list(dict.fromkeys(spans))
    return Tiles(np.array([(kinds.index(s), m * i, m * i - corner) for i, s in enumerate(spans)]), kinds)


class _Memory(NamedTuple):
    """A thread's scratch: U, then V, then M; where U is large (`is_deep`), the threads share it."""

    pieces: list[int]  # where the pieces of the filters begin
    is_deep: bool
    tap: int  # bytes from tap to tap of w, and from place to place of U
    steps: Scratch
    v_offset: int
    m_offset: int
    pair: int  # bytes of V and M


def _memory(p: Problem, places: int, vectors: Vectors) -> _Memory:
    """Where one piece has all filters, M takes the place of V: a place is read before it is written."""
    most, vector = most_filters(vectors), beside(vectors)
    pieces, tap = split(p.filters, most), vectors.itemsize * p.channels * p.filters
    is_deep, alone = places * tap >= DEEP_U_BYTES, len(pieces) == 2
    held = p.filters if is_deep else max(lengths(p.filters, most))  # of M
    v_place = odd_lines((max(p.channels, held) if alone else p.channels) * vector)
    m_place = v_place if alone else odd_lines(held * vector)
    u_filter = vectors.itemsize * (p.channels if p.flipped else 1)
    v_offset = -(-places * tap // CACHE_LINE) * CACHE_LINE
    m_offset = v_offset + (0 if alone else places * v_place)
    steps = Scratch(v_place, m_place, u_filter)
    pair = m_offset - v_offset + places * m_place
    return _Memory(pieces, is_deep, tap, steps, v_offset, m_offset, pair)


def odd_lines(size: int) -> int:
    """A distance of at least `size` bytes that is not an even number of lines: then places do not share a few
    sets of the cache.
    """
    return size if size // CACHE_LINE % 2 else size + CACHE_LINE


def input_addresses(
    m: int, images: int, rows: list[Span], columns: list[Span], v_place: int, vectors: Vectors
) -> Array:
    """Input tiles: addresses [whether the last vector is partial, kind of row, kind of column]."""
    found = np.zeros((2, len(rows), len(columns)), np.int64)
    for partial, i, j in product(_partial(images, vectors), *map(range, found.shape[1:])):
        found[int(partial), i, j] = input_address(m, rows[i], columns[j], v_place, vectors, partial)
    return found


def _outputs(
    m: int, images: int, rows: list[Span], columns: list[Span], m_place: int, activation: str | None,
    vectors: Vectors,
) -> Array:  # fmt: skip
    """Output tiles, as the input tiles."""
    found = np.zeros((2, len(rows), len(columns)), np.int64)
    for partial, i, j in product(_partial(images, vectors), *map(range, found.shape[1:])):
        size = rows[i].outputs, columns[j].outputs
        found[int(partial), i, j] = output_address(m, *size, activation, m_place, vectors, partial)
    return found


def _partial(images: int, vectors: Vectors) -> set[bool]:
    """Whether there are tiles whose last vector of images is partial, and others."""
    partial = images % vectors.lanes > 0
    return {partial, partial and images < VECTORS * vectors.lanes}


def _products(p: Problem, memory: _Memory, vectors: Vectors) -> Array:
    """Product tiles: addresses [vectors of images - 1, piece of the filters]."""
    pieces, steps = memory.pieces, memory.steps
    found, blocks = np.zeros((VECTORS, len(pieces) - 1), np.int64), -(-p.size[0] // vectors.lanes)
    rest = (p.size[0] - 1) % (VECTORS * vectors.lanes) + 1  # images at the end; if few, in a vector of one
    for count in {min(blocks, VECTORS), (blocks - 1) % VECTORS + 1}:
        for i, (first, end) in enumerate(pairwise(pieces)):
            filters = end - first
            sums = rest * -(-filters // vectors.lanes)  # with filters in the lanes
            if count == 1 and 2 * sums <= filters and not (p.flipped or memory.is_deep):
                found[0, i] = few_product_address(filters, rest, steps, vectors)
            else:
                found[count - 1, i] = product_address(filters, count, steps, vectors, p.channels)
    return found


def _ahead(
    rows: list[Span], columns: list[Span], x_steps: tuple[int, ...], y_steps: tuple[int, ...], places: int
) -> Array:
    """For each kind of tile, at each place: offsets of a pixel of x in it and of one of y, in turn."""
    table = np.zeros((len(rows), len(columns), places, 2), np.int64)
    for r, c in np.ndindex(*table.shape[:2]):
        row, column = rows[r], columns[c]
        x = [i * x_steps[0] + j * x_steps[1] for i in row.inputs for j in column.inputs]
        y = [i * y_steps[0] + j * y_steps[1] for i in range(row.outputs) for j in range(column.outputs)]
        table[r, c] = [(x[t % len(x)], y[t % len(y)]) for t in range(places)]
    return table
