"""StepLock: one step of a model at a time.

A step holds the model's `lock`. So does everything that reads or writes all weights (`get_weights`, `save`)
or the running means. So when a second thread predicts, evaluates or saves while `fit` runs, it does so
between two steps, and sees the weights of one step. A step can begin inside another step of the same
thread, in a signal handler or in a metric that predicts: `depth` counts them. Models that share layers have
different locks: a step of one model may see weights that a step of the other has only partly updated.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StepLock:
    """The lock of a model, and how many steps are under way inside one another."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # held while a step runs
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
