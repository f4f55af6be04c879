"""Layer, group and RMS normalisation on a GPU: launches of the kernels in group_norm.cu."""

import math

from .common import Array, batch_last, contiguous, empty, in_c_order
from .cuda import FLOATS, Kernel, blocks
from .elementwise import cast
from .group_norm import Axes, blocks_of, group_norm, group_norm_grad, groups_of, kept

LANES, WARPS = 32, 8
THREADS = 128

_group_norm = Kernel(__file__, "group_norm.cu", "group_norm", registers=64, T=FLOATS)
_group_norm_grad = Kernel(__file__, "group_norm.cu", "group_norm_grad", registers=64, T=FLOATS)
_factor_grads = Kernel(__file__, "group_norm.cu", "factor_grads", registers=48, T=FLOATS)


def _fields(shape: tuple[int, ...]) -> dict[str, int]:
    """The sizes (kept, reduced, kept, reduced, N) as group_norm.cu names them."""
    return dict(zip(("a", "r", "k", "s", "n"), shape, strict=True))


def _grid(shape: tuple[int, ...]) -> tuple[int]:
    """A block for each group and 32 samples."""
    groups, samples = groups_of(shape)
    return (groups * blocks(samples, LANES),)


def _spread(factor: Array, x: Array) -> Array:
    """gamma or beta, one number for each feature of x: itself, if it is that, as in Dense nets."""
    if getattr(factor, "size", 0) == math.prod(x.shape[1:]):
        return contiguous(factor, x.dtype)
    full = in_c_order(x, x.shape[1:])
    full[...] = factor
    return full


@group_norm.implementation("cuda")
def _(
    x: Array, gamma: Array, beta: Array, *, axes: Axes, epsilon: float, centred: bool = True
) -> tuple[Array, ...]:
    shape = blocks_of(x.shape, axes)
    if shape is None:
        return group_norm["numpy"](x, gamma, beta, axes=axes, epsilon=epsilon, centred=centred)
    y, statistics = empty(x, x.shape), in_c_order(x, (2, *groups_of(shape)))
    mean, var = statistics[0], statistics[1]
    arrays = batch_last(y), mean, var, batch_last(x), _spread(gamma, x), _spread(beta, x)
    _group_norm[x.dtype](_grid(shape), (LANES, WARPS), *arrays, epsilon, centred, _fields(shape))
    return y, kept(mean, x.shape, axes), kept(var, x.shape, axes)


@group_norm_grad.implementation("cuda")
def _(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array,
    *, axes: Axes, epsilon: float, centred: bool = True,
) -> tuple[Array, ...]:  # fmt: skip
    shape = blocks_of(x.shape, axes)
    if shape is None:
        return group_norm_grad["numpy"](g, x, gamma, mean, var, axes=axes, epsilon=epsilon, centred=centred)
    features = math.prod(x.shape[1:])
    dx, factors = empty(x, x.shape), in_c_order(x, (2, *x.shape[1:]))
    gradient, numbers = batch_last(cast(g, x.dtype)), batch_last(x)
    statistics = [batch_last(cast(one, x.dtype)).reshape(groups_of(shape)) for one in (mean, var)]
    arrays = batch_last(dx), gradient, numbers, _spread(gamma, x), *statistics
    _group_norm_grad[x.dtype](_grid(shape), (LANES, WARPS), *arrays, epsilon, centred, _fields(shape))
    arrays = factors, gradient, numbers, *statistics
    _factor_grads[x.dtype]((features,), (THREADS,), *arrays, epsilon, _fields(shape))
    return dx, factors[0], factors[1]
