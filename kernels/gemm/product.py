"""Runs the tiles of a matrix product (tile.py), shared among the threads: gemm's implementation "tiles"."""

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from .. import batching, common, threads
from ..common import Array, launch, parallel, prange, serial
from ..emit import call_kernel, vectors
from .operations import gemm
from .tile import DEPTH, ProductCall, product_plan

# Where BLAS is faster, see _faster_on_tiles: with fewer columns; with at least so many rows,
# whose columns lie a page apart.
MIN_COLUMNS, MANY_ROWS, PAGE_BYTES = 4, 64, 4096
MIN_TRANSPOSED = 1 << 14  # elements from which a transposition by squares is faster than element by element
# A thread does so many multiply-adds in the time of one element that common.MAX_ELEMENTS_ALONE counts.
MULTIPLY_ADDS_PER_ELEMENT = 8


class Operands(NamedTuple):
    """Where a product out = a @ b + bias reads and writes: addresses, and steps in bytes."""

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
    itemsize: int
    lanes: int
    group: int  # tiles that share their rows


Numbers = tuple[int, ...]  # Operands, as a plain tuple


@gemm.implementation("tiles")
def _(a: Array, b: Array, out: Array | None = None) -> Array:
    fits = isinstance(b, np.ndarray) and fits_tiles(a, b) and _faster_on_tiles(a, b)
    if fits and out is not None:
        fits = out.flags.c_contiguous and out.dtype == a.dtype and out.shape == (a.shape[0], b.shape[1])
    if not fits:
        return gemm["blas"](a, b, out)
    a, b = (a if layout(a) else row_major(a)), row_major(b)
    out = common.aligned((a.shape[0], b.shape[1]), a.dtype) if out is None else out
    multiply(a, b, out)
    return out


