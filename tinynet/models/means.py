"""Means: the running means of loss and metrics of one run: an epoch of `fit`,
an `evaluate`, a `train_on_batch`.

A model has one set of metric objects, those of `model.metrics`, but several runs can be under way at a
time: a callback evaluates in the middle of an epoch, or another thread does while `fit` runs. So the runs
take turns. A run that uses the metrics first saves what they hold for the run before it, and then restores
what it left there itself. So the metrics show the numbers of the run that used them last.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tinynet.metrics import snapshot
from tinynet.metrics.metric_list import logged


class Means:
    """Running means of a run of `model`, from 0. It holds the lock of steps while it uses the metrics.

    A run that begins while a step is under way in the same thread (in a signal handler, or in a metric that
    evaluates) leaves the metrics as it found them.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.reported: dict[str, Any] | None = None  # last result of the model's own train_step, test_step
        self._kept: list[tuple[Any, Any]] = []  # (metric, what it held), while another run uses it
        # If it began in the middle of another run's step: that run, and what the metrics held.
        self._found: tuple[Any, list[tuple[Any, Any]]] | None = None
        with model._step_lock.held():
            self._find_metrics()
            if model._step_lock.depth > 1:
                self._found = self.objective.holder, self._held()
            self._begin()

    def reset(self) -> None:
        """Forgets all batches."""
        with self.model._step_lock.held():
            self._find_metrics()
            self._begin()

    def _find_metrics(self) -> None:
        """Finds the metrics: a callback may have called `compile`, and layers make some when built."""
        self.objective, self.reported = self.model._compiled_objective, None
        known = {id(metric) for metric in self.objective.all_metrics}
        self._of_layers = [metric for metric in self.model.metrics if id(metric) not in known]

    def _begin(self) -> None:
        self._put_aside()
        self._kept, self.objective.holder = [], self
        for metric in self._all():
            metric.reset_state()

    def update(self, loss: Any, parts: Sequence[Any], y: Any, y_pred: Any, weight: Any) -> None:
        """Adds a batch; called within its step."""
        if self.objective.holder is not self or self.objective is not self.model._compiled_objective:
            self.take_turn()
        self.objective.update(loss, parts, y, y_pred, weight)

    def results(self) -> dict[str, Any]:
        """{"loss": ..., metric: ...} over all batches, in the order of compile;
        then the metrics that layers hold.
        """
        if self.reported is not None:
            return dict(self.reported)
        with self._turn():
            results = self.objective.results()
            for metric in self._of_layers:
                results.update(logged(metric.name, metric))
            return results

    def loss(self) -> float:
        """The mean of the loss alone, which takes little time."""
        if self.reported is not None:
            return float(self.reported.get("loss", math.nan))
        with self._turn():
            return float(self.objective.mean_loss.result())

    def metrics(self) -> list[Any]:
        """The metric objects, holding what this run has seen."""
        with self._turn():
            return self._all()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Context in which the metrics hold the numbers of this run.

        In the middle of another run's step, it gives them back at its end.
        """
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
        """Gives the metrics to this run, with its numbers so far. Called with the lock of steps held."""
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
        """Ends the run. The metrics keep its numbers, unless it began in the middle of another run's step."""
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
        """Saves the numbers that the metrics hold, for the run that they belong to."""
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
