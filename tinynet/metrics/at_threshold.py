"""The best of one rate at the thresholds where another is large enough."""

from typing import Any

import numpy as np

from tinynet.metrics.confusion import Counts, share
from tinynet.metrics.thresholds import checked_count
from tinynet.metrics.value import Value


class _AtThreshold(Counts):
    """Base: the largest `rate` at thresholds i / (num_thresholds - 1) where
    `condition` is at least `least`; 0 if nowhere.
    """

    _direction = "up"
    argument = ""  # name of the smallest value

    def __init__(
        self, least: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: str | None
    ) -> None:
        if not 0 <= least <= 1:
            raise ValueError(f"{type(self).__name__}: {self.argument} must lie in 0 .. 1, got {least}")
        num_thresholds = checked_count(type(self).__name__, num_thresholds, 1)
        self.least, self.num_thresholds = least, num_thresholds
        self.thresholds = (
            [0.5] if num_thresholds == 1 else [i / (num_thresholds - 1) for i in range(num_thresholds)]
        )
        super().__init__(self.thresholds, name, dtype, class_id=class_id)
        self.build()

    def rate(self) -> np.ndarray:
        """What is reported."""
        raise TypeError(f"{type(self).__name__} must define rate(self)")

    def condition(self) -> np.ndarray:
        """What must be at least `least`."""
        raise TypeError(f"{type(self).__name__} must define condition(self)")

    def result(self) -> Value:
        rates, condition = self.rate(), self.condition()
        if np.isnan(condition).any():
            return Value(np.nan)
        return Value(np.max(rates, where=condition >= self.least, initial=0.0))

    def get_config(self) -> dict[str, Any]:
        own = {self.argument: self.least, "num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **own}

    def recalls(self) -> np.ndarray:
        """Share of the yes-targets that are predicted, also called sensitivity, at every threshold."""
        return share(*self.counted("true_positives", "false_negatives"))

    def precisions(self) -> np.ndarray:
        """Share of the predicted positives that are right."""
        return share(*self.counted("true_positives", "false_positives"))

    def specificities(self) -> np.ndarray:
        """Share of the no-targets that are predicted as no."""
        return share(*self.counted("true_negatives", "false_positives"))


class SensitivityAtSpecificity(_AtThreshold):
    """The best sensitivity where `specificity` is at least the given one, in 0 .. 1.

    num_thresholds   how many, evenly spaced in 0 .. 1, are tried;  class_id   only this column is looked at

    >>> SensitivityAtSpecificity(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8])
    0.5
    """

    argument, rate, condition = "specificity", _AtThreshold.recalls, _AtThreshold.specificities

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_AtThreshold):
    """The best specificity where `sensitivity` is at least the given one, in 0 .. 1.

    num_thresholds   how many, evenly spaced in 0 .. 1, are tried;  class_id   only this column is looked at

    >>> SpecificityAtSensitivity(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8])
    0.5
    """

    argument, rate, condition = "sensitivity", _AtThreshold.specificities, _AtThreshold.recalls

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_AtThreshold):
    """The best precision where `recall` is at least the given one, in 0 .. 1.

    num_thresholds   how many, evenly spaced in 0 .. 1, are tried;  class_id   only this column is looked at

    >>> round(PrecisionAtRecall(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8]), 4)
    0.6667
    """

    argument, rate, condition = "recall", _AtThreshold.precisions, _AtThreshold.recalls

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_AtThreshold):
    """The best recall where `precision` is at least the given one, in 0 .. 1.

    num_thresholds   how many, evenly spaced in 0 .. 1, are tried;  class_id   only this column is looked at

    >>> RecallAtPrecision(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8])
    0.5
    """

    argument, rate, condition = "precision", _AtThreshold.recalls, _AtThreshold.precisions

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
