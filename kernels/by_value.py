"""By value: a few numbers of the host, sent to a GPU in the arguments of a launch.

A copy from host to device may wait for all that the GPU was given before, and needs memory that stays as it
is until then. What a kernel is given by value is taken over as it is launched: nobody waits, and the array
may hold other numbers at once. So go the numbers that differ from step to step, such as the learning rate.

A CUDA graph keeps what its launches were given by value. So whoever makes one leaves these launches out, and
repeats them before the graph is launched (`first`).
"""

from functools import partial

import numpy as np

from . import launches
from .common import Array, in_c_order, launch
from .cuda import Kernel

WORDS = 64  # of 32 bits in a launch

_put = Kernel(__file__, "by_value.cu", "put")


def sent(numbers: np.ndarray, like: Array) -> Array:
    """`numbers`, a NumPy array of 4 or 8 bytes an element, as they are now, in an array beside `like`."""
    to = launches.outliving(partial(in_c_order, like, numbers.shape, numbers.dtype))
    launch(put, to, numbers)
    return to


def put(to: Array, numbers: np.ndarray) -> None:
    """Writes `numbers` into the array `to` of a GPU."""
    there, here = to.reshape(-1).view(np.int32), np.ascontiguousarray(numbers).reshape(-1).view(np.int32)
    for start in range(0, here.size, WORDS):
        words = np.zeros(WORDS, np.int32)
        count = len(part := here[start : start + WORDS])
        words[:count] = part
        _put[()]((1,), (WORDS,), there[start : start + count], {"word": words}, count)


put.first = True  # type: ignore[attr-defined]
