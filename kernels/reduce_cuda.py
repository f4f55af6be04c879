"""Sums over axes on a GPU: launches of the kernels in reduce.cu."""

from .common import Array, in_c_order
from .cuda import FLOATS, Kernel, add_parts, blocks, parts_for
from .reduce import Axis, in_double, plan, sum

THREADS = 128
COLUMNS = 32, 8  # lanes, each with a result, and warps

_sum_together = Kernel(__file__, "reduce.cu", "sum_together", registers=64, T=FLOATS)
_sum_columns = Kernel(__file__, "reduce.cu", "sum_columns", registers=64, T=FLOATS)


@sum.implementation("cuda")
def _(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    axes, order, shape, (sizes, places), _ = plan(x.shape, x.strides, x.itemsize, axis)
    if shape is None:
        return in_double(x, axis, keepdims)
    total = _summed(x.transpose(order).reshape(shape), shape)
    shaped = total.reshape(sizes).transpose(places)
    return shaped.reshape([1 if a in axes else n for a, n in enumerate(x.shape)]) if keepdims else shaped


def _summed(x: Array, shape: tuple[int, int, int, int]) -> Array:
    """The sums (A, K) of x (A, R, K, N) in C order."""
    a, r, k, n = shape
    total, fields = in_c_order(x, (a, k)), {"a": a, "r": r, "k": k, "n": n}
    together = n > 1 or k == 1
    width = a * k if together else a * blocks(k, COLUMNS[0])
    parts = parts_for(width, blocks(r * n, 8 * THREADS))
    partial = in_c_order(x, (parts, a, k), "float64") if parts > 1 else None
    kernel, block = (_sum_together, (THREADS,)) if together else (_sum_columns, COLUMNS)
    kernel[x.dtype]((width, parts), block, total, partial, x, fields)
    if partial is not None:
        add_parts(total, partial)
    return total
