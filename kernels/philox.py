"""Philox4x32-10: random words computed from a counter, with no state to carry.

Each of ten rounds multiplies two words of the counter by constants and mixes the halves of the products with the rest:

    (h0, l0) = M0 c0,  (h1, l1) = M1 c2          64-bit products, high and low words
    (c0, c1, c2, c3) <- (h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0),   (k0, k1) <- (k0 + W0, k1 + W1)

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
"""

import numpy as np

from .common import Array, serial, xp

M0, M1 = 0xD2511F53, 0xCD9E8D57  # multipliers
W0, W1 = 0x9E3779B9, 0xBB67AE85  # golden ratio and sqrt(3) - 1: the key's increments
ROUNDS = 10
LOW = 0xFFFFFFFF


def philox4x32(counter: Array, key: tuple[int, int]) -> Array:
    """Four random words for every counter: counter (..., 4) uint32, key two integers below 2**32 -> (..., 4) uint32."""
    xp_ = xp(counter)
    # 64-bit words hold the products whole; the upper halves are masked away where a word wraps around.
    c0, c1, c2, c3 = (counter[..., word].astype(xp_.uint64) for word in range(4))
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return xp_.stack([c0, c1, c2, c3], axis=-1).astype(xp_.uint32)


@serial
def philox_rows(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """The same for compiled loops, in place: four rows of uint32 hold the counters, then the words; key two uint32."""
    # A round over all rows at a time: the loop inside is short enough to become vector code.
    for _ in range(ROUNDS):
        _round(c0, c1, c2, c3, k0, k1)
        k0, k1 = np.uint32(k0 + W0), np.uint32(k1 + W1)


@serial
def _round(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    half = np.uint64(32)
    for i in range(c0.size):
        p0, p1 = np.uint64(M0) * np.uint64(c0[i]), np.uint64(M1) * np.uint64(c2[i])
        c0[i], c1[i] = np.uint32((p1 >> half) ^ c1[i] ^ k0), np.uint32(p1)
        c2[i], c3[i] = np.uint32((p0 >> half) ^ c3[i] ^ k1), np.uint32(p0)
