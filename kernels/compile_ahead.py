"""Kernels are compiled before they are needed, on all cores, where none of them is on disk yet.

A step asks for its kernels one after the other, and a process compiles one at a time. So the step is gone
through once without computing anything: a `Rehearsal` is a listener (launches.py) that leaves the loops out
and lists them; vector code (emit/objects.py) is listed instead of compiled. Then processes, as many as
kernels may use threads, take kernels from the list, one by one, and put them into the cache:

    the process that is about to train
      fork: the foreman            rehearses, forks the others, takes kernels too
        fork: another worker       takes kernels

A fork has the model and its data, and all that comes back is files in the cache. No counter, no random
number, no weight of the process that trains has moved; so it trains to the same bits. (Code that writes files
or talks to others would do so once more: whoever calls `compile_ahead` answers for the step.)
(Nor does it train with the references meanwhile: their last bits are others, and then a result would depend
on what the cache held.) What is not finished, because a process was killed or the disk is full, is compiled
at its first use, as it is without any of this.
"""

import contextlib
import gc
import os
import select
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher

from . import cache, compile_progress, launches, loops, thread_pool, threads
from .emit import host, objects

PATIENCE = 180.0  # seconds without a kernel after which the processes are given up
REHEARSAL = 60.0  # seconds after which a step is given up: it may wait for a lock that a fork never gets
SEARCH_AFTER = 100_000  # new objects, in the processes that compile
MOST = 16  # processes: each has the compiler's memory
NOT_KEPT = 3  # exit status: the cache took no more
NUMBER = struct.Struct("<i")  # what the processes say: how many kernels there are; then, for each, its number

_each_time = False
_tried = False  # in this process


class Rehearsal(launches.LaunchLog):
    """Context in which one thread runs no loops; `kernels` lists those that the cache lacks.

    What loops would have written are zeros. Python functions that are launched run. The process is spoilt by
    it: plans that were made here hold no addresses of vector code, and loops are linked with Numba's pool.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernels: dict[Any, Callable[[], Any]] = {}  # {what names a kernel: what compiles it}

    def __enter__(self) -> "Rehearsal":
        loops.own_pool = False  # ours would have to be compiled before the first loop
        objects.instead.set(self.on_vector_code)
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        objects.instead.set(None)

    def on_launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Lists a loop; runs what is none."""
        if isinstance(function, Dispatcher):
            self.on_loop(function, tuple([function.typeof_pyval(x) for x in args]))
        else:
            function(*args)

    def on_loop(self, function: Any, signature: Any) -> None:
        """Lists a loop, for arguments of these types."""
        key = (id(function), str(signature))
        if key not in self.kernels and not loops.is_kept(function, signature):
            self.kernels[key] = lambda: function.compile(signature)

    def on_vector_code(self, digest: str, text: str) -> int:
        """Lists vector code; an address that nobody will call."""
        if digest not in self.kernels and not objects.is_kept(digest):
            self.kernels[digest] = lambda: objects.machine_code(digest, text)
        return 0

    def allocate(self, size: int) -> np.ndarray:
        """New memory that holds zeros."""
        return np.zeros(size, np.uint8)


@contextlib.contextmanager
def each_time() -> Iterator[None]:
    """Context in which kernels are compiled ahead even where others are on disk."""
    global _each_time
    before, _each_time = _each_time, True
    try:
        yield
    finally:
        _each_time = before


def wanted() -> bool:
    """Whether to compile ahead: not even the pool's loops are on disk, and this process has not tried yet."""
    global _tried
    if sys.platform != "linux" or threads.count == 1 or (_tried and not _each_time):
        return False
    _tried = True
    return (_each_time or not all(loops.is_kept(*loop) for loop in thread_pool.loops())) and cache.writable()


def compile_ahead(step: Callable[[], Any]) -> int:
    """Compiles what `step()` would launch; returns how many kernels were compiled.

    A warning says if some were not, and why.
    """
    try:
        foreman, progress = _start(step)
    except (OSError, RuntimeError) as error:  # too many processes, say
        warnings.warn(f"kernels were not compiled ahead ({error}); {AT_FIRST_USE}", stacklevel=2)
        return 0
    ended = False
    try:
        done, total, ended = _follow(progress)
    finally:
        os.close(progress)
        why = _end(foreman, ended)
    if done < total or (not total and why):
        kernels = f"{total - done} of {total} kernels" if total else "kernels"
        warnings.warn(
            f"{kernels} were not compiled ahead ({why or 'a process failed'}); {AT_FIRST_USE}", stacklevel=2
        )
    return done


