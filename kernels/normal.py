"""Normal random numbers that are a function of key, call number, feature and sample.

Philox words come in fours; each two of them give two independent normals (G. E. P. Box, M. E. Muller, "A note
on the generation of random normal deviates", Annals of Mathematical Statistics 29, 1958, equation 1):

    u = (w0 + 1) / 2**32,   t = w1 / 2**32 - 1/8,   z0 = sqrt(-2 log u) cos(2 pi t),
    z1 = sqrt(-2 log u) sin(2 pi t)

Feature f counts the non-batch axes in C order. Of its samples, word j of philox4x32(counter = (call, f, b,
1)) belongs to sample 32 (b // 8) + 8 j + b % 8: eight counters beside each other fill a vector with each of
their words, and the same seed gives the same numbers at any memory order and number of threads. Dropout's
counters end in 0, so that the two never meet.

The compiled version computes in double precision, with series in place of the library's functions, so that
its loops become vector code: log m = 2 (s + s**3 / 3 + s**5 / 5 + ...) with s = (m - 1) / (m + 1) for m in
sqrt(1/2) .. sqrt(2), and Taylor's for sine and cosine in -pi/4 .. pi/4, each up to a term below the rounding.
"""

import math

import numpy as np

from .common import Array, batch_last, empty, from_batch_last, operation, parallel, prange, serial, xp
from .philox import M0, M1, ROUNDS, W0, W1, philox4x32

LANES = 8  # counters side by side
BLOCK = 4 * LANES  # samples that they give numbers to
TOGETHER = 128  # counters, of several features, that a thread takes at a time


@operation("numpy", family="normal")
def normal(x: Array, words: Array) -> Array:
    """x (N, ...), words (3,) uint32 (key, key, call) -> standard normals of x's shape and dtype."""
    xp_, drawn = xp(x), drawn_words(x, words).astype(np.float64)
    radius = xp_.sqrt(-2.0 * xp_.log((drawn[..., 0::2] + 1.0) / 2.0**32))
    angle = 2.0 * math.pi * (drawn[..., 1::2] / 2.0**32 - 0.125)
    return placed(xp_.stack([radius * xp_.cos(angle), radius * xp_.sin(angle)], axis=-1), x)


