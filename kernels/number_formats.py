"""What compiled loops compute differently in float32 and in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import extending, types


def by_format(single: Any, double: Any) -> Callable[[Any], Any]:
    """A function for compiled loops: single(v) of a float32 v, double(v) of any other number.

    Both are compiled functions of an argument called v.
    """

    def either(v: Any) -> Any:  # in Python; it also shows the cache of loops.py what the result depends on
        return single(v) if isinstance(v, np.float32) else double(v)

    def chosen(v: Any) -> Any:
        return (single if v == types.float32 else double).py_func

    # strict would ask that annotations are alike, too
    extending.overload(either, jit_options=single.targetoptions, strict=False)(chosen)
    return either


def _fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*[context.cast(builder, x, t, a) for x, t in zip(args, (a, b, c), strict=True)])

    return a(a, b, c), code


# fma(a, b, c) = a b + c, rounded once, in the number format of a. The compiler joins no product and sum by
# itself (common.py says why); where it is told to, one instruction does both, in any copy of the loop. (A
# processor without such an instruction calls a function of the library for each number.)
fma: Any = extending.intrinsic(_fma)
