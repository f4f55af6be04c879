"""exp and what is made of it, for compiled loops: a few ulp at most, and operations that become vector code.

The library's functions handle one number at a time. These are polynomials, which a loop computes for all
lanes of a vector at once: of float64 in double.py, of float32 in single.py, which has twice the lanes and
half the terms. Which one a call means is decided by the number it gets, when the loop is compiled.
"""

from ..number_formats import by_format
from . import double, single

exp = by_format(single.exp, double.exp)  # of float32 and of float64
expm1 = by_format(single.expm1, double.expm1)
# of numbers from 0 to 1
log1p = by_format(single.log1p, double.log1p)
tanh = by_format(single.tanh, double.tanh)
sigmoid = by_format(single.sigmoid, double.sigmoid)
