"""Steps of one's own: what a subclass of Model may define to say what happens to a batch, as in Keras 3.

class Distiller(Model):
    def train_step(self, data):                            # Tensors: x, or (x, y), or (x, y, sample_weight)
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred) + losses.kl_divergence(self.teacher(x), y_pred).mean()
        self.optimizer.apply(tinynet.grad(loss, self.trainable_weights), self.trainable_weights)
        return self.compute_metrics(x, y, y_pred)          # {name: number}, which fit reports

`fit`, `evaluate` and `predict` call these methods if a subclass defines them; otherwise they call the
functions of steps.py, which do the same. `fit` reports for an epoch what its last batch returned.
"""

import inspect
from typing import Any

from tinynet.autograd import Tensor, as_raw, gradients, no_grad, set_grad_enabled
from tinynet.models.compiled import Compiled
from tinynet.tree import leaves, mapped
from tinynet.utils import pack_x_y_sample_weight, unpack_x_y_sample_weight


class Customized(Compiled):
    """Base of Trainer: the methods that a subclass may define, as they are without it."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update of the weights by the batch `data`, x or (x, y[, sample_weight]);
        {name: number} to report.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=True)
        loss = self._own_loss(x, y, y_pred, sample_weight, True)
        self._follow_loss(loss, x)
        if weights := self.trainable_weights:
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
            self.optimizer.apply(gradients(scaled, weights), weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """{name: number} to report of the batch `data`, in inference mode."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self._follow_loss(self._own_loss(x, y, y_pred, sample_weight, False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Predictions for the batch `data`, in inference mode."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of a batch, one number: that of `compile` for y, y_pred and sample_weight,
        and the penalties of layers.

        x and training are not used here; a subclass may use them.
        """
        loss, parts = self._compiled_objective.loss(y, y_pred, sample_weight, self.losses)
        for mean, part in zip(self._compiled_objective.parts, parts, strict=bool(parts)):
            mean.update_state(part, _samples(y_pred))
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the metrics of `compile` with y, y_pred, sample_weight;
        {name: value so far} of all metrics.

        x is not used here; a subclass may use it.
        """
        self._compiled_objective.bind(y_pred)
        self._compiled_objective.update_metrics(y, y_pred, sample_weight)
        return self._results_so_far()

    def _results_so_far(self) -> dict[str, Any]:
        """{name: value so far} of all metrics, as `result` returns it: Tensors if a listener observes it."""
        objective, results = self._compiled_objective, dict[str, Any]()
        names = {
            id(metric): name
            for name, metric in zip(objective.metrics.names, objective.metrics.metrics, strict=True)
        }
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {names.get(id(metric), metric.name): value})
        return results

    def _follow_loss(self, loss: Any, x: Any) -> None:
        self._compiled_objective.mean_loss.update_state(loss, _samples(x))

    def _own_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """Calls `compute_loss`, which in older subclasses has no argument `training`."""
        extra = (
            {"training": training} if "training" in inspect.signature(self.compute_loss).parameters else {}
        )
        return self.compute_loss(x, y, y_pred, sample_weight, **extra)

    def _loss_and_parts(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> tuple[Any, list[Any]]:
        """(the loss of a batch, the losses of the outputs), for a step that is not the subclass's own."""
        if type(self).compute_loss is Customized.compute_loss:
            return self._compiled_objective.loss(y, y_pred, sample_weight, self.losses)
        self._compiled_objective.bind(y_pred)
        return self._own_loss(_tensors(x), _tensors(y), y_pred, _tensors(sample_weight), training), []

    def _defines_own(self, *methods: str) -> bool:
        """Whether a subclass defines one of these methods."""
        return any(getattr(type(self), method) is not getattr(Customized, method) for method in methods)


def defines_training(model: Any) -> bool:
    """Whether `model` has a training step of its own."""
    return model._defines_own("train_step", "compute_metrics")


def defines_testing(model: Any) -> bool:
    """Whether `model` has a step of evaluation of its own."""
    return model._defines_own("test_step", "compute_metrics")


@set_grad_enabled(True)
def own_update(model: Any, x: Any, y: Any, weight: Any) -> dict[str, Any]:
    """Runs the model's own `train_step`; returns what it reports."""
    return _reported(model, "train_step", model.train_step(_data(x, y, weight)))


@no_grad()
def own_evaluate_batch(model: Any, x: Any, y: Any, weight: Any) -> dict[str, Any]:
    """Runs the model's own `test_step`; returns what it reports."""
    return _reported(model, "test_step", model.test_step(_data(x, y, weight)))


@no_grad()
def own_predict_batch(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any]:
    """Runs the model's own `predict_step`."""
    return (mapped(as_raw, model.predict_step(_data(x, y, weight))),)


def _reported(model: Any, method: str, logs: Any) -> dict[str, Any]:
    if not isinstance(logs, dict):
        raise TypeError(
            f"{model}: {method} must return a dictionary {{name: number}} to report, got {logs!r}"
        )
    return {str(name): mapped(as_raw, value) for name, value in logs.items()}


def _data(x: Any, y: Any, weight: Any) -> Any:
    return pack_x_y_sample_weight(_tensors(x), _tensors(y), _tensors(weight))


def _tensors(given: Any) -> Any:
    return mapped(lambda array: array if array is None else Tensor(array), given)


def _samples(x: Any) -> int:
    return next(part for part in leaves(x) if part is not None).shape[0]
