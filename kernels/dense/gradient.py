"""The tile that takes a gradient through the activation: dz = g f'(z),
from the output y, for as many units as there are lanes.

It reads g and y (units, N) once and writes dz in both orders that the gradients of x and W read, with the
gradient of the bias: the transposed dz (N, units) has one unit in each lane, so its sum over the samples is a
plain sum of vectors.

    for each vector of samples:
        dz[i] = g[i] f'(z[i])                       for the units i of the tile
        dzt = the square of units and samples, transposed in registers
        db += sum of the rows of dzt
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from ..activations.rectifiers import SELU_ALPHA, SELU_SCALE
from ..common import Array
from ..emit import VectorFunction, Vectors, address


class GradientCall(NamedTuple):
    """What a tile is called with: addresses, counts, and steps in bytes.
    dzt and db are padded to whole vectors.
    """

    g: int
    y: int
    dz: int
    dzt: int
    db: int
    samples: int
    blocks: int  # vectors of samples
    g_row: int
    y_row: int
    dz_row: int
    dzt_row: int


def gradient_tile(units: int, activation: str | None, vectors: Vectors) -> VectorFunction:
    """Writes the tile."""
    k = VectorFunction(vectors, GradientCall)
    g, y, dz, dzt, db = (k.pointer(f"%{name}") for name in ("g", "y", "dz", "dzt", "db"))
    total = k.variable(k.zero)
    with k.loop(0, "%blocks") as block:
        k.limit(k.add("%samples", k.mul(block, -vectors.lanes)))
        first = k.mul(block, vectors.bytes)
        square = [k.zero] * vectors.lanes
        for i in range(units):
            square[i] = k.load(k.move(g, k.mul("%g_row", i), first))
            if activation is not None:
                output = k.load(k.move(y, k.mul("%y_row", i), first))
                square[i] = _derivative(k, activation, square[i], output)
                k.store(square[i], k.move(dz, k.mul("%dz_row", i), first))
        rows = k.transpose(square)
        for n, row in enumerate(rows):
            k.store(
                row,
                k.move(dzt, k.mul(k.mul("%dzt_row", vectors.lanes), block), k.mul("%dzt_row", n)),
                whole=True,
            )
        k.set(total, k.add_vectors(k.get(total), _sum(k, rows)))
    k.store(k.get(total), db, whole=True)
    return k


def _derivative(k: VectorFunction, activation: str, g: str, y: str) -> str:
    """g f'(z) where y = f(z), by the formulas of kernels/activations."""
    one = k.constant(1.0)
    if activation == "relu":
        return k.where_positive(y, g, k.zero)
    if activation in ("elu", "selu"):
        scale, alpha = (
            k.constant(c) for c in ((1.0, 1.0) if activation == "elu" else (SELU_SCALE, SELU_ALPHA))
        )
        return k.multiply_vectors(
            g, k.where_positive(y, scale, k.add_vectors(y, k.multiply_vectors(scale, alpha)))
        )
    if activation == "sigmoid":
        return k.multiply_vectors(k.multiply_vectors(g, y), k.subtract_vectors(one, y))
    assert activation == "tanh", activation
    return k.multiply_vectors(g, k.multiply_vectors(k.subtract_vectors(one, y), k.add_vectors(one, y)))


def _sum(k: VectorFunction, values: list[str]) -> str:
    """Sum of vectors, pairwise."""
    while len(values) > 1:
        values = [k.add_vectors(a, b) for a, b in zip(values[0::2], values[1::2], strict=True)]
    return values[0]


@cache
def gradient_plan(units: int, activation: str | None, vectors: Vectors) -> Array:
    """The tiles: [address, first unit]."""
    starts = range(0, units, vectors.lanes)
    tiles = [(_tile_address(min(vectors.lanes, units - i), activation, vectors), i) for i in starts]
    return np.array(tiles, np.int64)


@cache
def _tile_address(units: int, activation: str | None, vectors: Vectors) -> int:
    return address(gradient_tile(units, activation, vectors))
