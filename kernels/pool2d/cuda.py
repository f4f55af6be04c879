"""Pooling on a GPU: launches of the kernels in pool2d.cu."""

from typing import Any

from ..common import Array, batch_last, empty
from ..cuda import FLOATS, Kernel, blocks
from ..elementwise import cast
from .average_pool import average_pool2d, average_pool2d_grad
from .max_pool import index_dtype, max_pool2d, max_pool2d_grad
from .max_pool_gather import max_pool2d_gather
from .windows import Padding, Pair, output_size

INDICES = ("uint8", "int")
THREADS = 128

_max_pool = Kernel(__file__, "pool2d.cu", "max_pool", registers=56, T=FLOATS, I=INDICES)
_max_pool_grad = Kernel(__file__, "pool2d.cu", "max_pool_grad", registers=56, T=FLOATS, I=INDICES)
_max_pool_gather = Kernel(__file__, "pool2d.cu", "max_pool_gather", registers=56, T=FLOATS, I=INDICES)
_average_pool = Kernel(__file__, "pool2d.cu", "average_pool", registers=56, T=FLOATS)
_average_pool_grad = Kernel(__file__, "pool2d.cu", "average_pool_grad", registers=56, T=FLOATS)


@max_pool2d.implementation("cuda")
def _(x: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> tuple[Array, Array]:
    out = output_size(x.shape[1:3], pool_size, strides, padding)
    shape = x.shape[0], *out, x.shape[3]
    y, index = empty(x, shape), empty(x, shape, index_dtype(pool_size))
    _launch(_max_pool[x.dtype, index.dtype], (y, index, x), x, y, (pool_size, strides, padding))
    return y, index


@max_pool2d_grad.implementation("cuda")
def _(g: Array, index: Array, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    dx, index = empty(g, (g.shape[0], *input_size, g.shape[3])), cast(index, index_dtype(pool_size))
    _launch(_max_pool_grad[g.dtype, index.dtype], (dx, g, index), dx, g, (pool_size, strides, padding))
    return dx


@max_pool2d_gather.implementation("cuda")
def _(x: Array, index: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    y, index = empty(x, index.shape), cast(index, index_dtype(pool_size))
    _launch(_max_pool_gather[x.dtype, index.dtype], (y, x, index), x, y, (pool_size, strides, padding))
    return y


@average_pool2d.implementation("cuda")
def _(x: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    y = empty(x, (x.shape[0], *output_size(x.shape[1:3], pool_size, strides, padding), x.shape[3]))
    _launch(_average_pool[x.dtype], (y, x), x, y, (pool_size, strides, padding))
    return y


@average_pool2d_grad.implementation("cuda")
def _(g: Array, *, input_size: Pair, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    dx = empty(g, (g.shape[0], *input_size, g.shape[3]))
    _launch(_average_pool_grad[g.dtype], (dx, g), dx, g, (pool_size, strides, padding))
    return dx


def _launch(
    kernel: Any, arrays: tuple[Array, ...], image: Array, pooled: Array, static: tuple[Pair, Pair, Padding]
) -> None:
    """A thread for each element of the result, which is the first of `arrays`; all are (N, H, W, C)."""
    (n, h, w, c), (oh, ow), (window, strides, padding) = image.shape, pooled.shape[1:3], static
    sizes = {"h": h, "w": w, "oh": oh, "ow": ow, "m": c * n, "kh": window[0], "kw": window[1]}
    steps = {"sh": strides[0], "sw": strides[1], "top": padding[0][0], "left": padding[1][0]}
    pixels = arrays[0].shape[1] * arrays[0].shape[2]
    grid = (pixels * blocks(c * n, THREADS),)
    kernel(grid, (THREADS,), *[batch_last(a) for a in arrays], {**sizes, **steps})
