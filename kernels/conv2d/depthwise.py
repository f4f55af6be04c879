"""The weight gradient of a depthwise convolution: every group has one channel.

    for each group, each vector of images:
        acc[group, kh, kw] += g[row, column j, f] * x[row(kh), column(j, kw), group]
            for some columns j of one output row
    dw[kh, kw, 0, f] = sum of the lanes of acc[group, kh, kw]

With one channel and one filter, few products are made of each number that is read. So a tile takes some
columns at once, whose windows overlap: seven columns of a 3x3 kernel read 27 pixels for 63 products. And the
groups are the inner loop, because the channels of a pixel are neighbours in memory: a tile that went over the
map for one channel, then for the next, met a new memory page at each pixel and took three times as long. The
sums, a vector for each weight, wait in memory meanwhile.
"""

from functools import cache
from typing import NamedTuple

from ..emit import Value, VectorFunction, Vectors
from ..emit import address as compiled
from .geometry import Pair


class Tile(NamedTuple):
    """What a tile is made for: the kernel rows that meet the map,
    and for each column of output the kernel columns.
    """

    rows: Pair
    columns: tuple[Pair, ...]
    kernel_width: int
    stride: int
    dilation: int

    def place(self, kh: int, kw: int) -> int:
        """The number of a tap."""
        return kh * self.kernel_width + kw


class DepthwiseCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes."""

    x: int
    g: int
    acc: int
    blocks: int  # vectors of images
    groups: int
    x_row: int  # from tap to tap
    x_column: int
    x_group: int
    g_column: int
    g_group: int
    acc_group: int
    live: int  # images of the vector at the end


def depthwise_tile(tile: Tile, vectors: Vectors, masked: bool) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, DepthwiseCall, masked=masked)
    products = _products(tile)
    sums = {(kh, kw): k.variable(k.zero) for kh in range(*tile.rows) for kw in _taps(products)}
    start = {name: k.pointer(f"%{name}") for name in ("x", "g", "acc")}
    columns = {i: k.mul("%x_column", i) for i in products}
    upstream_at = [k.mul("%g_column", j) for j in range(len(tile.columns))]
    with k.loop(0, "%groups") as group:
        x, g, acc = (k.move(start[name], k.mul(f"%{name}_group", group)) for name in start)
        places = {(kh, kw): k.move(acc, tile.place(kh, kw) * vectors.bytes) for kh, kw in sums}
        for tap, slot in sums.items():
            k.set(slot, k.load(places[tap], whole=True))
        with k.loop(0, "%blocks") as block:
            step = k.mul(vectors.bytes, block)
            g_block, x_block = k.move(g, step), k.move(x, step)
            upstream = [k.load(k.move(g_block, offset)) for offset in upstream_at]
            for kh in range(*tile.rows):
                row = k.move(x_block, k.mul("%x_row", kh))
                own_sums = {kw: slot for (own_kh, kw), slot in sums.items() if own_kh == kh}
                _multiply_adds(k, own_sums, row, columns, products, upstream)
        for tap, slot in sums.items():
            k.store(k.get(slot), places[tap], whole=True)
    return k


def _taps(products: dict[int, list[Pair]]) -> list[int]:
    """The kernel columns that products are made with."""
    return sorted({kw for pairs in products.values() for _, kw in pairs})


def _multiply_adds(
    k: VectorFunction,
    sums: dict[int, str],
    row: str,
    columns: dict[int, Value],
    products: dict[int, list[Pair]],
    g: list[str],
) -> None:
    """One kernel row: every pixel is loaded once."""
    for i, pairs in products.items():
        pixel = k.load(k.move(row, columns[i]))
        for j, kw in pairs:
            k.set(sums[kw], k.multiply_add(g[j], pixel, k.get(sums[kw])))


def _products(tile: Tile) -> dict[int, list[Pair]]:
    """Input columns that are read, counted from the one under tap 0 of the first output,
    and the products made of each.
    """
    products: dict[int, list[Pair]] = {}
    for j, taps in enumerate(tile.columns):
        for kw in range(*taps):
            products.setdefault(j * tile.stride + kw * tile.dilation, []).append((j, kw))
    return dict(sorted(products.items()))


@cache
def tile_address(tile: Tile, vectors: Vectors, masked: bool) -> int:
    return compiled(depthwise_tile(tile, vectors, masked))
