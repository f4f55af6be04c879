"""Images of another size on a GPU: launches of the kernel in resize.cu, forward and backward."""

from typing import Any

from .common import Array, batch_last, empty
from .constants import constant
from .cuda import FLOATS, Kernel, blocks
from .resize import Pair, resize, resize_grad, typed

THREADS = 128

_weighted_rows = Kernel(__file__, "resize.cu", "weighted_rows", registers=56, T=FLOATS)


@resize.implementation("cuda")
def _(x: Array, *, size: Pair, method: str) -> Array:
    return _resample(x, False, size, zip(x.shape[1:3], size, strict=True), method)


@resize_grad.implementation("cuda")
def _(g: Array, *, input_size: Pair, method: str) -> Array:
    return _resample(g, True, input_size, zip(input_size, g.shape[1:3], strict=True), method)


def _resample(x: Array, backwards: bool, size: Pair, sizes: Any, method: str) -> Array:
    """`x` with `size` pixels, by the tables of its axes; sizes: of each axis, small and enlarged."""
    y, m = empty(x, (x.shape[0], *size, x.shape[3])), x.shape[0] * x.shape[3]
    tables: list[Array] = []
    for small, enlarged in sizes:
        given = backwards, small, enlarged, method, x.dtype
        tables += [constant(x, _positions, *given), constant(x, _weights, *given)]
    taps = {"row_taps": tables[0].shape[1], "column_taps": tables[2].shape[1]}
    numbers = {"columns": size[1], "in_columns": x.shape[2], "m": m, **taps}
    grid = size[0] * size[1], blocks(m, THREADS)
    _weighted_rows[x.dtype](grid, (THREADS,), batch_last(y), batch_last(x), *tables, numbers)
    return y


def _positions(*given: Any) -> Any:
    return typed(*given)[0]


def _weights(*given: Any) -> Any:
    return typed(*given)[1]
