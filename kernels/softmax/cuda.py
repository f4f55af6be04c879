"""Softmax and cross-entropy on a GPU: launches of the kernels in softmax.cu."""

from typing import Any

from ..common import Array, batch_last, contiguous, empty, in_c_order
from ..cuda import SUMS, Kernel, blocks
from ..elementwise import cast
from .cross_entropy import (
    EPSILON,
    bounds,
    crossentropy,
    crossentropy_grad,
    softmax_crossentropy,
    softmax_crossentropy_grad,
)
from .normalise import MANY, classes_of, softmax, softmax_grad

BLOCK = 32, 8  # columns, and the warps that share their classes

_softmax = Kernel(__file__, "softmax.cu", "softmax", registers=48, numbers=SUMS)
_softmax_grad = Kernel(__file__, "softmax.cu", "softmax_grad", registers=48, numbers=SUMS)
_crossentropy = Kernel(__file__, "softmax.cu", "crossentropy", registers=48, numbers=SUMS)
_crossentropy_grad = Kernel(__file__, "softmax.cu", "crossentropy_grad", registers=48, numbers=SUMS)
_softmax_crossentropy = Kernel(__file__, "softmax.cu", "softmax_crossentropy", registers=48, numbers=SUMS)
_softmax_crossentropy_grad = Kernel(
    __file__, "softmax.cu", "softmax_crossentropy_grad", registers=48, numbers=SUMS
)


def _launch(kernel: Kernel, x: Array, *arguments: Any) -> None:
    """A block for every 32 columns of x (P, C, M): the last argument is its shape."""
    p, c, m = x.shape
    single = SUMS[0] if c <= MANY else SUMS[1]
    numbers = single if x.dtype == "float32" else SUMS[2]
    kernel[(numbers,)]((p * blocks(m, BLOCK[0]),), BLOCK, *arguments, {"c": c, "m": m})


@softmax.implementation("cuda")
def _(x: Array, *, axis: int = -1) -> Array:
    axis = axis % x.ndim
    if axis == 0:  # classes along the batch are not what the kernels are made for
        return softmax["numpy"](x, axis=axis)
    y, columns = empty(x, x.shape), classes_of(x, axis)
    _launch(_softmax, columns, classes_of(y, axis), columns)
    return y


@softmax_grad.implementation("cuda")
def _(g: Array, y: Array, *, axis: int = -1) -> Array:
    axis = axis % y.ndim
    if axis == 0:
        return softmax_grad["numpy"](g, y, axis=axis)
    dx, columns = empty(g, g.shape), classes_of(cast(y, g.dtype), axis)
    _launch(_softmax_grad, columns, classes_of(dx, axis), classes_of(g, axis), columns)
    return dx


def _targets(t: Array, p: Array) -> tuple[Array | None, Array | None]:
    """Rows (C, N) and labels (N,): one of them, as `t` has it."""
    return (None, contiguous(t, "int64")) if t.ndim == 1 else (batch_last(cast(t, p.dtype)), None)


@crossentropy.implementation("cuda")
def _(p: Array, t: Array, *, epsilon: float = EPSILON) -> Array:
    loss, columns = in_c_order(p, p.shape[:1]), classes_of(p, 1)
    _launch(_crossentropy, columns, loss, columns, *_targets(t, p), *bounds(p, epsilon))
    return loss


@crossentropy_grad.implementation("cuda")
def _(g: Array, p: Array, t: Array, *, epsilon: float = EPSILON) -> Array:
    dp, columns = empty(p, p.shape), classes_of(p, 1)
    arrays = classes_of(dp, 1), contiguous(g, p.dtype), columns, *_targets(t, p)
    _launch(_crossentropy_grad, columns, *arrays, *bounds(p, epsilon))
    return dp


@softmax_crossentropy.implementation("cuda")
def _(z: Array, t: Array, *, clip: bool, epsilon: float = EPSILON) -> tuple[Array, Array]:
    loss, p, columns = in_c_order(z, z.shape[:1]), empty(z, z.shape), classes_of(z, 1)
    arrays = loss, classes_of(p, 1), columns, *_targets(t, z)
    _launch(_softmax_crossentropy, columns, *arrays, *bounds(z, epsilon), clip)
    return loss, p


@softmax_crossentropy_grad.implementation("cuda")
def _(g: Array, p: Array, t: Array, *, clip: bool, epsilon: float = EPSILON) -> Array:
    dz, columns = empty(p, p.shape), classes_of(p, 1)
    arrays = classes_of(dz, 1), contiguous(g, p.dtype), columns, *_targets(t, p)
    _launch(_softmax_crossentropy_grad, columns, *arrays, *bounds(p, epsilon), clip)
    return dz
