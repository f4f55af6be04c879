"""What the pool asks of the operating system, as words of compiled loops:
Linux's, by the names of the C library.
"""

import ctypes
import platform
import sys
from typing import Any

from numba.core import types

from ..emit.atomic import add, load, write
from . import memory as at
from .memory import compiled

# the number of a system call without a name
_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)
_WAIT, _WAKE, _ALL = 128, 129, 2**31 - 1
_NAMES = (
    "clock_gettime",
    "sched_getcpu",
    "sched_getaffinity",
    "sched_setaffinity",
    "gettid",
    "pthread_self",
    "syscall",
)

AVAILABLE = (
    sys.platform == "linux" and _FUTEX != 0 and all(hasattr(ctypes.pythonapi, name) for name in _NAMES)
)


def _c(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the C library."""
    return types.ExternalFunction(name, result(*arguments))


_clock = _c("clock_gettime", types.int32, types.int32, types.int64)
_allowed = _c("sched_getaffinity", types.int32, types.int32, types.int64, types.int64)
_allow = _c("sched_setaffinity", types.int32, types.int32, types.int64, types.int64)
_system = _c("syscall", types.int64, *[types.int64] * 5)
core = _c("sched_getcpu", types.int32)  # that runs this thread
name = _c("gettid", types.int32)  # of this thread
myself = _c("pthread_self", types.int64)


@compiled
def clock(scratch):
    """Nanoseconds of a clock that only goes forward."""
    _clock(1, scratch)
    return load(scratch) * 1_000_000_000 + load(scratch + 8)


@compiled
def work(scratch, everybody):
    """Nanoseconds of processor time that this thread has had, or all threads of the process together."""
    _clock(2 if everybody else 3, scratch)
    return load(scratch) * 1_000_000_000 + load(scratch + 8)


@compiled
def sleep(address, seen):
    """Sleeps until `ring`, unless something else than `seen` lies at `address` by now."""
    _system(_FUTEX, address, _WAIT, seen & 0xFFFFFFFF, 0)


@compiled
def wake(address):
    """Wakes all that sleep at `address`."""
    _system(_FUTEX, address, _WAKE, _ALL, 0)


@compiled
def ring(address):
    """Changes what lies at `address` and wakes all that sleep there."""
    add(address, 1)
    wake(address)


@compiled
def settle(pool, here, beside):
    """Lets the helpers that are wanted run on the core `here` (if `beside`) or on all others;
    whether all were there.
    """
    cores, size = pool + at.SCRATCH + 64, at.OWN // 4
    mine, bit = cores + 8 * (here >> 6), 1 << (here & 63)
    _allowed(0, size, cores)
    if beside:
        for i in range(size // 8):
            write(cores + 8 * i, 0)
        write(mine, bit)
    else:
        write(mine, load(mine) & ~bit)
    complete = True
    for i in range(max(load(pool + at.LEVEL), 1)):
        thread = load(pool + at.NAMES + 8 * i)
        if thread:
            _allow(thread, size, cores)
        complete = complete and thread != 0
    return complete