AT_FIRST_USE = "they are compiled when they are first used"


def _start(step: Callable[[], Any]) -> tuple[int, int]:
    """Forks the foreman; its number, and where it says how far it is."""
    progress, out = os.pipe()
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        # what another thread holds while a process is forked, the fork never gets
        with host.lock, global_compiler_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, from 3.12 on
            if (foreman := os.fork()) == 0:
                _leave(lambda: _lead(step, out), signals)
    except (OSError, RuntimeError):
        os.close(progress)
        raise
    finally:
        os.close(out)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    with contextlib.suppress(OSError):  # it has done so, or has ended
        os.setpgid(foreman, foreman)  # both do, since either may be the first to go on
    return foreman, progress


def _follow(progress: int) -> tuple[int, int, bool]:
    """(kernels compiled, kernels in all, whether the processes have ended), as they tell it."""
    done, total = -1, 0
    with compile_progress.ahead() as show:
        while select.select([progress], [], [], PATIENCE if total else REHEARSAL)[0]:
            if not (said := os.read(progress, NUMBER.size)):
                return max(done, 0), total, True
            done += 1
            if done == 0:
                (total,) = NUMBER.unpack(said)
            show(done, total)
            if done == total:
                return done, total, True
    return max(done, 0), total, False


def _end(foreman: int, ended: bool) -> str:
    """Waits for the foreman, after ending it and the others if they have not `ended`; what went wrong."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError, PermissionError):
        if not ended:
            os.killpg(foreman, signal.SIGKILL)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(foreman, 0)[1])
    except ChildProcessError:  # somebody else waits for all processes, or SIGCHLD is ignored
        status = 0 if ended else 1
    if not ended:
        return "they do not go on"
    if status < 0:
        return f"a process was ended by {signal.Signals(-status).name}"
    return {0: "", NOT_KEPT: f"{cache.directory()} cannot be written"}.get(status, "a process failed")


def _leave(work: Callable[[], int], signals: Any) -> NoReturn:
    """In a fork: does `work` out of sight, with these `signals` blocked, and ends with the status that it
    returns.
    """
    status = 1
    _kept = sys.stdout, sys.stderr  # let go of, they would write what is in their buffers
    try:
        os.setpgid(0, 0)  # what is typed at the terminal is for the process that trains, which ends this one
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the end; a notebook has others
        status = work()
    finally:
        os._exit(status)  # no buffer is flushed and no handler run that belong to the process that trains


def _lead(step: Callable[[], Any], out: int) -> int:
    """What the foreman does; its exit status."""
    rehearsal = Rehearsal()
    # what `step` raises is for the step itself to say, if numbers in place of zeros raise it too
    with rehearsal, contextlib.suppress(Exception):
        try:
            step()
        finally:  # the last, since `wanted` goes by them: whoever is interrupted begins once more
            for loop in thread_pool.loops():
                rehearsal.on_loop(*loop)
    kernels = list(rehearsal.kernels.values())
    gc.freeze()  # Python would search millions of the compiler's objects for cycles again and again
    gc.set_threshold(SEARCH_AFTER)
    os.write(out, NUMBER.pack(len(kernels)))
    take, give = os.pipe()
    os.write(give, b"".join(map(NUMBER.pack, range(len(kernels)))))
    os.close(give)
    workers = []
    for _ in range(min(threads.count, MOST, len(kernels)) - 1):
        try:
            worker = os.fork()
        except OSError:  # fewer will do
            break
        if worker == 0:
            os._exit(_work(kernels, take, out))
        workers.append(worker)
    statuses = [_work(kernels, take, out)]
    statuses += [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
    if min(statuses) < 0:
        os.kill(os.getpid(), -min(statuses))  # as the worker ended
    return max(statuses)


def _work(kernels: list[Callable[[], Any]], take: int, out: int) -> int:
    """Compiles kernels whose numbers nobody else has taken; the exit status."""
    status = 0
    with contextlib.suppress(BrokenPipeError):  # whoever waited for them is gone
        while said := os.read(take, NUMBER.size):
            try:
                kernels[NUMBER.unpack(said)[0]]()
            except Exception:
                status = 1  # it is raised again at its first use
                continue
            if cache.failed():
                return NOT_KEPT
            os.write(out, said)
    return status
