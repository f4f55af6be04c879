"""The threads that compiled loops run on: Numba's pool, one launch at a time.

Numba's pools do not take two launches at once (one of them aborts the process), and OpenMP's does not survive a fork.
`lock` is held around every launch; `refuse_forked` says what happened where a child inherited a started pool.

`set_num_threads` says how many threads of the pool a launch may use, whichever thread of the process it comes from. Numba has
a limit of its own, one for each Python thread; the smaller of the two counts, and a launch leaves Numba's as it was.
"""

import os
import threading
from collections.abc import Callable

# A thread of OpenMP that waits spins for a while before it sleeps. By default for so long that a second busy process makes
# every launch wait for the scheduler; this long bridges the time between two kernels and no more.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")

import numba
from numba.np.ufunc import parallel as pool

from . import environment

lock = threading.Lock()
count = 1  # of threads that a launch may use; set below
started = False  # whether a launch happened in this process or in the one it was forked from
forked = False  # whether this process inherited an OpenMP pool that had been started


# Numba's limit for the thread that calls. `numba.set_num_threads` and its brother look at each call whether the pool runs and
# take 0.6 to 0.9 us; a small kernel takes one.
limit: Callable[[], int]
set_limit: Callable[[int], None]


def start() -> None:
    """Starts the pool: to be called once, before the first launch."""
    global started, limit, set_limit
    numba.get_num_threads()
    limit, set_limit = pool._get_num_threads, pool._set_num_threads  # type: ignore[attr-defined]
    started = True


def set_num_threads(n: int) -> None:
    """Lets kernels use `n` threads, from now on and in the whole process. Results do not depend on it.

    Raises ValueError unless 1 <= n <= the number of threads that Numba was started with, one for each core the process may
    use, or NUMBA_NUM_THREADS. The environment variable TINYNET_NUM_THREADS chooses `n` for a whole run.
    """
    global count
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if isinstance(n, bool) or not hasattr(n, "__index__") or not 1 <= n <= most:
        raise ValueError(
            f"the number of threads must be an integer from 1 to {most}, got {n!r}; "
            "the environment variable NUMBA_NUM_THREADS, set before Python starts, allows more"
        )
    count = n.__index__()


def get_num_threads() -> int:
    """How many threads kernels may use."""
    return count


def _chosen() -> int:
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    described = f"an integer from 1 to {most} (NUMBA_NUM_THREADS, set before Python starts, allows more)"
    return environment.integer("TINYNET_NUM_THREADS", range(1, most + 1), described, lambda: most)


set_num_threads(_chosen())


def refuse_forked() -> None:
    """Raises the error of a launch in a child of a fork."""
    raise RuntimeError(
        "this process was forked after tinynet's kernels had started their OpenMP threads, which do not survive a "
        "fork; start workers with multiprocessing.get_context('spawn'), or fork before the first kernel runs"
    )


def _after_fork() -> None:
    global lock, forked
    lock = threading.Lock()  # another thread of the parent may have held it
    forked = started and numba.threading_layer() == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
