"""Means: the running means of loss and metrics of one run: an epoch of `fit`, an `evaluate`, a `train_on_batch`.

There is one set of metric objects, those of `model.metrics`, and there may be several runs at a time: a callback evaluates
in the middle of an epoch, another thread does while `fit` runs. They take turns: whoever comes finds what he left, and what
the run before him needs later is put aside. So the objects show the numbers of the run that used them last.
"""

from collections.abc import Sequence
from typing import Any

from tinynet.metrics import snapshot
from tinynet.metrics.metric_list import logged


class Means:
    """Running means of a run of `model`, from 0. Everything here holds the lock of the model's steps."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._kept: list[tuple[Any, Any]] = []  # (metric, what it holds), while others use the objects
        self.reset()

    def reset(self) -> None:
        """Forgets all batches."""
        with self.model._replay_of_steps.lock:
            self._compiled_objective = self.model._compiled_objective
            self._put_aside()
            self._compiled_objective.holder = self
            self._of_layers = self.model._metrics_of_layers()
            for metric in self._all():
                metric.reset_state()

    def update(self, loss: Any, parts: Sequence[Any], y: Any, y_pred: Any, weight: Any) -> None:
        """Takes in a batch, within its step."""
        if self._compiled_objective.holder is not self or self._compiled_objective is not self.model._compiled_objective:
            self.take_turn()
        self._compiled_objective.update(loss, parts, y, y_pred, weight)

    def results(self) -> dict[str, Any]:
        """{"loss": ..., metric: ...} over all batches, in the order of compile; then the metrics that layers hold."""
        with self.model._replay_of_steps.lock:
            self.take_turn()
            results = self._compiled_objective.results()
            for metric in self._of_layers:
                results.update(logged(metric.name, metric))
            return results

    def loss(self) -> float:
        """The mean of the loss alone, which takes little time."""
        with self.model._replay_of_steps.lock:
            self.take_turn()
            return float(self._compiled_objective.mean_loss.result())

    def take_turn(self) -> None:
        """The metrics hold what this run has seen so far; from now on what it does."""
        if self._compiled_objective is not self.model._compiled_objective:
            self.reset()  # a callback compiled anew: other losses, other metrics
        if self._compiled_objective.holder is not self:
            self._put_aside()
            self._compiled_objective.holder = self
            kept = {id(metric) for metric, _ in self._kept}
            for metric in self._all():
                if id(metric) not in kept:
                    metric.reset_state()
            for metric, held in self._kept:
                snapshot.put_back(metric, held)
            self._kept = []

    def metrics(self) -> list[Any]:
        """The metric objects, holding what this run has seen."""
        with self.model._replay_of_steps.lock:
            self.take_turn()
            return self._all()

    def release(self) -> None:
        """Says that nothing more will come. The metrics go on holding what this run has seen."""
        with self.model._replay_of_steps.lock:
            if self._compiled_objective.holder is self:
                self._compiled_objective.holder = None

    def _put_aside(self) -> None:
        """Lets the run whose numbers the metrics hold keep them for itself."""
        holder = self._compiled_objective.holder
        if holder is not None and holder is not self:
            holder._kept = [(metric, snapshot.taken(metric)) for metric in holder._all()]

    def _all(self) -> list[Any]:
        return [*self._compiled_objective.all_metrics, *self._of_layers]
