"""The pool: threads that help with a launch while they can,
and are waited for only if they hold a piece of it.

    memory.py        what the threads have in common, word by word
    system.py        what they ask of the operating system: the time, to sleep,
                     to wake one another, a core to run on
    work_sharing.py  a launch: pieces are taken by whoever has a processor
    helpers.py       how many helpers there are, and on which cores

It takes the place of Numba's pool in the kernels that `parallel` compiles, and there alone: `symbols` are the
names by which their code asks for threads, and the addresses that it is given instead of Numba's
(kernels/loops.py). On systems other than Linux there are no helpers: a launch runs on the thread that asks
for it.
"""

from functools import cache
from typing import Any

from numba.core import types
from numba.np.ufunc import workqueue  # type: ignore[attr-defined]

from . import memory, system, work_sharing

MOST = memory.MOST  # threads
PIECES_PER_THREAD = 2
AVAILABLE = system.AVAILABLE  # whether there can be helpers

_CUTTING = (  # Numba's own functions that cut a loop, which know nothing of threads
    "do_scheduling_signed", "do_scheduling_unsigned", "allocate_sched", "deallocate_sched", "get_sched_size",
    "get_parallel_chunksize", "set_parallel_chunksize",
)  # fmt: skip


def _address(function: Any, signature: Any) -> int:
    """Where C finds a compiled function."""
    memory.cells()
    function.compile(signature)
    compiled = function.overloads[signature.args]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)


_HELPER = (work_sharing.help_out, types.void(types.int64))
_SHARE = (
    work_sharing.share if AVAILABLE else work_sharing.run_alone,
    types.void(*[types.int64] * 8),
)
_NUMBER = (work_sharing.number if AVAILABLE else work_sharing.first, types.int64())
_PIECES = (work_sharing.pieces, types.int64())


def loops() -> list[tuple[Any, Any]]:
    """(function, signature) of all that the pool compiles."""
    return [_SHARE, _HELPER, _NUMBER, _PIECES]


@cache
def helper() -> int:
    """Address of what a helper does for ever, a function of its number."""
    return _address(*_HELPER)


def expect(helpers: int) -> None:
    """Says that so many helpers are there, or will be at once."""
    memory.cells()[memory.STARTED // 8] = helpers


def allow(helpers: int) -> None:
    """Lets launches have so many helpers; they are asked for at once."""
    words = memory.cells()
    for place in (memory.TRIAL, memory.DELAYS, memory.UNTIL, memory.TRIED):
        words[place // 8] = 0
    words[memory.LIMIT // 8] = words[memory.LEVEL // 8] = helpers


def forget() -> None:
    """In the child of a fork: no helper is there, and no launch is under way."""
    words = memory.cells()
    words[: memory.SCRATCH // 8] = 0
    words[memory.PIECES // 8] = 1


@cache
def symbols() -> dict[str, int]:
    """What compiled loops call by name."""
    return {
        "numba_parallel_for": _address(*_SHARE),
        "get_num_threads": _address(*_PIECES),
        "get_thread_id": _address(*_NUMBER),
        **{name: getattr(workqueue, name) for name in _CUTTING},
    }
