"""Dropout with a mask that is a function of key, call number, feature and sample.

    y = x m / (1 - rate),   m = [word >= rate 2**32],   E[y] = x

The word of feature f and sample n is number n % 4 of philox4x32(counter = (call, f, n // 4, 0)), where f counts the
non-batch axes in C order: the same seed drops the same elements at any memory order, thread count or device.

N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.
"""

import math

import numpy as np

from . import common
from .common import Array, batch_last, empty, operation, parallel, prange, serial, xp
from .elementwise import flat
from .philox import LOW, philox4x32, philox_rows

FEATURES = 16  # features a thread takes at a time


def keep_scale(rate: float) -> float:
    """Factor of the elements kept, 1 / (1 - rate); 0 where none is."""
    return 1.0 / (1.0 - rate) if rate < 1.0 else 0.0


def keep_threshold(rate: float) -> int:
    """Smallest word that keeps its element; a 32-bit word itself, though rate 1 would ask for 2**32."""
    return min(math.ceil(rate * 2**32), LOW)


def mask_shape(shape: tuple[int, ...], noise_shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    """Shape the mask is drawn in: None entries of `noise_shape` take the size of x, ones are broadcast."""
    if noise_shape is None:
        return shape
    resolved = tuple(size if entry is None else entry for size, entry in zip(shape, noise_shape, strict=False))
    if len(noise_shape) != len(shape) or any(m not in (1, size) for m, size in zip(resolved, shape, strict=True)):
        raise ValueError(
            f"dropout: noise_shape {tuple(noise_shape)} does not broadcast to the input's shape {shape}; "
            "give one entry per axis: None (as the input), 1 (shared along the axis) or the input's size"
        )
    return resolved


@operation("numpy", family="dropout")
def dropout(
    x: Array, *, rate: float, key: tuple[int, int], call: int, noise_shape: tuple[int | None, ...] | None = None
) -> tuple[Array, Array]:
    """x (N, ...) -> (y as x, mask bool of x's shape, or of `noise_shape` where that is given)."""
    xp_ = xp(x)
    n, *features = mask_shape(x.shape, noise_shape)
    blocks, f = -(-n // 4), math.prod(features)
    counter = xp_.zeros((f, blocks, 4), xp_.uint32)
    counter[..., 0] = call & LOW
    counter[..., 1] = xp_.arange(f, dtype=xp_.uint32)[:, None]
    counter[..., 2] = xp_.arange(blocks, dtype=xp_.uint32)
    words = philox4x32(counter, key).reshape(f, 4 * blocks)[:, :n]
    keep = words >= keep_threshold(rate)
    mask = common.from_batch_last(keep.reshape(*features, n))
    return xp_.where(mask, x * keep_scale(rate), xp_.zeros_like(x)), mask


@dropout.implementation("numba")
def _(
    x: np.ndarray, *, rate: float, key: tuple[int, int], call: int, noise_shape: tuple[int | None, ...] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    shape = mask_shape(x.shape, noise_shape)
    y, mask = empty(x, x.shape), empty(x, shape, bool)
    words = np.array([key[0], key[1], call & LOW], np.uint32)
    threshold, scale = np.uint32(keep_threshold(rate)), x.dtype.type(keep_scale(rate))
    if shape == x.shape:
        _drop(_features(y), _features(mask.view(np.uint8)), _features(x), words, threshold, scale)
    else:
        _draw(_features(mask.view(np.uint8)), words, threshold)
        np.multiply(x, scale, out=y)
        np.copyto(y, 0, where=~mask)
    return y, mask


def _features(x: np.ndarray) -> np.ndarray:
    """View (features, N) of batch-last memory."""
    return batch_last(x).reshape(math.prod(x.shape[1:]), x.shape[0])


@parallel
def _drop(y, mask, x, words, threshold, scale):  # type: ignore[no-untyped-def]
    for task in prange((x.shape[0] + FEATURES - 1) // FEATURES):
        first, end = task * FEATURES, min((task + 1) * FEATURES, x.shape[0])
        _draw_rows(mask[first:end], first, words, threshold)
        for f in range(first, end):
            _scale_row(y[f], x[f], mask[f], scale)


@parallel
def _draw(mask, words, threshold):  # type: ignore[no-untyped-def]
    for task in prange((mask.shape[0] + FEATURES - 1) // FEATURES):
        first, end = task * FEATURES, min((task + 1) * FEATURES, mask.shape[0])
        _draw_rows(mask[first:end], first, words, threshold)


@serial
def _draw_rows(mask, first, words, threshold):  # type: ignore[no-untyped-def]
    """Mask of the features from `first` on; words = (key, key, call)."""
    blocks = (mask.shape[1] + 3) // 4
    drawn = np.empty((4, mask.shape[0] * blocks), np.uint32)
    for f in range(mask.shape[0]):
        for block in range(blocks):
            i = f * blocks + block
            drawn[0, i], drawn[1, i], drawn[2, i], drawn[3, i] = words[2], first + f, block, 0
    philox_rows(drawn[0], drawn[1], drawn[2], drawn[3], words[0], words[1])
    for f in range(mask.shape[0]):
        row = slice(f * blocks, (f + 1) * blocks)
        _pack(drawn[0, row], drawn[1, row], drawn[2, row], drawn[3, row], threshold)
        _copy(mask[f], drawn[0, row].view(np.uint8))


@serial
def _pack(w0, w1, w2, w3, threshold):  # type: ignore[no-untyped-def]
    """One byte per word, 1 where it keeps its element: byte j of w0[block] (little-endian) for word j."""
    one, zero = np.uint32(1), np.uint32(0)
    for block in range(w0.size):
        keep0 = one if w0[block] >= threshold else zero
        keep1 = one if w1[block] >= threshold else zero
        keep2 = one if w2[block] >= threshold else zero
        keep3 = one if w3[block] >= threshold else zero
        w0[block] = keep0 | keep1 << np.uint32(8) | keep2 << np.uint32(16) | keep3 << np.uint32(24)


@serial
def _copy(mask, kept):  # type: ignore[no-untyped-def]
    for n in range(mask.size):
        mask[n] = kept[n]


@serial
def _scale_row(y, x, mask, scale):  # type: ignore[no-untyped-def]
    zero = y.dtype.type(0)
    for n in range(x.size):
        y[n] = x[n] * scale if mask[n] else zero


@operation("numpy", family="dropout")
def dropout_grad(g: Array, mask: Array, *, rate: float) -> Array:
    """dx = g m / (1 - rate); g (N, ...), mask as dropout returned it -> dx as g."""
    xp_ = xp(g)
    return xp_.where(mask, g * keep_scale(rate), xp_.zeros_like(g))


@dropout_grad.implementation("numba")
def _(g: np.ndarray, mask: np.ndarray, *, rate: float) -> np.ndarray:
    if mask.shape != g.shape:
        return dropout_grad["numpy"](g, mask, rate=rate)
    dx, (out, g_flat, mask_flat) = flat(g, mask)
    _drop_grad(out, g_flat, mask_flat, g.dtype.type(keep_scale(rate)))
    return dx


@parallel
def _drop_grad(dx, g, mask, scale):  # type: ignore[no-untyped-def]
    zero = dx.dtype.type(0)
    for i in prange(g.size):
        dx[i] = g[i] * scale if mask[i] else zero
