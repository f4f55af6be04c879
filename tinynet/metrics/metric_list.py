"""The metrics of a compiled model: all of them updated, read and reset together."""

from collections.abc import Sequence
from typing import Any

from tinynet.metrics.lookup import as_metric
from tinynet.metrics.metric import Metric


class MetricList:
    """`metrics`, which see no sample weights, then `weighted_metrics`, which do; each a list of what `get` takes.

    A metric is reported under the name it was asked for ("acc" stays "acc"); a name given twice gets _1 the second
    time.
    """

    def __init__(self, metrics: Sequence[Any] | None = None, weighted_metrics: Sequence[Any] | None = None) -> None:
        self.plain = _metrics("metrics", metrics)
        self.weighted = _metrics("weighted_metrics", weighted_metrics)
        self.names = _unique([metric.name for metric in self.metrics])

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, in the order they are reported."""
        return [*self.plain, *self.weighted]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        for metric in self.plain:
            metric.update_state(y_true, y_pred)
        for metric in self.weighted:
            metric.update_state(y_true, y_pred, sample_weight)

    def result(self) -> dict[str, Any]:
        """{name: value so far}."""
        return {name: metric.result() for name, metric in zip(self.names, self.metrics, strict=True)}

    def reset_state(self) -> None:
        """Forgets all batches."""
        for metric in self.metrics:
            metric.reset_state()


def _metrics(argument: str, given: Sequence[Any] | None) -> list[Metric]:
    if not isinstance(given, list | tuple | None):
        raise ValueError(f"{argument} must be a list such as ['accuracy'], got {given!r}")
    return [as_metric(identifier) for identifier in given or ()]


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        unique.append(f"{name}_{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return unique
