"""How many threads kernels may use, and the threads themselves: the helpers of thread_pool/.

`set_num_threads` says how many, for the whole process; without it, one for each core that the process may
use. Helpers are started by the first launch that is shared, and again in the child of a fork, where there are
none.
"""

import _thread
import atexit
import ctypes
import os
import signal
import threading

import numba

from . import environment, quota, thread_pool
from .thread_pool import memory

count = 1  # of threads that a launch may use; set below
most = 1  # that there have been
pieces = 1  # into how many pieces a launch is cut that they share
ready = False  # whether as many helpers run as are wanted
# into how many the next launch is cut, whoever launches it
cut = ctypes.c_int64.from_address(memory.address(memory.PIECES))

_started = 0  # helpers
_lock = threading.RLock()  # held while they are started


def start() -> None:
    """Starts the helpers that are missing."""
    global ready, _started
    with _lock:
        wanted = count - 1 if thread_pool.AVAILABLE else 0
        if _started < wanted:
            work = ctypes.CFUNCTYPE(None, ctypes.c_int64)(thread_pool.helper())
            # they are for threads that run Python
            allowed = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                while _started < wanted:
                    thread_pool.expect(_started + 1)
                    _thread.start_new_thread(work, (_started,))
                    _started += 1
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, allowed)
        thread_pool.allow(wanted)
        ready = True


def set_num_threads(n: int) -> None:
    """Lets kernels use `n` threads, from now on and in the whole process. Results do not depend on it.

    Raises ValueError unless 1 <= n <= 256. More threads than cores help where other processes keep the cores
    busy. The environment variable TINYNET_NUM_THREADS chooses `n` for a whole run.

    >>> tinynet.set_num_threads(tinynet.get_num_threads())
    """
    global count, most, pieces, ready
    if isinstance(n, bool) or not hasattr(n, "__index__") or not 1 <= n <= thread_pool.MOST:
        raise ValueError(f"the number of threads must be an integer from 1 to {thread_pool.MOST}, got {n!r}")
    count = n.__index__()
    most, pieces, ready = max(most, count), 1 if count == 1 else thread_pool.PIECES_PER_THREAD * count, False


def get_num_threads() -> int:
    """How many threads kernels may use; `set_num_threads` says."""
    return count


def _chosen() -> int:
    accepted = range(1, thread_pool.MOST + 1)
    return environment.integer(
        "TINYNET_NUM_THREADS", accepted, f"an integer from 1 to {thread_pool.MOST}", _default
    )


def _default() -> int:
    """What NUMBA_NUM_THREADS says where somebody has set it, else one thread for each core."""
    said = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    everything = numba.config.NUMBA_DEFAULT_NUM_THREADS  # type: ignore[attr-defined]
    return min(thread_pool.MOST, said if said != everything else quota.cores())


set_num_threads(_chosen())


def _after_fork() -> None:
    """In a child there is no helper, and whatever one of the parent was about to do is not done here."""
    global ready, _started, _lock
    thread_pool.forget()
    _lock, _started, ready = threading.RLock(), 0, False


atexit.register(thread_pool.allow, 0)  # no helper looks for work while its code is unloaded
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
