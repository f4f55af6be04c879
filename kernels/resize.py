"""Images made larger (or smaller) by interpolation.

    y[n, i, j, c] = sum over taps a, b of  weight_H[i, a] weight_W[j, b] x[n, row[i, a], column[j, b], c]

A table (row or column, weight) for each axis says which few pixels an output pixel is made of. The gradient
is the same sum with the transposed tables: which outputs an input pixel went into, with the same weights.

Output i of an axis enlarged s times has its centre at s' = (i + 1/2) / s - 1/2 between the centres of the
inputs, and input p has the weight k(s' - p), divided by the sum of those inside of the image:

    nearest    the one pixel under the centre, i // s: pixels are repeated
    bilinear   k(t) = 1 - |t|                                  for |t| < 1
    bicubic    k(t) = 3/2 |t|^3 - 5/2 |t|^2 + 1                for |t| <= 1
               k(t) = -1/2 |t|^3 + 5/2 |t|^2 - 4 |t| + 2       for 1 < |t| < 2
    lanczos    k(t) = sinc(t) sinc(t / r), r = 3 or 5          for |t| < r

R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 29 (1981),
with a = -1/2; C. E. Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteorology 18 (1979).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .common import Array, empty, operation, parallel, prange, serial, xp
from .constants import constant
from .pool2d.windows import pixels

Pair = tuple[int, int]
# (positions, weights), one row of taps for each output; unused taps have weight 0
Table = tuple[np.ndarray, np.ndarray]

# and how far a pixel reaches
METHODS = {"nearest": 0.5, "bilinear": 1.0, "bicubic": 2.0, "lanczos3": 3.0, "lanczos5": 5.0}


def _influence(method: str, t: np.ndarray) -> np.ndarray:
    """k(t), see above."""
    t, reach = np.abs(t), METHODS[method]
    if method == "bilinear":
        weight = 1 - t
    elif method == "bicubic":
        weight = np.where(t <= 1, (1.5 * t - 2.5) * t * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2)
    else:
        weight = np.sinc(t) * np.sinc(t / reach)
    return np.where(t < reach, weight, 0.0)


@cache
def table(size: int, output: int, method: str) -> Table:
    """Taps of each of `output` pixels among `size`."""
    if method == "nearest":
        return ((2 * np.arange(output) + 1) * size // (2 * output))[:, None], np.ones((output, 1))
    centre = (np.arange(output) + 0.5) * size / output - 0.5
    taps = 2 * int(METHODS[method])
    position = np.floor(centre).astype(np.int64)[:, None] - taps // 2 + 1 + np.arange(taps)
    inside = (position >= 0) & (position < size)
    weight = np.where(inside, _influence(method, centre[:, None] - position), 0.0)
    return np.clip(position, 0, size - 1), weight / weight.sum(1, keepdims=True)


@cache
def transposed(size: int, output: int, method: str) -> Table:
    """For each of `size` inputs, the outputs it went into."""
    position, weight = table(size, output, method)
    users: list[list[tuple[int, float]]] = [[] for _ in range(size)]
    for i, j in zip(*np.nonzero(weight), strict=True):
        users[position[i, j]].append((i, weight[i, j]))
    taps = max(1, *map(len, users))
    padded = [[*found, *[(found[0][0] if found else 0, 0.0)] * (taps - len(found))] for found in users]
    return np.array([[i for i, _ in row] for row in padded], np.int64), np.array(
        [[w for _, w in row] for row in padded]
    )


@operation("numpy", family="resize")
def resize(x: Array, *, size: Pair, method: str) -> Array:
    """x (N, H, W, C) -> y (N, OH, OW, C) for size = (OH, OW); method: see METHODS."""
    return _resample(x, table, [(n, out, method) for n, out in zip(x.shape[1:3], size, strict=True)])


@operation("numpy", family="resize")
def resize_grad(g: Array, *, input_size: Pair, method: str) -> Array:
    """Gradient g (N, OH, OW, C) of resize -> (N, H, W, C) for input_size = (H, W)."""
    sizes = zip(input_size, g.shape[1:3], strict=True)
    return _resample(g, transposed, [(n, out, method) for n, out in sizes])


def _resample(x: Array, tables: Callable[..., Table], arguments: list[tuple[Any, ...]]) -> Array:
    """One axis after the other, one tap after the other; tables(*arguments) of rows, then of columns."""
    for axis, given in enumerate(arguments, 1):
        terms = [
            xp(x).take(x, constant(x, _positions, tables, given, tap), axis=axis)
            * constant(x, _weights, tables, given, tap, x.dtype).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
            for tap in range(tables(*given)[0].shape[1])
        ]
        x = sum(terms[1:], terms[0])
    y = empty(x, x.shape)
    y[...] = x
    return y


def _positions(tables: Callable[..., Table], given: tuple[Any, ...], tap: int) -> np.ndarray:
    return tables(*given)[0][:, tap]


def _weights(tables: Callable[..., Table], given: tuple[Any, ...], tap: int, dtype: Any) -> np.ndarray:
    return tables(*given)[1][:, tap].astype(dtype)


@resize.implementation("numba")
def _(x: np.ndarray, *, size: Pair, method: str) -> np.ndarray:
    y = empty(x, (x.shape[0], *size, x.shape[3]))
    tables = (typed(False, n, out, method, x.dtype) for n, out in zip(x.shape[1:3], size, strict=True))
    _weighted_rows(pixels(y), pixels(x), *next(tables), *next(tables))
    return y


@resize_grad.implementation("numba")
def _(g: np.ndarray, *, input_size: Pair, method: str) -> np.ndarray:
    dx = empty(g, (g.shape[0], *input_size, g.shape[3]))
    tables = (typed(True, n, out, method, g.dtype) for n, out in zip(input_size, g.shape[1:3], strict=True))
    _weighted_rows(pixels(dx), pixels(g), *next(tables), *next(tables))
    return dx


@cache
def typed(backwards: bool, size: int, output: int, method: str, dtype: np.dtype) -> Table:
    position, weight = (transposed if backwards else table)(size, output, method)
    return position, weight.astype(dtype)


@parallel
def _weighted_rows(y, x, row, row_weight, column, column_weight):  # type: ignore[no-untyped-def]
    for pixel in prange(y.shape[0] * y.shape[1]):
        i, j = pixel // y.shape[1], pixel % y.shape[1]
        written = False
        for a in range(row.shape[1]):
            for b in range(column.shape[1]):
                weight = row_weight[i, a] * column_weight[j, b]
                if weight == 0:
                    continue
                if written:
                    _add_scaled(y[i, j], x[row[i, a], column[j, b]], weight)
                else:
                    _set_scaled(y[i, j], x[row[i, a], column[j, b]], weight)
                    written = True
        if not written:
            y[i, j, :] = 0


@serial
def _set_scaled(out, value, factor):  # type: ignore[no-untyped-def]
    for m in range(out.size):
        out[m] = factor * value[m]


@serial
def _add_scaled(out, value, factor):  # type: ignore[no-untyped-def]
    for m in range(out.size):
        out[m] += factor * value[m]
