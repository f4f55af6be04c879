"""Affine warps: images turned, shifted, zoomed, sheared, mirrored,
each by a map of its own from output to input.

    y[n, i, j, c] = x[n, v, u, c]   at   u = a0 j + a1 i + a2,   v = b0 j + b1 i + b2,
                                    maps[n] = (a0, a1, a2, b0, b1, b2)

Between four cells the value is bilinear, or that of the nearest one (half to even). Coordinates are float64
whatever the images are. What lies behind the border, for a row of cells a b c d:

    reflect    d c b a | a b c d | d c b a
    nearest    a a a a | a b c d | d d d d
    wrap       a b c d | a b c d | a b c d
    constant   k k k k | a b c d | k k k k, and between d and k a mixture
    cut        k wherever u or v is outside, without a mixture
    overlap    b c d b c d: wrap with a and d as one cell

`gather_warped` is the batch writer (batching.py) with a warp in it: it reads samples of a data set and writes
them turned, cast, scaled and in batch-last memory, in one launch.

G. Wolberg, "Digital image warping", IEEE Computer Society Press, 1990, chapters 3 and 5.
"""

from functools import cache
from typing import Any

import numpy as np

from . import common
from .common import Array, contiguous, empty, launch, operation, xp
from .constants import constant
from .warp_loops import CONSTANT, CUT, NEAREST, OVERLAP, REFLECT, WRAP, Grid, scatter_images, warp_images

FILL_MODES = {
    "reflect": REFLECT, "constant": CONSTANT, "wrap": WRAP, "nearest": NEAREST, "cut": CUT,
    "overlap": OVERLAP,
}  # fmt: skip
INTERPOLATIONS = ("nearest", "bilinear")


