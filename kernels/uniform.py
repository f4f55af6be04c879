"""Uniform random numbers that are a function of key, call number, feature and sample.

u = floor(w / 2**8) / 2**24 in 0 .. 1 - 2**-24, for the random words w that `normal.py` draws,
laid out as there
"""

import math

import numpy as np

from .common import Array, batch_last, empty, operation, parallel, prange, serial
from .normal import BLOCK, LANES, TOGETHER, _draw, _place, drawn_words, placed


@operation("numpy", family="uniform")
def uniform(x: Array, words: Array) -> Array:
    """x (N, ...), words (3,) uint32 (key, key, call) -> numbers in [0, 1) of x's shape and dtype."""
    return placed((drawn_words(x, words) >> 8).astype(np.float64) / 2.0**24, x)


@uniform.implementation("numba")
def _(x: np.ndarray, words: np.ndarray) -> np.ndarray:
    u = empty(x, x.shape)
    _uniform(batch_last(u).reshape(math.prod(x.shape[1:]), x.shape[0]), words)
    return u


@parallel
def _uniform(u, words):  # type: ignore[no-untyped-def]
    counters = (u.shape[1] + BLOCK - 1) // BLOCK * LANES  # of each feature
    some = max(1, TOGETHER // counters)
    for task in prange((u.shape[0] + some - 1) // some):
        first, end = task * some, min((task + 1) * some, u.shape[0])
        drawn, numbers = np.empty((4, some * counters), np.uint32), np.empty((4, some * counters), u.dtype)
        _draw(drawn, words, first, counters)
        for j in range(4):
            _to_numbers(numbers[j], drawn[j])
        for f in range(first, end):
            _place(u[f], numbers[:, (f - first) * counters :])


@serial
def _to_numbers(u, w):  # type: ignore[no-untyped-def]
    for i in range(w.size):
        u[i] = (w[i] >> np.uint32(8)) * (1.0 / 2**24)
