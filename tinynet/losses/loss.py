"""The base class of losses: per-sample values, weighted and reduced to one number."""

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import ops, registry, signature
from tinynet.autograd import Tensor, as_tensor
from tinynet.losses.shapes import same_rank, target, weights_like

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class Loss:
    """Base class; subclasses define `call(y_true, y_pred)`, which returns one value per sample.

    reduction  "sum_over_batch_size" (also "mean"): sum of weighted losses / number of losses, not / sum of
               weights; "mean_with_sample_weight": / sum of weights;  "sum";  None (also "none"): the losses
               themselves
    dtype      the format to compute in; None: that of the predictions. Targets are brought into it
    name       what it is called; None: the class in snake case

    `call` is given Tensors of one rank: targets (N,) beside predictions (N, 1) become (N, 1), where a
    difference would be (N, N).

    >>> class Cubic(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)
    >>> Cubic()(np.array([1.0, 2.0]), np.array([1.0, 4.0])).item()
    4.0
    """

    _converts_targets = True  # whether that is so; if not, `call` is given the targets as they are

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ) -> None:
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: reduction must be one of {_REDUCTIONS}, got {reduction!r}"
            )
        if dtype not in (None, "float32", "float64"):
            raise ValueError(f"{type(self).__name__}: dtype must be 'float32' or 'float64', got {dtype!r}")
        self.name = name or registry.snake_case(type(self).__name__)
        self.reduction, self.dtype = reduction, dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        y_pred = as_tensor(y_pred)
        if self.dtype not in (None, y_pred.dtype.name):
            y_pred = ops.cast(y_pred, dtype=self.dtype)
        if self._converts_targets:
            y_true, y_pred = same_rank(as_tensor(target(y_true, y_pred)), y_pred)
        losses = self.call(y_true, y_pred)
        if not hasattr(losses, "ndim"):
            raise TypeError(
                f"the loss {self.name!r} must return a Tensor, one value per sample; it returned {losses!r}"
            )
        return as_tensor(
            reduce_losses(as_tensor(losses), sample_weight, self.reduction, self._which_count(y_true, y_pred))
        )

    def call(self, y_true: Any, y_pred: Tensor) -> Any:
        """Losses (N,) or (N, ...) of targets y_true and predictions y_pred."""
        raise TypeError(
            f"{type(self).__name__} must define call(self, y_true, y_pred), which returns a loss per sample"
        )

    def _which_count(self, y_true: Any, y_pred: Tensor) -> Any:
        """Which losses count, as booleans of their shape, or None if all do."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "reduction": self.reduction,
            **({"dtype": self.dtype} if self.dtype else {}),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Loss":
        """The loss that `get_config` described by `config`; `custom_objects`: {name: object} of one's own."""
        with registry.custom_object_scope(custom_objects or {}):
            return cls(**config)

    __repr__ = signature.call_repr


class LossFunctionWrapper(Loss):
    """A function fn(y_true, y_pred, **settings) -> losses per sample, as a Loss;
    reduction, name, dtype are as in Loss.

    >>> loss = LossFunctionWrapper(losses.huber, reduction="sum", delta=2.0)
    >>> loss([[0.0], [0.0]], [[1.0], [4.0]]).item()
    6.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or getattr(fn, "name", None), reduction, dtype)
        self.fn, self.settings = fn, settings
        # tinynet's losses convert targets themselves; a user's function gets them converted, as from Keras.
        self._converts_targets = not (getattr(fn, "__module__", None) or "").startswith("tinynet.")

    def call(self, y_true: Any, y_pred: Tensor) -> Any:
        return self.fn(y_true, y_pred, **self.settings)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": registry.describe(self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**super().get_config(), **own, **self.settings}


def reduce_losses(losses: Any, sample_weight: Any, reduction: str | None, mask: Any = None) -> Any:
    """Weights `losses` (N, ...) and reduces them as the class says; a weighted sum without weight is 0.

    Where `mask` is false a loss has no weight; "sum_over_batch_size" divides by the number of the others.
    """
    weight = None if sample_weight is None else as_tensor(weights_like(losses, sample_weight))
    if mask is not None:
        counted = ops.cast(as_tensor(mask), dtype=losses.dtype)
        if reduction in ("sum_over_batch_size", "mean"):
            counted = counted * (losses.size / ops.maximum(ops.sum(counted), 1.0))
        weight = counted if weight is None else weight * counted
    if weight is not None:
        losses = losses * weight
    if reduction in (None, "none") or losses.ndim == 0:
        return losses
    if reduction == "sum":
        return ops.sum(losses)
    if reduction == "mean_with_sample_weight" and weight is not None:
        total = ops.sum(weight)
        return ops.sum(losses) / ops.where(total == 0, 1.0, total)
    return ops.mean(losses)
