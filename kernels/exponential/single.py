"""exp and its kin in single precision, with multiply-adds that are rounded once.

    x = n log 2 + r,  |r| <= log(2) / 2,     exp(x) = 2**n exp(r),
    exp(r) = 1 + r + r**2 (1 / 2 + c3 r + ... + c6 r**4)

The c are nearly 1 / 3! to 1 / 6!: they were fitted for the least relative error, which is 4e-9.

The largest errors, in units of the last place, among every 37th of all float32 numbers, where the result is a
normal one: exp 1.1, expm1 1.5, log1p 2.0, tanh 2.3, sigmoid 2.4 (tests/kernels/test_exponential.py looks at
fewer).
"""

import math

import numpy as np

from ..common import serial
from ..number_formats import fma

LOG2_E = np.float32(1.0 / math.log(2.0))
# log 2 in two parts, the first of which has so few bits that n times it is exact
LOG_2_HIGH = np.float32(0.693359375)
LOG_2_LOW = np.float32(math.log(2.0) - 0.693359375)
ROUNDER = np.float32(1.5 * 2.0**23)  # t + ROUNDER has t, rounded to an integer, in its lowest bits
ROUNDER_BITS = np.int32(ROUNDER.view(np.int32))
LOWEST, HIGHEST = np.float32(-104.0), np.float32(89.0)  # exp underflows to 0 below, overflows to inf above
ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
FAR = np.float32(0.55)  # tanh of it is 1 / 2
SMALL = np.float32(2.0**-64)
SMALL_ROUNDER = np.float32(ROUNDER - 64)  # added to t, it has t - 64 there
ZERO_BELOW, ONE_ABOVE = np.float32(-104.0), np.float32(30.0)  # where sigmoid is rounded to these


@serial
def curvature(r):  # type: ignore[no-untyped-def]
    """(exp(r) - 1 - r) / r**2 where |r| <= log(2) / 2."""
    q = fma(r, 0.0013863138, 0.008367441)
    q = fma(q, r, 0.041667245)
    q = fma(q, r, 0.16666535)
    return fma(q, r, 0.5)


@serial
def scaled(x, shifted):  # type: ignore[no-untyped-def]
    """2**n x, where `shifted` is n + ROUNDER: n is added to the exponent of x."""
    power = np.int32(np.float32(shifted).view(np.int32) << 23)
    return np.int32(np.float32(x).view(np.int32) + power).view(np.float32)


@serial
def _split(x):  # type: ignore[no-untyped-def]
    """(exp(r) - 1, s, t) with exp(x) = exp(r) s t: 2**n comes as two factors,
    for where it leaves the range itself.
    """
    x = min(max(x, LOWEST), HIGHEST)
    shifted = fma(x, LOG2_E, ROUNDER)
    n = shifted - ROUNDER
    r = fma(n, -LOG_2_LOW, fma(n, -LOG_2_HIGH, x))
    power = np.float32(shifted).view(np.int32) - ROUNDER_BITS
    half = power >> 1
    s = np.int32((half + 127) << 23).view(np.float32)
    t = np.int32((power - half + 127) << 23).view(np.float32)
    return fma(curvature(r), r * r, r), s, t


@serial
def exp(v):  # type: ignore[no-untyped-def]
    """exp(v); NaN stays NaN."""
    q, s, t = _split(v)
    return fma(q, s, s) * t if v == v else v


@serial
def expm1(v):  # type: ignore[no-untyped-def]
    """exp(v) - 1, without the cancellation near v = 0; NaN stays NaN."""
    q, s, t = _split(v)
    return fma(q, s, s - ONE / t) * t if v == v else v  # as in double.py


@serial
def log1p(v):  # type: ignore[no-untyped-def]
    """log(1 + v) = 2 artanh(v / (2 + v)) for 0 <= v <= 1, by its series; NaN stays NaN."""
    z = v / (TWO + v)  # at most 1 / 3
    s = z * z
    q = fma(s, 2 / 15, 2 / 13)
    q = fma(q, s, 2 / 11)
    q = fma(q, s, 2 / 9)
    q = fma(q, s, 2 / 7)
    q = fma(q, s, 2 / 5)
    q = fma(q, s, 2 / 3)
    return fma(q, s * z, z + z)


@serial
def tanh(v):  # type: ignore[no-untyped-def]
    """tanh(v) = -m / (1 + e) for v >= 0, with e = exp(-2 v), m = e - 1; odd in v.

    For larger v it is written 1 - 2 e / (1 + e): derivatives take 1 - tanh(v)**2, which is small there.
    """
    q, s, t = _split(-TWO * abs(v))
    e, m = fma(q, s, s) * t, fma(q, s, s - ONE / t) * t
    far = abs(v) > FAR
    magnitude = (ONE if far else ZERO) + (-TWO * e if far else -m) / (ONE + e)
    return math.copysign(magnitude, v) if v == v else v


@serial
def sigmoid(v):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-v)) = c / (c + c exp(-v)), where c = 2**-64 keeps c exp(-v) within the range.

    exp(-v) = 2**n + 2**n (exp(r) - 1), and 1 + 2**n is mostly exact: the sum is rounded once.
    """
    x = ZERO_BELOW if v < ZERO_BELOW else v  # NaN, which is neither below nor above, stays
    x = ONE_ABOVE if x > ONE_ABOVE else x
    shifted = fma(x, -LOG2_E, SMALL_ROUNDER)
    n = shifted - SMALL_ROUNDER
    r = -fma(n, LOG_2_LOW, fma(n, LOG_2_HIGH, x))
    s = scaled(ONE, shifted)
    return SMALL / fma(fma(curvature(r), r, ONE), r * s, SMALL + s)
