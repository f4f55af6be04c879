"""Counts of right and wrong yes-or-no predictions, at one threshold or many.

A prediction counts as positive where it is larger than the threshold (and not where it equals it). The counts
are taken on the host: each prediction falls into the bucket numbered by how many thresholds lie below it, and
what is above a threshold is the sum of the buckets behind it. Work and memory do not grow with the number of
thresholds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config, device, tracebacks
from tinynet.losses.shapes import same_rank, weights_like
from tinynet.metrics.metric import Metric
from tinynet.metrics.thresholds import checked
from tinynet.metrics.value import value_of

FOUR = ("true_positives", "false_positives", "true_negatives", "false_negatives")
NOT_CHOSEN = -1e10  # what predictions that are not among the top k count as


class Counts(Metric):
    """Base of metrics made of true and false positives and negatives at sorted thresholds.

    thresholds   T numbers; evenly spaced ones, i / (T - 1) with the first and last possibly moved outwards,
                 are found by a multiplication instead of a search
    top_k        only the k largest predictions of a row can be positive
    class_id     only this column is looked at

    Subclasses say in `kept` which of the four counts they need, and the names of their variables. A
    prediction that is NaN is neither positive nor negative: every count is NaN from then on. Predictions
    outside 0 .. 1, such as logits, are counted after a warning.
    """

    kept: ClassVar[Mapping[str, str]] = {name: name for name in FOUR}

    def __init__(
        self,
        thresholds: Sequence[float],
        name: str | None,
        dtype: str | None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.top_k, self.class_id = top_k, class_id
        self._order = np.argsort(thresholds, kind="stable")  # of the thresholds as they were given
        self._sorted = np.asarray(thresholds, np.float32)[self._order]
        self._even = evenly_spaced(np.sort(thresholds))
        self._looked = False  # whether predictions were looked at for being probabilities

    def build(self, labels: int | None = None) -> None:
        """Makes the variables (T,), for all predictions together, or (T, L), for each of `labels` columns."""
        shape = (len(self._sorted),) if labels is None else (len(self._sorted), labels)
        for attribute, name in self.kept.items():
            setattr(self, attribute, self.add_variable(shape, dtype="float64", name=name))

    def counted(self, *names: str) -> tuple[np.ndarray, ...]:
        """The counts so far, in the order in which the thresholds were given."""
        return tuple(device.to_host(getattr(self, name).data) for name in names)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true (0 is no, anything else yes) and y_pred of one shape;
        sample_weight (N,) or of that shape.
        """
        truth, predicted, weight = self.prepared(y_true, y_pred, sample_weight)
        self.count(truth.reshape(-1, 1), predicted.reshape(-1, 1), weight.reshape(-1, 1))

    def prepared(
        self, y_true: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Targets as booleans, predictions and weights on the host, all of one shape."""
        predicted = np.asarray(device.to_host(as_raw(y_pred)), self.dtype)
        predicted, truth = same_rank(predicted, np.asarray(device.to_host(as_raw(y_true))))
        if truth.shape != predicted.shape:
            raise ValueError(
                f"{self.name}: targets have shape {truth.shape}, predictions {predicted.shape}; "
                "they must be equal. Integer labels of several classes go through to_categorical"
            )
        weight = (
            np.ones(1)
            if sample_weight is None
            else weights_like(predicted, device.to_host(as_raw(sample_weight)))
        )
        weight = np.broadcast_to(weight, predicted.shape)
        if self.top_k is not None:
            predicted = only_largest(predicted, self.top_k)
        if self.class_id is not None:
            if predicted.ndim < 2:
                raise ValueError(
                    f"{self.name}: class_id is a column of predictions (N, C), got shape {predicted.shape}"
                )
            truth, predicted, weight = (array[..., self.class_id] for array in (truth, predicted, weight))
        return truth != 0, predicted, weight

    def count(self, truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> None:
        """Adds the counts of targets `truth`, `predicted` and `weight` (M, L)."""
        self._look_at(predicted)
        bucket, buckets = self._bucket(predicted), len(self._sorted) + 1
        yes, no = (counts_from(bucket, np.where(chosen, weight, 0.0), buckets) for chosen in (truth, ~truth))
        if np.isnan(predicted).any():
            yes, no = yes * np.nan, no * np.nan
        found = dict(zip(FOUR, (yes[1:], no[1:], no[:1] - no[1:], yes[:1] - yes[1:]), strict=True))
        for attribute in self.kept:
            count = getattr(self, attribute)
            values = np.empty(count.shape)
            values[self._order] = found[attribute].reshape(count.shape)
            count.assign_add(values)

    def _look_at(self, predicted: np.ndarray) -> None:
        """Warns if the first predictions are no probabilities, to which the thresholds belong."""
        if self._looked or not predicted.size or self.top_k is not None:
            return
        self._looked = True
        low, high = predicted.min(), predicted.max()
        if low < -config.epsilon() or high > 1 + config.epsilon():
            hint = "from_logits=True, or " if hasattr(self, "from_logits") else ""
            tracebacks.warn(
                f"{self.name}: predictions should be probabilities in 0 .. 1, "
                f"got values from {low:.3g} to {high:.3g}; for "
                f"logits give {hint}the model a sigmoid or softmax as its last activation"
            )

    def _bucket(self, predicted: np.ndarray) -> np.ndarray:
        """How many thresholds lie below each prediction; below one that is NaN, none."""
        if not self._even:
            below = np.searchsorted(self._sorted, predicted.astype(np.float32), side="left")
            return np.where(np.isnan(predicted), 0, below)
        within = np.clip(predicted, 0, 1) * predicted.dtype.type(len(self._sorted) - 1)
        least = 1 if self._sorted[0] < 0 else 0  # whatever is predicted, it counts as within 0 .. 1
        return np.where(
            np.isnan(predicted), 0, np.maximum(np.ceil(np.nan_to_num(within)).astype(np.intp), least)
        )


def counts_from(bucket: np.ndarray, weight: np.ndarray, buckets: int) -> np.ndarray:
    """bucket and weight (M, L) -> (B, L): the weight of those in bucket b and beyond,
    in each column; all of it for b = 0.
    """
    labels = bucket.shape[1]
    places = bucket + buckets * np.arange(labels)
    sums = np.bincount(places.ravel(), weight.ravel(), minlength=labels * buckets).reshape(labels, buckets)
    return sums[:, ::-1].cumsum(axis=1)[:, ::-1].T


def evenly_spaced(thresholds: np.ndarray) -> bool:
    """Whether they are 0, 1/(T-1), .., 1, up to rounding and 1e-7."""
    count = len(thresholds)
    return count > 2 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=config.epsilon())


def only_largest(predicted: np.ndarray, k: int) -> np.ndarray:
    """The k largest of each row, of equal ones the first; the others become NOT_CHOSEN."""
    chosen = np.argsort(-predicted, axis=-1, kind="stable")[..., :k]
    kept = np.full_like(predicted, NOT_CHOSEN)
    np.put_along_axis(kept, chosen, np.take_along_axis(predicted, chosen, -1), -1)
    return kept


def share(part: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """part / (part + rest), and 0 where there is nothing."""
    return ratio(part, part + rest)


def ratio(part: Any, whole: Any) -> np.ndarray:
    """part / whole, and 0 where whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.divide(
        part, whole, out=np.zeros(np.broadcast_shapes(np.shape(part), whole.shape)), where=whole != 0
    )


class _AtThresholds(Counts):
    """Base of the metrics with `thresholds=`: None (0.5), a number in 0 .. 1,
    or several, which give several results.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None,
        name: str | None,
        dtype: str | None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        self.thresholds = thresholds
        given = [0.5 if top_k is None else NOT_CHOSEN]
        if thresholds is not None:
            given = checked(type(self).__name__, thresholds)
        super().__init__(given, name, dtype, top_k, class_id)
        self.build()

    def values(self) -> np.ndarray:
        """The result at every threshold."""
        raise TypeError(f"{type(self).__name__} must define values(self)")

    def result(self) -> Any:
        values = self.values()
        return value_of(values[0] if len(values) == 1 else values.copy())

    def get_config(self) -> dict[str, Any]:
        thresholds = self.thresholds
        return {
            **super().get_config(),
            "thresholds": thresholds if thresholds is None else np.asarray(thresholds).tolist(),
        }


class _Count(_AtThresholds):
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype)

    def values(self) -> np.ndarray:
        return self.counted(*self.kept)[0]


class TruePositives(_Count):
    """How many yes-targets are predicted; thresholds None: 0.5, or one number or several in 0 .. 1.

    >>> TruePositives()([0, 1, 1], [0.2, 0.4, 0.8])
    1.0
    """

    kept: ClassVar = {"true_positives": "accumulator"}


class TrueNegatives(_Count):
    """How many no-targets are predicted as no; thresholds are as in TruePositives."""

    kept: ClassVar = {"true_negatives": "accumulator"}


class FalsePositives(_Count):
    """How many no-targets are predicted as yes; thresholds are as in TruePositives."""

    kept: ClassVar = {"false_positives": "accumulator"}


class FalseNegatives(_Count):
    """How many yes-targets are predicted as no; thresholds are as in TruePositives."""

    kept: ClassVar = {"false_negatives": "accumulator"}


class _TopK(_AtThresholds):
    _direction = "up"

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype, top_k, class_id)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class Precision(_TopK):
    """Share of the predicted positives that are right (0 of none);
    thresholds as in TruePositives, top_k, class_id in Counts.

    >>> Precision()([0, 1, 1], [0.6, 0.4, 0.8])
    0.5
    """

    kept: ClassVar = {"true_positives": "true_positives", "false_positives": "false_positives"}

    def values(self) -> np.ndarray:
        return share(*self.counted(*self.kept))


class Recall(_TopK):
    """Share of the yes-targets that are predicted (0 of none); thresholds as in TruePositives,
    top_k, class_id in Counts.

    >>> Recall()([0, 1, 1], [0.6, 0.4, 0.8])
    0.5
    """

    kept: ClassVar = {"true_positives": "true_positives", "false_negatives": "false_negatives"}

    def values(self) -> np.ndarray:
        return share(*self.counted(*self.kept))
