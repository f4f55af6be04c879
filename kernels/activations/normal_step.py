"""The normal distribution function for compiled loops: made of operations that become vector code.

    Phi(-u) = exp(-u**2 / 2) R(t) / (1 + 2 z),   z = u / sqrt 2,   t = (z - 3.75) / (z + 3.75),   u >= 0
    Phi(u) = 1 - Phi(-u)

R is (1 + 2 z) exp(z**2) erfc(z) / 2, a smooth function of t in -1 .. 1, where all u >= 0 have their place:
M. M. Shepherd, J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x**2) erfc x in 0 <= x < inf",
Math. Comp. 36, 1981. Its Chebyshev series up to degree 22, here by powers of t, is exact to 5e-16.
"""

import math

import numpy as np

from ..common import serial
from ..exponential import exp
from ..number_formats import by_format, fma

ROOT_HALF = math.sqrt(0.5)
CENTRE = 3.75
LARGE = 50.0  # Phi(-u) is 0 there, and infinity would be no number as t
CENTRE_SINGLE, LARGE_SINGLE = np.float32(3.9), np.float32(14.5)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


@serial
def _double(v):  # type: ignore[no-untyped-def]
    """(Phi(v), exp(-v**2 / 2)) in double precision; NaN stays NaN."""
    x = np.float64(v)
    z = min(abs(x), LARGE) * ROOT_HALF
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
    density = exp(-0.5 * x * x)
    below = density * r / (1.0 + 2.0 * z)
    return (1.0 - below if x > 0 else below), density


@serial
def _single(v):  # type: ignore[no-untyped-def]
    """The same in single precision: from -8 on to 4 ulp, from -12.5 on to 8.5; NaN stays NaN.

    Phi(-u) exp(u**2 / 2) is itself a polynomial of (u - 3.9) / (u + 3.9) where u <= 14.5; beyond, Phi(-u) is
    0. This one, of degree 9, was fitted for the least relative error there.
    """
    u = min(abs(v), LARGE_SINGLE)
    t = (u - CENTRE_SINGLE) / (u + CENTRE_SINGLE)
    r = fma(t, -6.74104025e-05, -0.00010442258)
    r = fma(r, t, 0.000677849323)
    r = fma(r, t, -4.6944249e-05)
    r = fma(r, t, -0.00700406247)
    r = fma(r, t, 0.0286634516)
    r = fma(r, t, -0.070058673)
    r = fma(r, t, 0.124894488)
    r = fma(r, t, -0.173553476)
    r = fma(r, t, 0.0965876508)
    # u**2 / 2 has more digits than fit: what is left of it after rounding changes its exponential still
    square = u * (HALF * u)
    rest = fma(u, HALF * u, -square)
    density = exp(-square)
    density = fma(density, -rest, density)
    below = density * r
    return (ONE - below if v > ZERO else below), density


normal_step = by_format(_single, _double)
