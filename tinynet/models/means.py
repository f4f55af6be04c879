"""Means: the running means of loss and metrics of one run: an epoch of `fit`, an `evaluate`, a `train_on_batch`.

There is one set of metric objects, those of `model.metrics`, and there may be several runs at a time: a callback evaluates
in the middle of an epoch, another thread does while `fit` runs. They take turns: whoever comes finds what he left, and what
the run before him needs later is put aside. So the objects show the numbers of the run that used them last.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tinynet.metrics import snapshot
from tinynet.metrics.metric_list import logged


class Means:
    """Running means of a run of `model`, from 0. What it does with the metrics is done as a step is: see step_lock.py.

    A run that begins in the middle of that (a signal handler, a metric that evaluates) leaves them as it found them.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.told: dict[str, Any] | None = None  # what a step of the model's own reported last
        self._kept: list[tuple[Any, Any]] = []  # (metric, what it holds), while others use the objects
        self._found: tuple[Any, list[tuple[Any, Any]]] | None = None  # who used them and what they held, if in the middle
        with model._step_lock.held():
            self._look()
            if model._step_lock.depth > 1:
                self._found = self.objective.holder, self._held()
            self._begin()

    def reset(self) -> None:
        """Forgets all batches."""
        with self.model._step_lock.held():
            self._look()
            self._begin()

    def _look(self) -> None:
        """Notes which metrics there are now: callbacks compile anew, and layers make metrics when they are built."""
        self.objective, self.told = self.model._compiled_objective, None
        known = {id(metric) for metric in self.objective.all_metrics}
        self._of_layers = [metric for metric in self.model.metrics if id(metric) not in known]

    def _begin(self) -> None:
        self._put_aside()
        self._kept, self.objective.holder = [], self
        for metric in self._all():
            metric.reset_state()

    def update(self, loss: Any, parts: Sequence[Any], y: Any, y_pred: Any, weight: Any) -> None:
        """Takes in a batch, within its step."""
        if self.objective.holder is not self or self.objective is not self.model._compiled_objective:
            self.take_turn()
        self.objective.update(loss, parts, y, y_pred, weight)

    def results(self) -> dict[str, Any]:
        """{"loss": ..., metric: ...} over all batches, in the order of compile; then the metrics that layers hold."""
        if self.told is not None:
            return dict(self.told)
        with self._turn():
            results = self.objective.results()
            for metric in self._of_layers:
                results.update(logged(metric.name, metric))
            return results

    def loss(self) -> float:
        """The mean of the loss alone, which takes little time."""
        if self.told is not None:
            return float(self.told.get("loss", math.nan))
        with self._turn():
            return float(self.objective.mean_loss.result())

    def metrics(self) -> list[Any]:
        """The metric objects, holding what this run has seen."""
        with self._turn():
            return self._all()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Within it the metrics hold what this run has seen; in the middle of another run's turn, only within it."""
        step_lock = self.model._step_lock
        with step_lock.held():
            found = None
            if step_lock.depth > 1 and self.objective.holder is not self:
                found = self.objective.holder, self._held()
            self.take_turn()
            try:
                yield
            finally:
                if found is not None:
                    self._kept = self._held()
                    self.objective.holder, contents = found
                    _put_back(contents)

    def take_turn(self) -> None:
        """The metrics hold what this run has seen so far; from now on what it does. Within a step, or `held`."""
        if self.objective is not self.model._compiled_objective:
            self.reset()  # a callback compiled anew: other losses, other metrics
        if self.objective.holder is not self:
            self._put_aside()
            kept = {id(metric) for metric, _ in self._kept}
            for metric in self._all():
                if id(metric) not in kept:
                    metric.reset_state()
            _put_back(self._kept)
            self._kept, self.objective.holder = [], self

    def release(self) -> None:
        """Says that nothing more will come. The metrics go on holding what this run has seen, unless it began in the middle."""
        step_lock = self.model._step_lock
        if self._found is not None:
            with step_lock.held():
                self.objective.holder, found = self._found
                _put_back(found)
        else:
            with step_lock.lock:
                if self.objective.holder is self:
                    self.objective.holder = None

    def _put_aside(self) -> None:
        """Lets the run whose numbers the metrics hold keep them for itself."""
        holder = self.objective.holder
        if holder is not None and holder is not self:
            holder._kept = holder._held()
            self.objective.holder = None

    def _held(self) -> list[tuple[Any, Any]]:
        return [(metric, snapshot.taken(metric)) for metric in self._all()]

    def _all(self) -> list[Any]:
        return [*self.objective.all_metrics, *self._of_layers]


def _put_back(held: list[tuple[Any, Any]]) -> None:
    for metric, contents in held:
        snapshot.put_back(metric, contents)
