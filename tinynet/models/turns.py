"""Turns: one step of a model at a time.

A step holds the model's `lock`, and so does whoever reads or writes all weights (`get_weights`, `save`) or the running means: a
second thread that predicts, evaluates or saves while `fit` runs does so between two steps, with the weights of one of them.
A step that begins within another of the same thread (a signal handler, a metric that predicts) is counted in `depth`. Models
that share layers have locks of their own: a step of one may see the other's weights in the middle of an update.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Turns:
    """The lock of a model, and how many steps are within one another."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # held while a step runs
        self.depth = 0  # of steps within steps, counted by the thread that holds the lock

    def __reduce__(self) -> Any:
        return Turns, ()  # a copy of a model has turns of its own

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it no step of another thread runs, and one of this thread (a signal handler's) is one within a step."""
        with self.lock:
            outer = self.depth
            try:
                self.depth = outer + 1
                yield
            finally:
                self.depth = outer
