"""Numbers that a step on a GPU carries on to the next one, and hits: launches of the kernels in running.cu.

Each takes the place of several array expressions, whose launches cost more than their work. On a CPU, Python
and loops beside their callers do the same: batch_norm.py, and mean.py of tinynet.
"""

from .common import Array, batch_last, contiguous, in_c_order
from .cuda import FLOATS, TYPES, Kernel, blocks

THREADS = 256

_follow = Kernel(__file__, "running.cu", "follow", T=FLOATS)
_take_in = Kernel(__file__, "running.cu", "take_in", T=FLOATS)
_hits = Kernel(__file__, "running.cu", "hits", registers=56, T=FLOATS)


def follow(moving_mean: Array, moving_var: Array, mean: Array, var: Array, momentum: float) -> None:
    """moving <- momentum moving + (1 - momentum) batch, in place; all (C,), the former in C order."""
    dtype, grid = moving_mean.dtype, (blocks(mean.size, THREADS),)
    batch = contiguous(mean, dtype), contiguous(var, dtype)
    _follow[dtype](grid, (THREADS,), moving_mean, moving_var, *batch, momentum, 1 - momentum, mean.size)


def takes(total: Array, count: Array, values: Array) -> bool:
    """Whether `take_in` is made for these: floats, added up in double precision."""
    doubles = TYPES.get(total.dtype) == TYPES.get(count.dtype) == "double"
    return doubles and TYPES.get(values.dtype) in FLOATS


def take_in(total: Array, count: Array, values: Array, weight: Array | float = 1.0) -> None:
    """total += sum of w v, count += sum of w, in place; values (N,) or (), weight (N,) or one for all."""
    weights, same = (
        (None, weight) if isinstance(weight, int | float) else (contiguous(weight, values.dtype), 0.0)
    )
    arrays = total, count, contiguous(values), weights
    _take_in[values.dtype]((1,), (THREADS,), *arrays, same, values.size)


def hits(labels: Array, p: Array) -> Array:
    """1 where the largest of p's row (the first of equals) is the label; labels (N,), p (N, C) -> (N,)."""
    y, (n, classes) = in_c_order(p, (len(p),)), p.shape
    arrays = y, batch_last(p), contiguous(labels, "int64")
    _hits[p.dtype]((blocks(n, THREADS),), (THREADS,), *arrays, classes, n)
    return y
