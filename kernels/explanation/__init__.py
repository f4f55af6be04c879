"""explain: which kernel an operation gets, why, and what really runs.

    answer.py   what is said, and in which order
    cases.py    an example of every operation, with arrays of the shapes that were asked for (arrays.py)
    nest.py     the loops of a compiled kernel and their bounds; tiles.py: those of an emitted tile
    code.py     LLVM's assembly and the machine's

The example is run and its launches are recorded; so what is shown is what runs, not a second description.
All of this is imported when somebody asks: a start of tinynet does without.
"""

from typing import Any

import numpy as np


def explain(
    operation: str, *shapes: tuple[int, ...], show: str | None = None, dtype: Any = np.float32,
    **settings: Any,
) -> str:  # fmt: skip
    """Which kernel an operation gets for arrays of these `shapes`, why, and its work: FLOPs, bytes, cycles.

    `operation` is a family of `kernels.families()` or one of its operations: explain("adam", w.shape), or
    explain("conv2d", x.shape, w.shape). `settings` are the operation's own (strides, padding, pool_size),
    dtype is that of the arrays, float32 or float64. The operation is run once, on random numbers.

    show="loops" adds the loops of each launch with their bounds; show="llvm" and show="asm" add the innermost
    loop of each, as LLVM's assembly or the machine's. Raises ValueError for an operation, a setting or a
    number of shapes that there is not, and says what there is.

    >>> print(kernels.explain("conv2d", (1, 8, 8, 3), (3, 3, 3, 4)).splitlines()[0])
    conv2d (1, 8, 8, 3) with (3, 3, 3, 4), strides (1, 1), dilation (1, 1), groups 1 -> (1, 6, 6, 4)
    """
    from .answer import answer

    return answer(operation, shapes, show, dtype, settings)
