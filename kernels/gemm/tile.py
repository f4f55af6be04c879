"""The register tile of a matrix product: a few rows of the result times a few vectors of its columns.

    acc[i, j] = bias[i], or out[i, j] where the sum over k is continued
    for k in the depth:
        acc[i, j] += a[i, k] * b[k, j]          for all rows i and vectors j of the tile
    out[i, j] = acc[i, j]

One step of k loads a few vectors of b and a few numbers of a, each into every lane, and multiplies all by
all. Every number of the result is one sum over k, from first to last: how the result is divided into tiles
changes no bits.

a comes in two layouts. In "rows", the numbers of a row lie together (a weight matrix, in the gradient by the
input); in "columns", those of a column (the same matrix transposed, in the forward pass). b and out have rows
that lie together.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..common import Array
from ..emit import VectorFunction, Vectors, address

# steps of k in one stretch: what one row of tiles reads of a, it finds in the cache for the next tile
DEPTH = 512
# columns are divided until the part of b that every row of tiles reads stays in the cache
BLOCK_BYTES = 1 << 19
# steps of k by which "columns" are fetched before they are used: too far apart for the CPU to foresee
AHEAD = 12


class Tile(NamedTuple):
    rows: int
    vectors: int
    layout: str  # of a
    first: bool  # whether the sums start here, from the bias


class ProductCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    a: int
    b: int
    out: int
    bias: int
    depth: int  # steps of k
    a_row: int
    a_step: int  # from one k to the next
    b_step: int
    out_row: int
    bias_step: int  # from row to row
    live: int  # lanes of the last vector


def product_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile. With `masked` only the first `live` lanes of the last vector exist."""
    k = VectorFunction(vectors, ProductCall, masked=masked)
    size, columns = vectors.itemsize, range(tile.vectors)
    whole = [not masked or j < tile.vectors - 1 for j in columns]
    a, b, out, bias = (k.pointer(f"%{name}") for name in ("a", "b", "out", "bias"))
    row, step = ("%a_row", size) if tile.layout == "rows" else (size, "%a_step")

    acc, target = _sums(k, tile, out, bias, whole)
    rows = [k.mul(row, i) for i in range(tile.rows)]
    with k.loop(0, "%depth") as s:
        a_step, b_row = k.move(a, k.mul(step, s)), k.move(b, k.mul("%b_step", s))
        if tile.layout == "columns":
            k.prefetch(k.move(a_step, k.mul(step, AHEAD), (tile.rows - 1) * size))
        right = [k.load(k.move(b_row, j * vectors.bytes), whole=whole[j]) for j in columns]
        _multiply_adds(k, acc, [k.move(a_step, offset) for offset in rows], right)

    for (i, j), place in target.items():
        k.store(k.get(acc[i, j]), place, whole=whole[j])
    return k


def _sums(
    k: VectorFunction, tile: Tile, out: str, bias: str, whole: list[bool]
) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """The sums, which start from the bias or from what `out` holds, and where they go."""
    acc, target = {}, {}
    for i in range(tile.rows):
        out_row = k.move(out, k.mul("%out_row", i))
        start = k.splat(k.move(bias, k.mul("%bias_step", i))) if tile.first else ""
        for j in range(tile.vectors):
            target[i, j] = k.move(out_row, j * k.vectors.bytes)
            acc[i, j] = k.variable(start or k.load(target[i, j], whole=whole[j]))
    return acc, target


def _multiply_adds(
    k: VectorFunction, acc: dict[tuple[int, int], str], a: list[str], right: list[str]
) -> None:
    """One k: acc[i, j] += a[i] * b[j]; `a` are places of numbers, `right` are vectors."""
    for i, place in enumerate(a):
        left = k.splat(place)
        for j, vector in enumerate(right):
            k.set(acc[i, j], k.multiply_add(left, vector, k.get(acc[i, j])))


@cache
def _tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return address(product_tile(tile, vectors, masked))


def divide(length: int, pieces: int) -> list[tuple[int, int]]:
    """(start, end) of equal pieces, give or take one: divide(7, 3) = [(0, 3), (3, 5), (5, 7)]."""
    return list(pairwise(-(-length * i // pieces) for i in range(pieces + 1)))


@cache
def tile_shape(rows: int, vectors: int, registers: int) -> tuple[int, int]:
    """(rows, vectors) of the tile that divides a result of `rows` rows and `vectors` vectors of columns best.

    Two multiply-adds start in each cycle and take four, so fewer than eight sums leave units waiting; the
    loads of a step run beside them, two in a cycle too. A tile costs some cycles to begin and to end. Two
    threads share an even number of rows of tiles without a rest.
    """
    shapes = [
        (m, n)
        for m in range(1, min(rows, 24) + 1)
        for n in range(1, min(vectors, 8) + 1)
        if m * n + n + 1 < registers and m * n <= 28
    ]

    def cost(shape: tuple[int, int]) -> float:
        m, heights = shape[0], -(-rows // shape[0])
        heights += heights % 2 if 1 < heights < 32 else 0
        widths = [end - start for start, end in divide(vectors, -(-vectors // shape[1]))]
        return heights * sum(max(m * n, 8, m + n) + 0.15 * m + n + 3 for n in widths)

    return min(shapes, key=cost)


class Plan(NamedTuple):
    """The tiles of a product, in groups that share their rows and a block of columns.

    tiles: [address of a first stretch of k, of a later one, row, rows, column, columns], in the order in
    which they run; group: how many tiles make a group.
    """

    tiles: Array
    group: int


@cache
def product_plan(rows: int, columns: int, depth: int, layout: str, vectors: Vectors) -> Plan:
    """Plan of a result (rows, columns) that sums over `depth` steps."""
    lanes, count = vectors.lanes, -(-columns // vectors.lanes)
    m, n = tile_shape(rows, count, vectors.registers)
    pieces = -(-count // n)
    blocks = -(-pieces // max(1, BLOCK_BYTES // (min(depth, DEPTH) * n * vectors.bytes)))
    group = -(-pieces // blocks)
    if group * blocks > count:
        group, blocks = 1, pieces
    widths = divide(count, group * blocks)
    tiles = []
    for block in range(blocks):
        for i, end in divide(rows, -(-rows // m)):
            for j, stop in widths[block * group : (block + 1) * group]:
                live = min(stop * lanes, columns) - j * lanes
                kinds = [
                    Tile(end - i, stop - j, layout, first)
                    for first in ((True, False) if depth > DEPTH else (True,))
                ]
                addresses = [_tile_address(tile, vectors, live % lanes > 0) for tile in kinds]
                tiles.append((addresses[0], addresses[-1], i, end - i, j * lanes, live))
    return Plan(np.array(tiles, np.int64).reshape(-1, 6), group)
