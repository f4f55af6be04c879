"""Areas under curves."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import ops
from tinynet.autograd import as_raw
from tinynet.backend import config
from tinynet.metrics.confusion import Counts, ratio
from tinynet.metrics.thresholds import checked, checked_count
from tinynet.metrics.value import Value


class AUC(Counts):
    """Area under a curve through the points that the thresholds give, 0 - e, i / (n - 1), 1 + e.

    num_thresholds    n, at least 2
    curve             "ROC": share of found positives over share of false alarms;  "PR": precision over
                      recall; "PRGAIN": their gains (Flach & Kull, NIPS 2015)
    summation_method  "interpolation": the trapezoidal rule, for PR the interpolation of Davis & Goadrich
                      (ICML 2006); "minoring", "majoring": the smaller or larger of two neighbouring heights
    thresholds        those to use in between, in 0 .. 1, instead of evenly spaced ones
    multi_label       an area for each of the columns (N, L), then their mean, weighted by `label_weights`;
                      without it, `label_weights` weigh the columns before all are counted together
    num_labels        L, if it is to be known before the first batch;  from_logits   predictions are logits

    >>> AUC()([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8])
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if thresholds is None:
            num_thresholds = checked_count(type(self).__name__, num_thresholds, 2)
        if num_labels is not None and not multi_label:
            raise ValueError(
                f"AUC: num_labels={num_labels} is the number of columns of multi_label=True; leave it out"
            )
        self.curve = _one_of("curve", str(curve).upper(), ("ROC", "PR", "PRGAIN"))
        self.summation_method = _one_of(
            "summation_method", str(summation_method).lower(), ("interpolation", "minoring", "majoring")
        )
        self._given = (
            None if thresholds is None else sorted(checked(type(self).__name__, thresholds, least=0))
        )
        inner = (
            np.arange(1, num_thresholds - 1) / (num_thresholds - 1) if self._given is None else self._given
        )
        self.num_thresholds = len(inner) + 2
        self.thresholds = [-config.epsilon(), *map(float, inner), 1 + config.epsilon()]
        super().__init__(self.thresholds, name, dtype)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        self._columns: int | None = None
        if not multi_label or num_labels:
            self.build(num_labels)

    def build(self, labels: int | None = None) -> None:
        super().build(labels)
        self._columns = labels or 1

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in y_true and y_pred (N,) or (N, L); sample_weight (N,) or of that shape."""
        y_pred = ops.sigmoid(as_raw(y_pred)) if self.from_logits else y_pred
        truth, predicted, weight = self.prepared(y_true, y_pred, sample_weight)
        if not self.multi_label:
            weight = weight if self.label_weights is None else weight * self.label_weights
            truth, predicted, weight = (array.reshape(-1, 1) for array in (truth, predicted, weight))
        elif predicted.ndim != 2:
            raise ValueError(
                f"{self.name}: with multi_label, predictions have shape (N, L), got {predicted.shape}"
            )
        if self._columns is None:
            self.build(predicted.shape[1])
        if predicted.shape[1] != self._columns:
            raise ValueError(
                f"{self.name}: expected {self._columns} labels, got predictions of shape {predicted.shape}"
            )
        self.count(truth, predicted, weight)

    def result(self) -> Value:
        if self._columns is None:
            return Value(0.0)
        counts = self.counted("true_positives", "false_positives", "true_negatives", "false_negatives")
        tp, fp, tn, fn = (values.reshape(self.num_thresholds, -1) for values in counts)  # (T, L)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _area_of_precision(tp, fp, fn)
        else:
            x, y = _points(self.curve, tp, fp, tn, fn)
            heights = {"interpolation": (y[:-1] + y[1:]) / 2, "minoring": np.minimum(y[:-1], y[1:])}
            areas = (x[:-1] - x[1:]) * heights.get(self.summation_method, np.maximum(y[:-1], y[1:]))
        areas = areas.sum(axis=0)  # (L,)
        if self.multi_label and self.label_weights is not None:
            return Value(ratio((areas * self.label_weights).sum(), self.label_weights.sum()))
        return Value(areas.mean())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "thresholds": self._given,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }


def _one_of(argument: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"AUC: {argument} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def _points(
    curve: str, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (T, L) of the curve's points."""
    recall = ratio(tp, tp + fn)
    if curve == "ROC":
        return ratio(fp, fp + tn), recall
    if curve == "PR":
        return recall, ratio(tp, tp + fp)
    odds = ratio(tp + fn, tn + fp)
    found = tp != 0
    gain = np.where(found, 1 - odds * ratio(fn, tp), 0.0)
    return np.maximum(gain, 0.0), np.where(found, 1 - odds * ratio(fp, tp), 1.0)


def _area_of_precision(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """Areas (T - 1, L) between neighbouring points of the precision-recall curve.

    Between two thresholds the true positives are taken to grow by a constant slope s with the
    positives p = tp + fp, so that precision is (a + s p) / p with a = tp - s p: s (tp' - tp + a log(p' / p))
    / (tp + fn), p' > p.
    J. Davis, M. Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006, section 4.
    """
    p = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = ratio(gained, np.maximum(p[:-1] - p[1:], 0.0))
    start = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = np.where(both, ratio(p[:-1], p[1:]), 1.0)
    return ratio(slope * (gained + start * np.log(growth)), tp[1:] + fn[1:])
