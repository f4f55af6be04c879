"""What the compiled updates share: one pass over the elements of several arrays, in the memory order of the first.

An update is element-wise, so any order of visit is right. Dense arrays are visited as flat views; whatever lies in
another order than the variable (often the gradient) is first brought into it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import common

BLOCK = 8192  # elements a thread takes at a time: 32 kB of float32, fixed, so that no result depends on the threads

Update = Callable[..., None]
Arrays = Sequence[Any]  # NumPy arrays; None for a slot that the variant does without


def sweep(loop: Update, blocks: Update, arrays: Arrays, scalars: Sequence[float | bool]) -> None:
    """Runs an update over flat views of `arrays` = (w, g, *slots); all but g are changed in place.

    `loop(*arrays, *scalars)` takes one-dimensional arrays; `blocks` is the same shared among threads, for large ones.
    """
    w, dtype = arrays[0], arrays[0].dtype
    number = dtype.type
    rounded = [s if type(s) is bool else number(s) for s in scalars]
    run = blocks if w.size > common.SMALL else loop
    flat: list[Any] = []
    for a in arrays:  # the usual case, kept short: a small net calls this some forty times a step
        if a is None:
            flat.append(None)
        elif a.flags.c_contiguous and a.dtype is dtype:
            flat.append(a.reshape(-1))
        else:
            _sweep_reordered(run, arrays, rounded)
            return
    run(*flat, *rounded)


def _sweep_reordered(run: Update, arrays: Arrays, scalars: Sequence[Any]) -> None:
    """The same for arrays in other memory orders or of another dtype; what is not dense is updated through a copy."""
    w = arrays[0]
    order = sorted(range(w.ndim), key=lambda axis: -abs(w.strides[axis]))  # slowest first: C order, if w is dense
    views = [None if a is None else a.transpose(order) for a in arrays]
    dense = [None if a is None else np.ascontiguousarray(a, w.dtype) for a in views]
    run(*[None if a is None else a.reshape(-1) for a in dense], *scalars)
    for position, (view, copy) in enumerate(zip(views, dense, strict=True)):
        if position != 1 and view is not None and not np.may_share_memory(view, copy):
            view[...] = copy
