"""Objective: the losses and metrics of a compiled model, with their running means."""

from collections.abc import Iterator, Sequence
from typing import Any

from tinynet import losses, metrics
from tinynet.autograd import Tensor
from tinynet.tree import leaves


class Objective:
    """What training minimises, and what it reports.

    loss          one for all outputs, or a list,
                  dictionary or structure with one for each (None: the output has none)
    loss_weights  factors of the losses, in the same forms
    outputs       names of the outputs; None where they are not known before the first batch (subclasses)

    The reported loss is the mean over the samples: batch losses weighted by the batch sizes.
    """

    def __init__(
        self,
        loss: Any,
        metric: Any,
        weighted_metrics: Any,
        loss_weights: Any = None,
        outputs: Sequence[str] | None = ("",),
    ) -> None:
        self.given = {
            "loss": loss,
            "metrics": metric,
            "weighted_metrics": weighted_metrics,
            "loss_weights": loss_weights,
        }
        self.mean_loss = metrics.Mean(name="loss")
        self.outputs: list[str] | None = None
        self.terms: list[tuple[int, Any, Any]] = []  # (which output, loss, weight)
        self.functions: tuple[Any, ...] = ()  # the losses
        self.parts: list[Any] = []  # running means of the losses, if there are several
        self.metrics = metrics.MetricList(None, None)
        self.first_batch_seen, self.said = False, set[str]()  # for advice.py; `said`: what it warned of
        self.holder: Any = None  # the Means of the run whose numbers the metrics hold
        if outputs is not None:
            self._bind(list(outputs))

    def _bind(self, outputs: list[str]) -> None:
        """Makes losses and metrics for outputs of these names."""
        self.outputs = outputs
        if metrics_given := [w for w in leaves(self.given["loss_weights"]) if isinstance(w, str)]:
            raise ValueError(
                f"loss_weights must be numbers, got {metrics_given[0]!r}; "
                "metrics are given as metrics=[...], since "
                "compile(optimizer, loss, ...) takes loss_weights third"
            )
        given = by_output("loss", self.given["loss"], outputs)
        weights = by_output("loss_weights", self.given["loss_weights"], outputs)
        self.terms = [
            (i, losses.as_loss(loss), weights[i]) for i, loss in enumerate(given) if loss is not None
        ]
        self.functions = tuple(function for _, function, _ in self.terms)
        several = len(self.terms) > 1
        self.parts = [metrics.Mean(name=f"{outputs[i]}_loss") for i, _, _ in self.terms] if several else []
        self.metrics = metrics.MetricList(self.given["metrics"], self.given["weighted_metrics"], outputs)

    def bind(self, y_pred: Any) -> None:
        """Makes losses and metrics for the outputs y_pred, if the outputs were not known before."""
        if self.outputs is None:
            self._bind(_names(y_pred))

    def loss(
        self, y: Any, y_pred: Any, weight: Any, penalties: Sequence[Any] = ()
    ) -> tuple[Tensor, list[Tensor]]:
        """(the loss of a batch: one number, the losses of the outputs if there are several)."""
        self.bind(y_pred)
        if not self.functions:
            if not penalties:
                raise ValueError(
                    "no loss was given: compile(optimizer, loss=...) says what training should make small"
                )
            return _total(list(penalties)), []
        if y is None:
            raise ValueError(
                "y is missing: the loss compares predictions with targets; pass y, or batches (x, y)"
            )
        if isinstance(y_pred, Tensor) and len(self.terms) == 1:
            values = [_one(self.functions[0], *(_only(part) for part in (y, y_pred, weight)))]
        else:
            targets, predicted, weights = self._sorted(y), list(leaves(y_pred)), self._weights(weight)
            values = [_one(function, targets[i], predicted[i], weights[i]) for i, function, _ in self.terms]
        weighted = [
            value if w is None else value * w for value, (_, _, w) in zip(values, self.terms, strict=True)
        ]
        weighted += penalties
        return _total(weighted), values if self.parts else []

    def update(self, loss: Any, parts: Sequence[Any], y: Any, y_pred: Any, weight: Any) -> None:
        """Updates the running means of loss, losses and metrics with a batch."""
        several = isinstance(y_pred, list | tuple | dict)
        size = next(leaves(y_pred)).shape[0] if several else y_pred.shape[0]
        self.mean_loss.update_state(loss, size)
        for mean, part in zip(self.parts, parts, strict=bool(parts)):
            mean.update_state(part, size)
        self.update_metrics(y, y_pred, weight)

    def update_metrics(self, y: Any, y_pred: Any, weight: Any) -> None:
        """Updates the metrics alone. A metric that may keep its arguments gets a copy of the predictions."""
        if self.metrics.metrics:
            predicted = list(leaves(y_pred)) if isinstance(y_pred, list | tuple | dict) else [y_pred]
            if self.metrics.keeps:
                predicted = [array.copy() for array in predicted]
            self.metrics.update_state(self._sorted(y), predicted, self._weights(weight))

    def results(self) -> dict[str, Any]:
        """{"loss": ..., metric: ...} over all batches so far, in the order of compile."""
        losses_of = {mean.name: float(mean.result()) for mean in (self.mean_loss, *self.parts)}
        return {**losses_of, **self.metrics.result()}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "holder": None}  # a copy is not part of a run

    @property
    def all_metrics(self) -> list[Any]:
        """All running means and metrics: the loss, the losses of the outputs, the metrics."""
        return [self.mean_loss, *self.parts, *self.metrics.metrics]

    def _sorted(self, y: Any) -> list[Any]:
        """The targets in the order of the outputs; those of outputs without a loss may be left out."""
        assert self.outputs is not None
        if isinstance(y, dict) and not any(isinstance(part, list | tuple | dict) for part in y.values()):
            missing = [self.outputs[i] for i, _, _ in self.terms if self.outputs[i] not in y]
            if missing:
                raise ValueError(f"y has no targets for the outputs {missing}; it has {sorted(y)}")
            return [y.get(name) for name in self.outputs]
        targets = list(leaves(y)) if len(self.outputs) > 1 or isinstance(y, list | tuple) else [y]
        if len(targets) < len(self.outputs) and len(targets) == len(self.terms):
            places = {i: target for (i, _, _), target in zip(self.terms, targets, strict=True)}
            return [places.get(i) for i in range(len(self.outputs))]
        if len(targets) != len(self.outputs):
            raise ValueError(
                f"the model has the outputs {self.outputs}, y has targets for {len(targets)} of them"
            )
        return targets

    def _weights(self, weight: Any) -> list[Any]:
        assert self.outputs is not None
        if isinstance(weight, dict):
            if unknown := sorted(set(weight) - set(self.outputs)):
                raise ValueError(
                    f"sample_weight names {unknown}, which are not among the outputs {self.outputs}"
                )
            return [weight.get(name) for name in self.outputs]
        several = list(weight) if isinstance(weight, list | tuple) else [weight] * len(self.outputs)
        if len(several) != len(self.outputs):
            raise ValueError(
                f"the model has the outputs {self.outputs}, sample_weight has {len(several)} entries"
            )
        return several