def fits_tiles(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the tiles compute a @ b: matrices of one number format, float32 or float64."""
    if not (a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype.kind == "f" and a.itemsize in (4, 8)):
        return False
    return a.shape[1] == b.shape[0] and a.size > 0 and b.size > 0


def _faster_on_tiles(a: np.ndarray, b: np.ndarray) -> bool:
    """What was measured: BLAS first copies b into panels.

    That pays where many rows of a read a b whose rows lie pages apart. Tiles need a copy too, but for another
    reason: a b with the wrong layout; that does not pay for few rows of a. And one column leaves all lanes
    but one idle.
    """
    many, far = a.shape[0] >= MANY_ROWS, b.shape[1] * b.itemsize >= PAGE_BYTES
    if layout(b) == "rows":
        return b.shape[1] >= MIN_COLUMNS and not (many and far)
    return b.shape[1] >= MIN_COLUMNS and many and not far


def explain(a: tuple[int, ...], b: tuple[int, ...], *, dtype: Any = np.float32) -> str:
    """Says what the product of C-ordered a (M, K) and b (K, N) gets, and why."""
    left, right = np.empty(a, dtype), np.empty(b, dtype)
    if not fits_tiles(left, right):
        raise ValueError(f"gemm takes a (M, K) and b (K, N) with numbers in them, got {a} and {b}")
    text = f"gemm {a} @ {b}, {left.dtype} -> {(a[0], b[1])}\n  "
    if _faster_on_tiles(left, right):
        return text + "register tiles: columns of b in the lanes, sums of some rows of a"
    few = f"fewer than {MIN_COLUMNS} columns leave lanes idle"
    far = (
        f"{MANY_ROWS} rows or more read a b whose rows lie {PAGE_BYTES} bytes or more apart; "
        "BLAS copies it together"
    )
    return text + f"BLAS on one thread: {few if b[1] < MIN_COLUMNS else far}"


def layout(a: np.ndarray) -> str | None:
    """Which numbers of `a` lie together: those of its "rows", of its "columns", or None."""
    if a.strides[1] == a.itemsize and a.strides[0] > 0:
        return "rows"
    return "columns" if a.strides[0] == a.itemsize and a.strides[1] > 0 else None


def row_major(a: np.ndarray) -> np.ndarray:
    """`a`, copied if the numbers of a row do not lie together."""
    if layout(a) == "rows":
        return a
    copy = common.aligned(a.shape, a.dtype)
    if a.size >= MIN_TRANSPOSED and a.T.flags.c_contiguous:
        batching.gather(a.T, _all(a.shape[1]), out=copy.T)
    else:
        _copy(copy, a)
    return copy


@cache
def _all(samples: int) -> np.ndarray:
    """The numbers of all samples of a batch, in their order."""
    return np.arange(samples)


def operands(
    a: np.ndarray, b: np.ndarray, out: np.ndarray, bias: np.ndarray | None = None
) -> tuple[Array, Numbers]:
    """Tiles and Operands of out = a @ b + bias[:, None]; b and out have layout "rows", a any,
    bias (M,) lies together.
    """
    v = vectors(a.dtype)
    form = layout(a)
    assert form is not None
    tiles, group = product_plan(a.shape[0], b.shape[1], a.shape[1], form, v)
    start, bias_step = (_zero(a.dtype), 0) if bias is None else (bias, a.itemsize)
    numbers = Operands(
        a=common.address(a),
        b=common.address(b),
        out=common.address(out),
        bias=common.address(start),
        depth=a.shape[1],
        a_row=a.strides[0],
        a_step=a.strides[1],
        b_step=b.strides[0],
        out_row=out.strides[0],
        bias_step=bias_step,
        itemsize=v.itemsize,
        lanes=v.lanes,
        group=group,
    )
    return tiles, tuple(numbers)


# tiles and operands of no product
NOTHING = (np.zeros((0, 6), np.int64), tuple(Operands(*[0] * 13)._replace(group=1)))


@cache
def _zero(dtype: np.dtype) -> np.ndarray:
    return np.zeros(1, dtype)


def parts_of(multiply_adds: int) -> int:
    """Into how many parts to divide that much work: one for each thread,
    unless it is done before another one is awake.
    """
    return (
        1
        if multiply_adds <= MULTIPLY_ADDS_PER_ELEMENT * common.MAX_ELEMENTS_ALONE
        else threads.get_num_threads()
    )


def launch_parts(alone: Any, shared: Any, parts: int, *arguments: Any) -> None:
    """Launches `alone` if there is one part, else `shared`, which divides its work into `parts`."""
    if parts == 1:
        launch(alone, *arguments)
    else:
        launch(shared.compiled, *arguments, parts, alone=False)


def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out = a @ b on tiles."""
    launch_parts(_run_alone, _run, parts_of(a.size * b.shape[1]), *operands(a, b, out))


@serial
def run_part(tiles, operands, part, parts, b_copy):
    """Runs one of `parts` parts of the tiles, stretch by stretch of k:
    what a stretch reads of b stays in the cache.

    Every number is summed in one order whatever the parts, so there may be one for each thread. Each part may
    read a copy of b of its own: they lie `b_copy` bytes apart.
    """
    at = Operands(*operands)
    first, end = part_of(tiles.shape[0] // at.group, part, parts)
    for k in range(0, at.depth, DEPTH):
        for t in range(first * at.group, end * at.group):
            row, column = tiles[t, 2], tiles[t, 4]
            call_kernel(
                tiles[t, min(k, 1)],
                ProductCall(
                    a=at.a + row * at.a_row + k * at.a_step,
                    b=at.b + part * b_copy + column * at.itemsize + k * at.b_step,
                    out=at.out + row * at.out_row + column * at.itemsize,
                    bias=at.bias + row * at.bias_step,
                    depth=min(DEPTH, at.depth - k),
                    a_row=at.a_row,
                    a_step=at.a_step,
                    b_step=at.b_step,
                    out_row=at.out_row,
                    bias_step=at.bias_step,
                    live=tiles[t, 5] % at.lanes,
                ),
            )


@serial
def part_of(length, part, parts):
    """Where part number `part` of `parts` equal parts begins and ends."""
    return length * part // parts, length * (part + 1) // parts


@serial
def _run_alone(tiles, operands):
    run_part(tiles, operands, 0, 1, 0)


@partial(parallel, by_size=False)
def _run(tiles, operands, parts):
    for part in prange(parts):
        run_part(tiles, operands, part, parts, 0)


@parallel
def _copy(out, x):
    """out = x, sixteen rows at a time: where a column of x lies together, that is a cache line."""
    for block in prange((out.shape[0] + 15) // 16):
        for j in range(out.shape[1]):
            for i in range(16 * block, min(16 * block + 16, out.shape[0])):
                out[i, j] = x[i, j]
