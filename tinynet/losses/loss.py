"""The base class of losses: per-sample values, weighted and reduced to one number."""

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import lookup, ops
from tinynet.autograd import Tensor, as_tensor
from tinynet.losses.shapes import weights_like

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class Loss:
    """Base class; subclasses define `call(y_true, y_pred)`, which returns one value per sample.

    reduction  "sum_over_batch_size" (also "mean"): sum of weighted losses / number of losses, not / sum of weights;
               "mean_with_sample_weight": / sum of weights;  "sum";  None (also "none"): the losses themselves
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size") -> None:
        if reduction not in _REDUCTIONS:
            raise ValueError(f"{type(self).__name__}: reduction must be one of {_REDUCTIONS}, got {reduction!r}")
        self.name = name or lookup.snake_case(type(self).__name__)
        self.reduction = reduction

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        losses = self.call(y_true, as_tensor(y_pred))
        if not hasattr(losses, "ndim"):
            raise TypeError(f"the loss {self.name!r} must return a Tensor, one value per sample; it returned {losses!r}")
        return as_tensor(reduce_losses(losses, sample_weight, self.reduction))

    def call(self, y_true: Any, y_pred: Tensor) -> Any:
        """Losses (N,) or (N, ...) of targets and predictions."""
        raise TypeError(
            f"{type(self).__name__} must define call(self, y_true, y_pred), which returns a loss per sample"
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Loss":
        """The loss that `get_config` described."""
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A function (y_true, y_pred, **settings) -> losses per sample, as a Loss."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction)
        self.fn, self.settings = fn, settings

    def call(self, y_true: Any, y_pred: Tensor) -> Any:
        return self.fn(y_true, y_pred, **self.settings)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": self.fn} if type(self) is LossFunctionWrapper else {}
        return {**super().get_config(), **own, **self.settings}


def reduce_losses(losses: Any, sample_weight: Any, reduction: str | None) -> Any:
    """Weights `losses` (N, ...) and reduces them as the class says; a weighted sum without weight is 0."""
    weight = None
    if sample_weight is not None:
        weight = weights_like(losses, sample_weight)
        losses = losses * weight
    if reduction in (None, "none") or losses.ndim == 0:
        return losses
    if reduction == "sum":
        return ops.sum(losses)
    if reduction == "mean_with_sample_weight" and weight is not None:
        total = ops.sum(weight)
        return ops.sum(losses) / ops.where(ops.equal(total, 0), 1.0, total)
    return ops.mean(losses)
