"""exp and its kin in double precision: with relative errors below 1e-15.

    x = n log 2 + r,  |r| <= log(2) / 2,     exp(x) = 2**n exp(r),
    exp(r) - 1 = r + r**2 / 2! + ... + r**13 / 13!

The truncated series is exact to the rounding (the first term left out is below 5e-18).
"""

import math

import numpy as np

from ..common import serial

# The reduction of x subtracts n log 2 in two parts and rounds by adding a large number,
# which only exact arithmetic keeps.

LOG2_E = 1.0 / math.log(2.0)
LOG_2_HIGH = 6.93147180369123816490e-01  # log 2 to 33 bits, so that n times it is exact
LOG_2_LOW = 1.90821492927058770002e-10
ROUNDER = 1.5 * 2.0**52  # t + ROUNDER has t, rounded to an integer, in its lowest bits
ROUNDER_BITS = int(np.float64(ROUNDER).view(np.int64))
LOWEST, HIGHEST = -746.0, 710.0  # exp underflows to 0 below, overflows to inf above


@serial
def _split(x):  # type: ignore[no-untyped-def]
    """(exp(r) - 1, s, t) with exp(x) = exp(r) s t: 2**n comes as two factors,
    for where it leaves the range itself.
    """
    shifted = min(max(x, LOWEST), HIGHEST) * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (min(max(x, LOWEST), HIGHEST) - n * LOG_2_HIGH) - n * LOG_2_LOW
    q = r * (1 / 6227020800) + 1 / 479001600
    q = q * r + 1 / 39916800
    q = q * r + 1 / 3628800
    q = q * r + 1 / 362880
    q = q * r + 1 / 40320
    q = q * r + 1 / 5040
    q = q * r + 1 / 720
    q = q * r + 1 / 120
    q = q * r + 1 / 24
    q = q * r + 1 / 6
    q = q * r + 0.5
    power = np.float64(shifted).view(np.int64) - ROUNDER_BITS
    half = power >> 1
    s = np.int64((half + 1023) << 52).view(np.float64)
    t = np.int64((power - half + 1023) << 52).view(np.float64)
    return q * (r * r) + r, s, t


@serial
def exp(v):  # type: ignore[no-untyped-def]
    """exp(v) in double precision; NaN stays NaN."""
    x = np.float64(v)
    q, s, t = _split(x)
    return (1.0 + q) * s * t if x == x else x


@serial
def expm1(v):  # type: ignore[no-untyped-def]
    """exp(v) - 1 in double precision, without the cancellation near v = 0; NaN stays NaN."""
    x = np.float64(v)
    q, s, t = _split(x)
    # (1 + q) s t - 1, arranged so that neither s t overflows nor a small q drowns in the ones
    return (q * s + (s - 1.0 / t)) * t if x == x else x


@serial
def log1p(v):  # type: ignore[no-untyped-def]
    """log(1 + v) = 2 artanh(v / (2 + v)) for 0 <= v <= 1, by its series; NaN stays NaN.

    2 artanh(z) = 2 z (1 + z**2 / 3 + z**4 / 5 + ...),  z <= 1 / 3: the first term left out is below 3e-18.
    """
    e = np.float64(v)
    z = e / (2.0 + e)
    s = z * z
    q = s * (2 / 33) + 2 / 31
    q = q * s + 2 / 29
    q = q * s + 2 / 27
    q = q * s + 2 / 25
    q = q * s + 2 / 23
    q = q * s + 2 / 21
    q = q * s + 2 / 19
    q = q * s + 2 / 17
    q = q * s + 2 / 15
    q = q * s + 2 / 13
    q = q * s + 2 / 11
    q = q * s + 2 / 9
    q = q * s + 2 / 7
    q = q * s + 2 / 5
    q = q * s + 2 / 3
    return q * (s * z) + (z + z)


@serial
def tanh(v):  # type: ignore[no-untyped-def]
    """tanh(v) = -m / (m + 2) for v >= 0, with m = exp(-2 v) - 1; odd in v."""
    m = expm1(-2.0 * abs(np.float64(v)))
    magnitude = -m / (m + 2.0)
    return math.copysign(magnitude, v)  # unlike a choice by the sign of v, this becomes vector code


@serial
def sigmoid(v):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-v)) in double precision."""
    x = np.float64(v)
    e = exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)
