"""By value: a few numbers of the host, sent to a GPU in the arguments of a launch.

A copy from host to device may wait for all that the GPU was given before, and needs memory that stays as it
is until then. What a kernel is given by value is taken over as it is launched: nobody waits, and the array
may hold other numbers at once. So go the numbers that differ from step to step: the learning rate, and the
words from which masks and noise are drawn.

A CUDA graph keeps what its launches were given by value. So whoever makes one leaves these launches out, and
sends all of the numbers before the graph is launched: in one `Letter`, since small launches cost as much as
large ones.
"""

import numpy as np

from .common import Array, in_c_order
from .cuda import Kernel
from .launches import send

WORDS = 512  # of 32 bits in a launch, which may take 4 KB

_put = Kernel(__file__, "by_value.cu", "put")


def sent(numbers: np.ndarray, like: Array) -> Array:
    """`numbers`, a NumPy array of 4 or 8 bytes an element, as they are now, in an array beside `like`."""
    if (to := send(numbers, like)) is None:
        to = in_c_order(like, numbers.shape, numbers.dtype)
        put(to, numbers)
    return to


def put(to: Array, numbers: np.ndarray) -> None:
    """Writes `numbers` into the array `to` of a GPU."""
    there, here = to.reshape(-1).view(np.int32), np.ascontiguousarray(numbers).reshape(-1).view(np.int32)
    for start in range(0, here.size, WORDS):
        words = np.zeros(WORDS, np.int32)
        count = len(part := here[start : start + WORDS])
        words[:count] = part
        _put[()]((1,), (WORDS,), there[start : start + count], {"word": words}, count)


class Letter:
    """Numbers of several arrays, which go to a GPU together, a launch for each WORDS words.

    here, there   what is sent, and where it arrives, beside the array `like`
    """

    def __init__(self, like: Array, words: int) -> None:
        self.here, self.there = np.zeros(words, np.int32), in_c_order(like, (words,), np.int32)
        self.used = 0  # words

    def room(self, numbers: np.ndarray) -> tuple[np.ndarray, Array] | None:
        """Room for `numbers`, here and there; None if it is full."""
        words = words_of(numbers)
        if self.used + words > self.here.size:
            return None
        start, end = self.used, self.used + numbers.nbytes // 4
        self.used += words
        dtype, shape = numbers.dtype, numbers.shape
        here, there = (x[start:end].view(dtype).reshape(shape) for x in (self.here, self.there))
        return here, there

    def go(self) -> None:
        """Sends what lies here now."""
        put(self.there[: self.used], self.here[: self.used])


def words_of(numbers: np.ndarray) -> int:
    """How many words of a letter `numbers` take: an even number, so that 8 bytes lie where they may."""
    return -(-numbers.nbytes // 8) * 2