def drawn_words(x: Array, words: Array) -> Array:
    """(F, counters, 4): the random words of each of x's features."""
    xp_, features, counters = xp(x), math.prod(x.shape[1:]), -(-x.shape[0] // BLOCK) * LANES
    counter = xp_.ones((features, counters, 4), xp_.uint32)
    counter[..., 0] = words[2]
    counter[..., 1] = xp_.arange(features, dtype=xp_.uint32)[:, None]
    counter[..., 2] = xp_.arange(counters, dtype=xp_.uint32)
    return philox4x32(counter, words)


def placed(numbers: Array, x: Array) -> Array:
    """`numbers`, four of each counter, in x's shape and dtype."""
    features, n = math.prod(x.shape[1:]), x.shape[0]
    blocks = -(-n // BLOCK)
    numbers = (
        numbers.reshape(features, blocks, LANES, 4).swapaxes(-1, -2).reshape(features, blocks * BLOCK)[:, :n]
    )
    return from_batch_last(numbers.reshape(*x.shape[1:], n).astype(x.dtype))


@normal.implementation("numba")
def _(x: np.ndarray, words: np.ndarray) -> np.ndarray:
    z = empty(x, x.shape)
    _normal(batch_last(z).reshape(math.prod(x.shape[1:]), x.shape[0]), words)
    return z


@parallel
def _normal(z, words):  # type: ignore[no-untyped-def]
    counters = (z.shape[1] + BLOCK - 1) // BLOCK * LANES  # of each feature
    some = max(1, TOGETHER // counters)
    for task in prange((z.shape[0] + some - 1) // some):
        first, end = task * some, min((task + 1) * some, z.shape[0])
        drawn, numbers = np.empty((4, some * counters), np.uint32), np.empty((4, some * counters), z.dtype)
        _draw(drawn, words, first, counters)
        _to_normals(numbers[0], numbers[1], drawn[0], drawn[1])
        _to_normals(numbers[2], numbers[3], drawn[2], drawn[3])
        for f in range(first, end):
            _place(z[f], numbers[:, (f - first) * counters :])


@serial
def _draw(drawn, words, first, counters):  # type: ignore[no-untyped-def]
    """drawn (4, M) = the words of philox4x32(call, feature, counter, 1), for features from `first` on."""
    c0, c1, c2, c3 = drawn[0], drawn[1], drawn[2], drawn[3]
    for i in range(c0.size):
        c0[i], c1[i], c2[i], c3[i] = words[2], first + i // counters, i % counters, 1
    k0, k1 = np.uint32(words[0]), np.uint32(words[1])
    half = np.uint64(32)
    for _ in range(ROUNDS):
        for i in range(c0.size):
            p0, p1 = np.uint64(c0[i]) * np.uint64(M0), np.uint64(c2[i]) * np.uint64(M1)
            c0[i] = np.uint32(p1 >> half) ^ c1[i] ^ k0
            c1[i] = np.uint32(p1)
            c2[i] = np.uint32(p0 >> half) ^ c3[i] ^ k1
            c3[i] = np.uint32(p0)
        k0, k1 = np.uint32(k0 + np.uint32(W0)), np.uint32(k1 + np.uint32(W1))


@serial
def _to_normals(z0, z1, w0, w1):  # type: ignore[no-untyped-def]
    for i in range(w0.size):
        radius = _radius(w0[i])
        cosine, sine = _direction(w1[i])
        z0[i], z1[i] = radius * cosine, radius * sine


@serial
def _place(z, numbers):  # type: ignore[no-untyped-def]
    """One feature's numbers, word by word of its counters, to its samples."""
    for first in range(0, z.size, LANES):
        block, j = first // BLOCK, first % BLOCK // LANES
        for i in range(min(LANES, z.size - first)):
            z[first + i] = numbers[j, block * LANES + i]


_ROOT_HALF = int(np.float64(math.sqrt(0.5)).view(np.int64))
_LOG_2 = math.log(2.0)


@serial
def _radius(word):  # type: ignore[no-untyped-def]
    """sqrt(-2 log((word + 1) / 2**32)), with the logarithm of m 2**e as log m + e log 2."""
    bits = np.float64(np.int64(word) + 1).view(np.int64)
    exponent = (bits - _ROOT_HALF) >> 52
    m = np.int64(bits - (exponent << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    p = s * s
    q = p * (1 / 21) + 1 / 19
    q = q * p + 1 / 17
    q = q * p + 1 / 15
    q = q * p + 1 / 13
    q = q * p + 1 / 11
    q = q * p + 1 / 9
    q = q * p + 1 / 7
    q = q * p + 1 / 5
    q = q * p + 1 / 3
    return np.sqrt(2.0 * ((32 - exponent) * _LOG_2 - 2.0 * s * (q * p + 1.0)))


@serial
def _direction(word):  # type: ignore[no-untyped-def]
    """Cosine and sine of 2 pi (word / 2**32 - 1/8): a quarter turn for each of the two upper bits,
    and the rest.
    """
    turns = np.int64(word) >> 30
    t = np.float64((np.int64(word) & 0x3FFFFFFF) - 0x20000000) * (2.0 * math.pi / 2.0**32)
    p = t * t
    c = p * (1 / 20922789888000) - 1 / 87178291200
    c = c * p + 1 / 479001600
    c = c * p - 1 / 3628800
    c = c * p + 1 / 40320
    c = c * p - 1 / 720
    c = c * p + 1 / 24
    c = c * p - 0.5
    c = c * p + 1.0
    s = p * (1 / 355687428096000) - 1 / 1307674368000
    s = s * p + 1 / 6227020800
    s = s * p - 1 / 39916800
    s = s * p + 1 / 362880
    s = s * p - 1 / 5040
    s = s * p + 1 / 120
    s = s * p - 1 / 6
    s = t * (s * p + 1.0)
    odd = turns & 1 != 0
    cosine, sine = (-s if odd else c), (c if odd else s)
    return (-cosine if turns > 1 else cosine), (-sine if turns > 1 else sine)
