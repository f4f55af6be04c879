"""The code of Winograd's convolution (winograd.py) on batch-last memory: four functions, a vector being the
same pixel and channel of 16 images.

    once for each thread:        weight_tile    U[t][c, f] = G w G^T            lanes: neighbouring weights
    for a tile of 4x4 outputs, two vectors of images:
                                 input_tile     V[t][c] = B^T d B               for all channels
        for up to 14 filters:    product_tile   M[t][f] = sum over c of U[t][c, f] V[t][c], for all places t
                                 output_tile    y = activation(b + A^T M A)

Between them numbers lie in scratch: in the second-level cache, unless there are many channels
(winograd_deep_loop.py). The product tile is in winograd_product.py.

Pixels outside of the map are known when a tile is written, and left out. Steps within the scratch are numbers
in the code: 36 places that are reached through registers would be 36 registers.
"""

from functools import cache
from functools import partial as bind
from typing import NamedTuple

from ..emit import VectorFunction, Vectors, address, vectors_of
from .winograd import TAPS, matrices
from .winograd_transforms import at, both_ways, column_of, folded, or_zero, rows_in_order

VECTORS = 2  # of images, side by side in the scratch


class Span(NamedTuple):
    """What a tile has of the map along one axis."""

    inputs: tuple[int, ...]  # those of its m + 2 that lie in the map
    outputs: int  # how many of its m


class WeightCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    w: int  # the first of the lanes, at tap (0, 0)
    u: int
    u_place: int
    w_row: int
    w_column: int
    blocks: int  # whole vectors of weights
    live: int  # weights in the one after them


class InputCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    x: int  # the pixel (0, 0) of the tile, which need not exist
    v: int
    channels: int
    blocks: int  # whole vectors of images
    x_row: int
    x_column: int
    x_channel: int
    live: int  # images in the one after them, for a `partial` tile


class OutputCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    m: int
    b: int
    y: int
    filters: int
    blocks: int
    y_row: int
    y_column: int
    y_channel: int
    live: int


def beside(vectors: Vectors) -> int:
    """Bytes from a channel (a filter) to the next in V (in M), whatever the place."""
    return VECTORS * vectors.bytes


def weight_tile(m: int, vectors: Vectors) -> VectorFunction:
    """U = G w G^T of as many (channel, filter) as there are lanes, then the next."""
    k = VectorFunction(vectors, WeightCall)
    g, w0, u0 = matrices(m).g, k.pointer("%w"), k.pointer("%u")
    for step in vectors_of(k, partial=True):
        w, u = k.move(w0, step), k.move(u0, step)
        columns = [  # G w, by column
            rows_in_order(k, g, [k.load(at(k, "w", w, i, j)) for i in range(TAPS)]) for j in range(TAPS)
        ]
        for t in range(m + 2):
            for s, value in enumerate(rows_in_order(k, g, [column[t] for column in columns])):
                k.store(or_zero(k, value), k.move(u, k.mul("%u_place", t * (m + 2) + s)))
    return k


def input_tile(
    m: int, rows: Span, columns: Span, v_place: int, vectors: Vectors, partial: bool
) -> VectorFunction:
    """V = B^T d B of every channel."""
    k = VectorFunction(vectors, InputCall)
    bt, x0, v0 = matrices(m).bt, k.pointer("%x"), k.pointer("%v")
    with k.loop(0, "%channels") as c:
        x_channel, v_channel = k.move(x0, k.mul("%x_channel", c)), k.move(v0, k.mul(beside(vectors), c))
        for step in vectors_of(k, partial):
            x, v = k.move(x_channel, step), k.move(v_channel, step)
            for place, value in both_ways(k, bt, columns.inputs, bind(column_of, k, "x", x, rows.inputs)):
                k.store(value, k.move(v, v_place * place), whole=True)
    return k


def output_tile(
    m: int, rows: int, columns: int, activation: str | None, m_place: int, vectors: Vectors, partial: bool
) -> VectorFunction:
    """y = activation(b + A^T M A) of every filter, as many rows and columns of it as the map has."""
    k = VectorFunction(vectors, OutputCall)
    a_t, m0, b0, y0 = matrices(m).at, k.pointer("%m"), k.pointer("%b"), k.pointer("%y")
    with k.loop(0, "%filters") as f:
        m_filter, y_filter = k.move(m0, k.mul(beside(vectors), f)), k.move(y0, k.mul("%y_channel", f))
        bias = k.splat(k.move(b0, k.mul(vectors.itemsize, f)))
        for step in vectors_of(k, partial):
            source, y = k.move(m_filter, step), k.move(y_filter, step)
            vertical = []  # A^T M, by column
            for s in range(m + 2):
                places = [m_place * (t * (m + 2) + s) for t in range(m + 2)]
                vertical.append(folded(k, a_t, [k.load(k.move(source, p), whole=True) for p in places]))
            for i in range(rows):
                for j, value in enumerate(folded(k, a_t, [column[i] for column in vertical])[:columns]):
                    total = k.add_vectors(or_zero(k, value), bias)
                    result = k.maximum(k.zero, total) if activation == "relu" else total
                    k.store(result, at(k, "y", y, i, j))
    return k


@cache
def weight_address(m: int, vectors: Vectors) -> int:
    return address(weight_tile(m, vectors))


@cache
def input_address(m: int, rows: Span, columns: Span, v_place: int, vectors: Vectors, partial: bool) -> int:
    return address(input_tile(m, rows, columns, v_place, vectors, partial))


@cache
def output_address(
    m: int, rows: int, columns: int, activation: str | None, m_place: int, vectors: Vectors, partial: bool
) -> int:
    return address(output_tile(m, rows, columns, activation, m_place, vectors, partial))
