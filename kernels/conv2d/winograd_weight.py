"""The code of Winograd's weight gradient (winograd.py): dw = G^T [sum over tiles and images of V * (A g A^T)]
G.

    for a tile of the map, two vectors of images:
        input_tile        V[t][c] = B^T d B                  winograd_tiles.py: images in the lanes
        transposing_tile  g of a pixel, its filters side by side for each image         wide.py
        spread_tile       Z[t][n] = A g A^T                  filters in the lanes
        outer_tile        dU[t][c] += sum over n of V[t][c][n] Z[t][n]
    once:
        inverse_tile      dw = G^T (sum of the parts of dU) G

Sums with images in the lanes would be 16 times as many numbers, each with a sum over its lanes at the end. So
g is turned round, before A makes 36 numbers of its 16, and a number of V is loaded into all lanes.

The sums of 32 images stay in registers, and are added to dU then: short chains of additions round less. With
many channels they are up to 128, since dU is large (winograd_weight_deep_loop.py).
"""

from functools import cache
from functools import partial as bind
from typing import NamedTuple

from ..emit import VectorFunction, Vectors, address, vectors_of
from .winograd import TAPS, matrices
from .winograd_transforms import at, both_ways, column_of, folded, or_zero


class SpreadCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    g: int  # turned round: (row, column, image, filter)
    z: int
    vectors: int  # of filters, of all images
    g_row: int
    g_column: int


class OuterCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    v: int
    z: int
    u: int
    places: int
    units: int  # of V and Z, each of so many images
    images: int
    v_unit: int
    v_place: int
    v_channel: int
    z_unit: int
    z_place: int
    z_image: int
    u_place: int
    u_channel: int


class InverseCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    u: int
    dw: int
    parts: int
    u_part: int
    u_place: int
    dw_row: int
    dw_column: int
    blocks: int  # whole vectors of filters
    live: int  # filters in the one after them


def spread_tile(m: int, rows: int, columns: int, z_place: int, vectors: Vectors) -> VectorFunction:
    """Z = A g A^T for one vector of filters after the other; of the tile's m x m, so many rows and columns
    exist.
    """
    k = VectorFunction(vectors, SpreadCall)
    a, g0, z0 = matrices(m).at.T, k.pointer("%g"), k.pointer("%z")
    with k.loop(0, "%vectors") as i:
        g, z = k.move(g0, k.mul(vectors.bytes, i)), k.move(z0, k.mul(vectors.bytes, i))
        for place, value in both_ways(k, a, range(columns), bind(column_of, k, "g", g, range(rows))):
            k.store(value, k.move(z, z_place * place))
    return k


def outer_tile(channels: int, width: int, vectors: Vectors) -> VectorFunction:
    """dU[t][c] += sum over units and n of V[t][c][n] Z[t][n] for so many channels and `width` vectors of
    filters, all places.
    """
    k = VectorFunction(vectors, OuterCall)
    sums = {(c, j): k.variable(k.zero) for c in range(channels) for j in range(width)}
    start = {name: k.pointer(f"%{name}") for name in ("v", "z", "u")}
    with k.loop(0, "%places") as t:
        v_place, z_place, u_place = (k.move(start[name], k.mul(f"%{name}_place", t)) for name in start)
        targets = {(c, j): k.move(u_place, k.mul("%u_channel", c), j * vectors.bytes) for c, j in sums}
        for place, slot in sums.items():
            k.prefetch(targets[place], write=True)
            k.set(slot, k.zero)
        with k.loop(0, "%units") as i, k.loop(0, "%images") as n:
            v = k.move(v_place, k.mul("%v_unit", i), k.mul(vectors.itemsize, n))
            z = k.move(z_place, k.mul("%z_unit", i), k.mul("%z_image", n))
            gradients = [k.load(k.move(z, j * vectors.bytes)) for j in range(width)]
            for c in range(channels):
                pixel = k.splat(k.move(v, k.mul("%v_channel", c)))
                for j in range(width):
                    k.set(sums[c, j], k.multiply_add(pixel, gradients[j], k.get(sums[c, j])))
        for place, slot in sums.items():
            k.store(k.add_vectors(k.load(targets[place]), k.get(slot)), targets[place])
    return k


def inverse_tile(m: int, vectors: Vectors) -> VectorFunction:
    """dw = G^T (sum of the parts of dU) G of one channel, all filters."""
    k = VectorFunction(vectors, InverseCall)
    gt, u0, dw0 = matrices(m).g.T, k.pointer("%u"), k.pointer("%dw")
    totals = [k.variable(k.zero) for _ in range((m + 2) ** 2)]

    for step in vectors_of(k, partial=True):
        u, dw = k.move(u0, step), k.move(dw0, step)
        for slot in totals:
            k.set(slot, k.zero)
        with k.loop(0, "%parts") as part:
            own = k.move(u, k.mul("%u_part", part))
            for t, slot in enumerate(totals):
                number = k.load(k.move(own, k.mul("%u_place", t)), whole=True)
                k.set(slot, k.add_vectors(k.get(slot), number))
        columns = [
            folded(k, gt, [k.get(totals[t * (m + 2) + s]) for t in range(m + 2)]) for s in range(m + 2)
        ]
        for i in range(TAPS):
            for j, value in enumerate(folded(k, gt, [column[i] for column in columns])):
                k.store(or_zero(k, value), at(k, "dw", dw, i, j))
    return k


@cache
def spread_address(m: int, rows: int, columns: int, z_place: int, vectors: Vectors) -> int:
    return address(spread_tile(m, rows, columns, z_place, vectors))


@cache
def outer_address(channels: int, width: int, vectors: Vectors) -> int:
    return address(outer_tile(channels, width, vectors))


@cache
def inverse_address(m: int, vectors: Vectors) -> int:
    return address(inverse_tile(m, vectors))
