"""Objective: the loss and the metrics of a compiled model, with their running means."""

from collections.abc import Sequence
from typing import Any

from tinynet import losses, metrics
from tinynet.autograd import Tensor


class Objective:
    """What is minimised, and what is reported about it.

    The reported loss is the mean over the samples seen since `reset`: batch losses weighted by the batch sizes.
    """

    def __init__(self, loss: Any, metric: Sequence[Any] | None, weighted_metrics: Sequence[Any] | None) -> None:
        self.function = losses.as_loss(loss)
        self.mean_loss = metrics.Mean(name="loss")
        self.metrics = metrics.MetricList(metric, weighted_metrics)

    def loss(self, y: Any, y_pred: Tensor, weight: Any) -> Tensor:
        """The loss of a batch, one number."""
        if self.function is None:
            raise ValueError("no loss was given: compile(optimizer, loss=...) says what training should make small")
        if y is None:
            raise ValueError("y is missing: the loss compares predictions with targets; pass y, or batches (x, y)")
        value = self.function(y, y_pred, weight)
        if value.ndim:
            raise ValueError(f"training needs one number, but the loss with reduction=None has shape {value.shape}")
        return value

    def update(self, loss: Any, y: Any, y_pred: Any, weight: Any) -> None:
        """Takes in a batch; metrics get a copy of the predictions, which they may keep."""
        self.mean_loss.update_state(loss, y_pred.shape[0])
        if self.metrics.metrics:
            self.metrics.update_state(y, y_pred.copy(), weight)

    def results(self) -> dict[str, Any]:
        """{"loss": ..., metric: ...} over all batches since `reset`, in the order of compile."""
        return {"loss": self.mean_loss.result(), **self.metrics.result()}

    def reset(self) -> None:
        """Forgets all batches."""
        self.mean_loss.reset_state()
        self.metrics.reset_state()
