"""StepLock: one step of a model at a time.

A step holds the model's `lock`. So does everything that reads or writes all weights (`get_weights`, `save`)
or the running means. So when a second thread predicts, evaluates or saves while `fit` runs, it does so
between two steps, and sees the weights of one step. A step can begin inside another step of the same
thread, in a signal handler or in a metric that predicts: `depth` counts them. Models that share layers have
different locks: a step of one model may see weights that a step of the other has only partly updated.

On a GPU a thread has only said what is to be done when it gives the lock away, on a stream of its own
(backend/gpu.py). What the next one does there comes after it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinynet.backend import gpu


class Lock:
    """A lock that one thread may take several times. On a GPU its holders' work is done in their order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._stream: Any = None  # that of the last holder that used a GPU

    def acquire(self) -> None:
        """Waits for the other threads, and has this one's stream wait for theirs."""
        self._lock.acquire()
        if self._stream is not None:
            gpu.after(self._stream)
            self._stream = gpu.stream() or self._stream  # whose work comes after that from now on

    def release(self) -> None:
        """Lets another thread take the lock."""
        if (stream := gpu.stream()) is not None:
            self._stream = stream
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


class StepLock:
    """The lock of a model, and how many steps are under way inside one another."""

    def __init__(self) -> None:
        self.lock = Lock()  # held while a step runs
        self.depth = 0  # number of steps under way; changed by the thread that holds the lock

    def __reduce__(self) -> Any:
        return StepLock, ()  # a copy of a model has a lock of its own

    @contextmanager
    def held(self) -> Iterator[None]:
        """Context in which no other thread runs a step; a step of this thread counts as one inside a step."""
        with self.lock:
            outer = self.depth
            try:
                self.depth = outer + 1
                yield
            finally:
                self.depth = outer
