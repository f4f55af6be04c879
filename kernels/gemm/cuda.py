"""Matrix products on a GPU: launches of the kernel in gemm.cu.

cuBLAS, which CuPy's matmul is, may choose another algorithm from call to call, and cannot be part of a CUDA
graph. So products of floats always run here: the same bits run after run, in a graph and without one.
"""

import math

import numpy as np

from ..common import Array, contiguous, in_c_order, xp
from ..cuda import FLOATS, PLACES, Kernel, add_parts, blocks, parts_for
from ..elementwise import cast
from .operations import gemm

SIDE = 16  # threads of a block, down and across
STEPS = 64  # of k, that are worth a part of their own
TILES = (8, 8), (4, 4), (1, 4), (4, 1)  # rows and columns of a thread
MANY = PLACES // 2  # blocks of 256 threads that keep a large GPU busy

_product = Kernel(__file__, "gemm.cu", "product", registers=128, T=FLOATS, tile=TILES)


def tile_for(m: int, n: int, batch: int) -> tuple[int, int]:
    """The tile that costs least; the largest one only where there is one for each place of a GPU."""

    def cost(tile: tuple[int, int]) -> int:  # multiply-adds, and loads
        rows, columns = tile
        return _count(tile, m, n) * (rows * columns + rows + columns)

    return min(TILES if batch * _count(TILES[0], m, n) >= MANY else TILES[1:], key=cost)


def _count(tile: tuple[int, int], m: int, n: int) -> int:
    """Tiles of a product (m, n)."""
    return blocks(m, SIDE * tile[0]) * blocks(n, SIDE * tile[1])


@gemm.implementation("cuda")
def _(a: Array, b: Array, out: Array | None = None) -> Array:
    dtype = np.result_type(a.dtype, b.dtype)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2] or dtype.char not in "fd":
        return gemm["blas"](a, b, out)  # which says what is wrong
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = in_c_order(a, (*lead, a.shape[-2], b.shape[-1]), dtype)
    if out is not None and out.shape != y.shape:
        raise ValueError(f"gemm: expected an output of shape {y.shape}, got {out.shape}")
    multiply(y, cast(a, dtype), cast(b, dtype))
    if out is None:
        return y
    out[...] = y
    return out


def multiply(out: Array, a: Array, b: Array, tile: tuple[int, int] | None = None) -> None:
    """out = a b; out (..., M, N) in C order, a (..., M, K) and b (..., K, N) of its format, in any order."""
    *lead, m, n = out.shape
    batch, k = math.prod(lead), a.shape[-1]
    (a, a_deep, a_batch), (b, b_turned, b_batch) = (_operand(x, tuple(lead)) for x in (a, b))
    tile = tile_for(m, n, batch) if tile is None else tile
    tiles = batch * _count(tile, m, n)
    parts = parts_for(2 * tiles, blocks(k, STEPS))  # a block takes two places
    partial = out if parts == 1 else in_c_order(out, (parts, *out.shape))
    sizes = {"m": m, "n": n, "k": k, "a_batch": a_batch, "b_batch": b_batch}
    numbers = {**sizes, "a_deep": a_deep, "b_deep": not b_turned}
    _product[out.dtype, tile]((tiles, parts), (SIDE, SIDE), partial, a, b, numbers)
    if parts > 1:
        add_parts(out, partial)


def _operand(x: Array, lead: tuple[int, ...]) -> tuple[Array, bool, int]:
    """A matrix for each product, in C order or with turned matrices; whether a row's numbers are neighbours,
    not a column's; how many numbers lie between one product's matrix and the next one's.
    """
    if math.prod(x.shape[:-2]) == 1:
        lead, step = (), 0  # all have the same
        x = x.reshape(x.shape[-2:])
    else:
        step = x.shape[-2] * x.shape[-1]
        x = x if x.shape[:-2] == lead else xp(x).broadcast_to(x, (*lead, *x.shape[-2:]))
    turned = x.swapaxes(-1, -2)
    if turned.flags.c_contiguous and not x.flags.c_contiguous:
        return turned, False, step
    return contiguous(x), True, step
