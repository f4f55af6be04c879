"""The tail of the normal distribution for compiled loops: made of operations that become vector code.

With u = |v| and the density phi(u) = exp(-u**2 / 2) / sqrt(2 pi), for any v

    Phi(v) = Phi(-u) where v <= 0, else 1 - Phi(-u)
    Phi(-u) = exp(-u**2 / 2) R(t) / (1 + 2 z),   z = u / sqrt 2,   t = (z - 3.75) / (z + 3.75)

R is (1 + 2 z) exp(z**2) erfc(z) / 2, a smooth function of t in -1 .. 1, where all u >= 0 have their place:
M. M. Shepherd, J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x**2) erfc x in 0 <= x < inf",
Math. Comp. 36, 1981. Its Chebyshev series up to degree 22, here by powers of t, is exact to 5e-16.
"""

import math

import numpy as np

from ..common import serial
from ..exponential import exp
from ..exponential.single import LOG2_E, LOG_2_HIGH, LOG_2_LOW, ROUNDER, curvature, scaled
from ..number_formats import by_format, fma

ROOT_HALF = math.sqrt(0.5)
INVERSE_ROOT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
CENTRE = 3.75
LARGE, LARGE_SINGLE = 50.0, np.float32(14.5)  # Phi(-u) is 0 there, and infinity would be no number as t
CENTRE_SINGLE, HALF, ONE = np.float32(3.9), np.float32(0.5), np.float32(1)
SMALL = 2.0**-64
BIG_ROUNDER = np.float32(ROUNDER + 64)


@serial
def _double(v):  # type: ignore[no-untyped-def]
    """(u, Phi(-u), phi(u)) in double precision, with u at most LARGE; NaN stays NaN."""
    x = abs(np.float64(v))
    u = LARGE if x > LARGE else x
    z = u * ROOT_HALF
    t = (z - CENTRE) / (z + CENTRE)
    r = t * -1.311553673566738e-09 - 9.775679434492808e-10
    r = r * t + 1.598963335833402e-08
    r = r * t + 9.39541161185024e-09
    r = r * t - 1.2428563124008372e-07
    r = r * t - 2.542232689343651e-08
    r = r * t + 8.709910793112408e-07
    r = r * t - 4.896312853651762e-07
    r = r * t - 5.719024016673447e-06
    r = r * t + 1.1193782857455908e-05
    r = r * t + 2.582326487088708e-05
    r = r * t - 0.00014507767623038828
    r = r * t + 0.000146857189022479
    r = r * t + 0.0008778130825985326
    r = r * t - 0.004873289841632631
    r = r * t + 0.01418113868605557
    r = r * t - 0.02934669928832467
    r = r * t + 0.046152160582140625
    r = r * t - 0.05440196507122231
    r = r * t + 0.04113836924499753
    r = r * t + 0.0017927077427395128
    r = r * t - 0.07012029929277262
    r = r * t + 0.6187563154189137
    density = exp(-0.5 * u * u)
    return u, density * r / (1.0 + 2.0 * z), INVERSE_ROOT_2PI * density


@serial
def _single(v):  # type: ignore[no-untyped-def]
    """The same in single precision: Phi(-u) is right to 4.5 ulp for u up to 8, to 8.5 for u up to 12.5.

    Phi(-u) exp(u**2 / 2) is itself a polynomial of (u - 3.9) / (u + 3.9) where u <= 14.5; beyond, Phi(-u) is
    0. This one, of degree 9, was fitted for the least relative error there. It comes as 2**-64 times itself,
    and 2**64 exp(-u**2 / 2) with it, which does not underflow.
    """
    u = abs(v)
    u = LARGE_SINGLE if u > LARGE_SINGLE else u
    t = (u - CENTRE_SINGLE) / (u + CENTRE_SINGLE)
    p = fma(t, SMALL * -6.74104025e-05, SMALL * -0.00010442258)
    p = fma(p, t, SMALL * 0.000677849323)
    p = fma(p, t, SMALL * -4.6944249e-05)
    p = fma(p, t, SMALL * -0.00700406247)
    p = fma(p, t, SMALL * 0.0286634516)
    p = fma(p, t, SMALL * -0.070058673)
    p = fma(p, t, SMALL * 0.124894488)
    p = fma(p, t, SMALL * -0.173553476)
    p = fma(p, t, SMALL * 0.0965876508)
    # as in exponential/single.py, but of a product that is not rounded before n log 2 is subtracted from it
    half = -HALF * u
    shifted = fma(half, u * LOG2_E, BIG_ROUNDER)
    n = shifted - BIG_ROUNDER
    r = fma(n, -LOG_2_LOW, fma(half, u, n * -LOG_2_HIGH))
    density = scaled(fma(fma(curvature(r), r, ONE), r, ONE), shifted)
    return u, density * p, np.float32(SMALL * INVERSE_ROOT_2PI) * density


normal_tail = by_format(_single, _double)