@operation("numpy", family="warp")
def warp(
    x: Array,
    maps: Array,
    *,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> Array:
    """x (N, H, W, C), maps (N, 6) -> y as x."""
    xp_, sample = xp(x), xp(x).arange(len(x))[:, None, None]
    (h0, h1, wy), (w0, w1, wx), outside = _neighbours(xp_, maps, x.shape[1:3], fill_mode, interpolation)
    wy, wx = wy[..., None].astype(x.dtype), wx[..., None].astype(x.dtype)

    fill = constant(x, np.asarray, fill_value, x.dtype)

    def cell(h: Array, w: Array) -> Array:
        known = ((h >= 0) & (w >= 0))[..., None]
        return xp_.where(known, x[sample, xp_.maximum(h, 0), xp_.maximum(w, 0)], fill)

    top, bottom = cell(h0, w0), cell(h1, w0)
    top, bottom = top + wx * (cell(h0, w1) - top), bottom + wx * (cell(h1, w1) - bottom)
    mixed = top + wy * (bottom - top) if interpolation == "bilinear" else cell(h0, w0)
    return xp_.where(outside[..., None], fill, mixed)


@warp.implementation("numba")
def _(
    x: np.ndarray,
    maps: np.ndarray,
    *,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> np.ndarray:
    y, factors = empty(x, x.shape), (_filled(x.shape[3], 1.0, x.dtype), _filled(x.shape[3], 0.0, x.dtype))
    _launch_warp(y, x, _all_of(len(x)), maps, factors, (fill_mode, interpolation, fill_value))
    return y


def _launch_warp(
    y: np.ndarray,
    x: np.ndarray,
    index: np.ndarray,
    maps: np.ndarray,
    factors: tuple[np.ndarray, np.ndarray],
    how: tuple[str, str, float],
) -> None:
    """y[n] = x[index[n]] under maps[n], scaled by factors."""
    fill_mode, interpolation, fill_value = how
    rows, columns = x.shape[1:3]
    grid = Grid(rows, columns, samples=len(x), mode=FILL_MODES[fill_mode], linear=interpolation == "bilinear")
    fill, loop = _filled(1, float(fill_value), y.dtype), warp_images.compiled  # type: ignore[attr-defined]
    launch(loop, *_memory(y), *_memory(x), tuple(grid), index, maps, *factors, fill, alone=_is_small(y))


@operation("numpy", family="warp")
def warp_grad(g: Array, maps: Array, *, fill_mode: str = "reflect", interpolation: str = "bilinear") -> Array:
    """dx for the gradient g (N, H, W, C) of y: the adjoint of warp,
    which shares every g among the cells it was made of.
    """
    xp_, sample = xp(g), xp(g).arange(len(g))[:, None, None]
    (h0, h1, wy), (w0, w1, wx), outside = _neighbours(xp_, maps, g.shape[1:3], fill_mode, interpolation)
    dx = empty(g, g.shape)
    dx[...] = 0
    for h, vertical in ((h0, 1 - wy), (h1, wy)):
        for w, horizontal in ((w0, 1 - wx), (w1, wx)):
            weight = xp_.where((h >= 0) & (w >= 0) & ~outside, vertical * horizontal, 0.0)[..., None].astype(
                g.dtype
            )
            xp_.add.at(dx, (sample, xp_.maximum(h, 0), xp_.maximum(w, 0)), weight * g)
    return dx


@warp_grad.implementation("numba")
def _(
    g: np.ndarray, maps: np.ndarray, *, fill_mode: str = "reflect", interpolation: str = "bilinear"
) -> np.ndarray:
    dx, settings = empty(g, g.shape), (FILL_MODES[fill_mode], interpolation == "bilinear")
    loop, flat = scatter_images.compiled, _memory(dx)  # type: ignore[attr-defined]
    launch(np.copyto, flat[0], 0)
    launch(loop, *flat, *_memory(g), g.shape[1:], maps, *settings, alone=_is_small(g))
    return dx


def gather_warped(
    data: np.ndarray,
    index: np.ndarray,
    maps: np.ndarray,
    *,
    fill_mode: str = "nearest",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
    scale: Any = 1.0,
    offset: Any = 0.0,
    dtype: Any = np.float32,
    channels_first: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Samples data[index] warped, as `dtype`, times scale, plus offset; in `out` or in new batch-last memory.

    data (M, H, W, C) or channels first, of any number format; index (N,);
    maps (N, 6); scale and offset: a number, or (C,).
    """
    out = empty(data, (len(index), *data.shape[1:]), dtype) if out is None else out
    images, result = (x.transpose(0, 2, 3, 1) if channels_first else x for x in (data, out))
    factors = (
        _per_channel(scale, result.shape[3], out.dtype),
        _per_channel(offset, result.shape[3], out.dtype),
    )
    _launch_warp(
        result, images, np.asarray(index, np.int64), maps, factors, (fill_mode, interpolation, fill_value)
    )
    return out


def _neighbours(
    xp_: Any, maps: Array, sizes: tuple[int, int], fill_mode: str, interpolation: str
) -> tuple[Any, Any, Any]:
    """The rows and the columns of the cells around each pixel,
    (before, behind, weight) (N, H, W), and what is cut off.
    """
    maps = xp_.asarray(maps)[:, :, None, None]
    i, j = xp_.arange(sizes[0])[:, None], xp_.arange(sizes[1])
    places = [maps[:, k] * j + (maps[:, k + 1] * i + maps[:, k + 2]) for k in (3, 0)]  # v, u
    outside = xp_.zeros(places[0].shape, bool)
    found = []
    for x, size in zip(places, sizes, strict=True):
        if fill_mode == "cut":
            outside = outside | (x < 0) | (x > size - 1)
        if fill_mode == "overlap":
            ring = max(size - 1, 1)
            x = xp_.where(x < 0, x + ring * (xp_.floor(-x / ring) + 1), x)
            x = xp_.minimum(xp_.where(x > size - 1, x - ring * xp_.floor(x / ring), x), size - 1.0)
        first = xp_.floor(x) if interpolation == "bilinear" else xp_.rint(x)
        weight = x - first if interpolation == "bilinear" else xp_.zeros(x.shape)
        behind = first + 1 if interpolation == "bilinear" else first
        found.append((_inside(xp_, first, size, fill_mode), _inside(xp_, behind, size, fill_mode), weight))
    return found[0], found[1], outside


def _inside(xp_: Any, k: Array, size: int, fill_mode: str) -> Array:
    """The cells that stand for cells k of an axis, which may lie outside; -1 for the fill value."""
    k = k.astype(xp_.int64)
    if fill_mode == "constant":
        return xp_.where((k >= 0) & (k < size), k, -1)
    if fill_mode == "reflect":
        k = k % (2 * size)
        return xp_.minimum(k, 2 * size - 1 - k)
    return k % size if fill_mode == "wrap" else xp_.clip(k, 0, size - 1)


def _memory(x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Images (N, H, W, C) as the one-dimensional array in which they lie,
    and the strides of their axes in elements.
    """
    order = sorted(range(4), key=lambda axis: (-x.strides[axis], -x.shape[axis]))
    if not x.transpose(order).flags.c_contiguous:
        x = contiguous(x)
        order = list(range(4))
    return x.transpose(order).reshape(-1), tuple(stride // x.itemsize for stride in x.strides)


def _is_small(x: np.ndarray) -> bool:
    """Whether one thread is done with it before another one is awake:
    a warped pixel takes longer than most others.
    """
    return x.size <= common.MAX_ELEMENTS_ALONE // 8


def _per_channel(value: Any, channels: int, dtype: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(np.broadcast_to(value, channels), dtype)
    return _filled(channels, float(value), dtype)


@cache
def _filled(size: int, value: float, dtype: Any) -> np.ndarray:
    return np.full(size, value, dtype)


@cache
def _all_of(samples: int) -> np.ndarray:
    return np.arange(samples)