def by_output(argument: str, given: Any, outputs: Sequence[str]) -> list[Any]:
    """One entry for each output: `given` itself for all, or what a list, a dictionary by the outputs' names,
    or a structure like that of the outputs says of each. What a dictionary leaves out is None; a list of one
    is what it holds.
    """
    if isinstance(given, dict) and "class_name" not in given:
        entries, unknown = dict[str, Any](), []
        for key, entry in given.items():
            within = [name for name in outputs if name.startswith(f"{key}/")]
            if key in outputs:
                entries[key] = _entry(argument, entry)
            elif within:
                found = by_output(argument, entry, [name.removeprefix(f"{key}/") for name in within])
                entries.update(zip(within, found, strict=True))
            else:
                unknown.append(key)
        if unknown:
            raise ValueError(
                f"{argument} names {sorted(unknown)}, which are not among the outputs {list(outputs)}"
            )
        return [entries.get(name) for name in outputs]
    if isinstance(given, list | tuple):
        several = list(given) if len(given) == len(outputs) else list(_entries(given))
        if len(several) != len(outputs):
            raise ValueError(
                f"{argument} has {len(given)} entries, the model has {len(outputs)} outputs: {list(outputs)}"
            )
        return [_entry(argument, entry) for entry in several]
    return [given] * len(outputs)


def _entry(argument: str, given: Any) -> Any:
    """The entry for one output."""
    if isinstance(given, list | tuple):
        if len(given) != 1:
            raise ValueError(
                f"{argument} takes one entry for each output, got {given!r}; add the losses up in a function"
            )
        return given[0]
    return given


def _entries(given: Any) -> Iterator[Any]:
    """The entries of nested lists, in order."""
    for entry in given:
        if isinstance(entry, list | tuple):
            yield from _entries(entry)
        else:
            yield entry


def _total(values: list[Any]) -> Any:
    return sum(values[1:], values[0])


def _one(function: Any, y: Any, y_pred: Any, weight: Any) -> Tensor:
    value = function(y, y_pred, weight)
    if value.ndim:
        raise ValueError(
            f"training needs one number, but the loss with reduction=None has shape {value.shape}"
        )
    return value


def _only(value: Any) -> Any:
    """`value`, or the one entry of a list or dictionary."""
    if isinstance(value, list | tuple | dict):
        several = list(leaves(value))
        if len(several) != 1:
            raise ValueError(f"the model has one output, y or sample_weight has {len(several)} entries")
        return several[0]
    return value


def _names(y_pred: Any) -> list[str]:
    """Names of the outputs of a model without declared outputs: keys, "key/name" inside, or output_0 ..."""
    if isinstance(y_pred, dict):
        return [f"{key}/{name}" if name else key for key in sorted(y_pred) for name in _names(y_pred[key])]
    return [f"output_{i}" for i, _ in enumerate(leaves(y_pred))] if isinstance(y_pred, list | tuple) else [""]
