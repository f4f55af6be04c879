"""What the threads of the pool have in common: 64-bit words, each named by its place in bytes.

What different threads write lies two cache lines apart, so that none waits for a line that it does not want.
"""

import ctypes
from functools import cache
from itertools import count

import llvmlite.binding as llvm
import numba
import numpy as np

from .. import loops
from ..emit.atomic import place

MOST = 256  # threads
_line = (128 * i for i in count())

TURN = next(_line)  # 1 while a launch has the helpers
# number of the launch (32 bits) | end of the pieces that are left (16) | the first of them (16)
WORD = next(_line)
DONE = next(_line)  # pieces of the launch that helpers have finished
WAITING = next(_line)  # 1 while the thread that launched sleeps until they are
BELL = next(_line)  # rung, by a change, for helpers that have nothing to do
ASLEEP = next(_line)  # how many began to wait for the bell since it was rung
BENCH = next(_line)  # the same for helpers that are not wanted
PIECES = next(_line)  # into how many pieces the next launch is cut
LIMIT = next(_line)  # helpers that the user allows
STARTED = next(_line)  # helpers that there are, of which some may be on their way
LEVEL = next(_line)  # helpers that the pool asks for (helpers.py)
PATIENCE = next(_line)  # nanoseconds of waiting before a thread sleeps

_word = count(next(_line), 8)
# the launch under way
FUNCTION, ARGUMENTS, SHAPE, STEPS, DATA, DIMENSIONS, COUNT = (next(_word) for _ in range(7))
_word = count(next(_line), 8)
NUMBER = next(_word)  # launches so far
PLACED = next(_word)  # what the helpers' places were chosen by
DELAYS, COUNTED = next(_word), next(_word)  # the account, in nanoseconds, and when it was last added to
# when the pool asks for all helpers again, or last did; after how long
UNTIL, PERIOD = next(_word), next(_word)
# the level on trial, since when, since which launch; the best
TRIAL, BEGAN, FROM, BEST, RATE = (next(_word) for _ in range(5))
# when trials last ended; when others last had the core of the thread that launches
TRIED, WANTED = next(_word), next(_word)
WHOSE, READ, WORK = (next(_word) for _ in range(3))  # whose processor time was last read; when; what it was

NAMES = next(_line) + 128  # of the helpers, by which the system knows them
SELVES = NAMES + 8 * MOST  # by which they know themselves
SCRATCH, OWN = SELVES + 8 * MOST, 4096  # memory of its own for each thread, the one that launches first
SIZE = SCRATCH + (MOST + 1) * OWN

pool = place("tinynet_pool")  # in compiled code, the address of all this


@cache
def cells() -> np.ndarray:
    """The words, for Python: cells()[LEVEL // 8]."""
    block = np.zeros((SIZE + 4096) // 8, np.int64)
    # never freed: a helper that has lost its core may read it while Python ends
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(block))
    begin = -block.__array_interface__["data"][0] % 4096 // 8
    words = block[begin : begin + SIZE // 8]
    llvm.add_symbol("tinynet_pool", words.__array_interface__["data"][0])
    return words


def address(place: int) -> int:
    """Where in the memory of the process a word lies."""
    return int(cells().__array_interface__["data"][0]) + place


def compiled(function):  # type: ignore[no-untyped-def]
    """Compiles a function of the pool, which C may call too."""
    return loops.keep(numba.njit(nogil=True, error_model="numpy")(function))
