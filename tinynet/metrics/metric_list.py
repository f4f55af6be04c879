"""The metrics of a compiled model: all of them updated, read and reset together."""

from collections.abc import Iterator, Sequence
from typing import Any

from tinynet.autograd import Tensor
from tinynet.metrics.mean import is_own, of_one_rank
from tinynet.metrics.metric import Metric
from tinynet.metrics.registry import as_metric
from tinynet.metrics.value import plain


class MetricList:
    """`metrics`, which see no sample weights, then `weighted_metrics`, which do;
    each a list of what `get` takes.

    For several `outputs`, a list with an entry for each of them, or a dictionary by their names; the entries
    are metrics or lists of metrics, reported as "<output>_<metric>". A metric is reported under the name it
    was asked for ("acc" stays "acc"); a name given twice gets _1 the second time, or weighted_ in front if it
    is weighted.

    >>> both = MetricList(["mae", "mse"])
    >>> both.update_state([np.array([[0.0]])], [np.array([[2.0]])])
    >>> both.result()
    {'mae': 2.0, 'mse': 4.0}
    """

    def __init__(
        self, metrics: Any = None, weighted_metrics: Any = None, outputs: Sequence[str] = ("",)
    ) -> None:
        self.plain = _metrics("metrics", metrics, outputs)
        self.weighted = _metrics("weighted_metrics", weighted_metrics, outputs)
        prefixes = [f"{name}_" if len(outputs) > 1 else "" for name in outputs]
        self.names = _unique(
            [(prefixes[i], metric.name) for i, metric in self.plain],
            [(prefixes[i], metric.name) for i, metric in self.weighted],
        )
        kinds = (self.plain, False), (self.weighted, True)
        self.updates = [
            (i, metric, is_own(metric), weighted) for some, weighted in kinds for i, metric in some
        ]
        self.keeps = not all(is_own(part) for metric in self.metrics for part in _parts(metric))
        self.in_order = len(outputs) == 1  # several outputs are reported in alphabetical order, as in Keras

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, in the order they are reported."""
        return [metric for _, metric in (*self.plain, *self.weighted)]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch: y_true, y_pred and sample_weight are lists with an entry for each output."""
        for i, metric in (*self.plain, *self.weighted):
            if y_true[i] is None:
                raise ValueError(
                    f"the metric {metric.name!r} compares predictions with targets: its output has none in y"
                )
        for i, metric, own, weighted in self.updates:
            truth, predicted = (y_true[i], y_pred[i]) if own else of_one_rank(y_true[i], y_pred[i])
            if weighted:
                metric.update_state(truth, predicted, sample_weight[i])
            else:
                metric.update_state(truth, predicted)

    def result(self) -> dict[str, Any]:
        """{name: value so far}; a metric whose result is a dictionary is reported under its keys."""
        results: dict[str, Any] = {}
        for name, metric in zip(self.names, self.metrics, strict=True):
            if metric._in_logs:
                results.update(logged(name, metric))
        return results if self.in_order else dict(sorted(results.items()))

    def reset_state(self) -> None:
        """Forgets all batches."""
        for metric in self.metrics:
            metric.reset_state()


def _parts(thing: Any) -> Iterator[Any]:
    """A metric or loss and, if it is one of a function, that function."""
    yield thing
    if (function := getattr(thing, "fn", None)) is not None:
        yield from _parts(function)


def logged(name: str, metric: Metric) -> dict[str, Any]:
    """{name: value so far}, or what a result that is a dictionary says; as numbers and NumPy arrays."""
    value = metric.result()
    entries = value if isinstance(value, dict) else {name: value}
    return {key: _plain(entry) for key, entry in entries.items()}


def _plain(value: Any) -> Any:
    """A Tensor, such as a metric's variable, as a number or an array of its own."""
    if not isinstance(value, Tensor):
        return plain(value)
    return value.numpy() if value.ndim else value.data.item()


def _metrics(argument: str, given: Any, outputs: Sequence[str]) -> list[tuple[int, Metric]]:
    """(which output, metric) for all metrics."""
    if not isinstance(given, list | tuple | dict | None):
        raise ValueError(f"{argument} must be a list such as ['accuracy'], got {given!r}")
    if not given:
        return []
    entries: list[Any]
    if isinstance(given, dict):
        if unknown := sorted(set(given) - set(outputs)) if len(outputs) > 1 or outputs[0] else []:
            raise ValueError(f"{argument} names {unknown}, which are not among the outputs {list(outputs)}")
        entries = [given.get(name) for name in outputs] if len(outputs) > 1 else [list(given.values())]
    elif len(outputs) == 1:
        entries = [given]
    elif len(given) == len(outputs):
        entries = list(given)
    else:
        raise ValueError(
            f"{argument} must have an entry for each of the outputs {list(outputs)}, "
            f"got {len(given)}; a dictionary by their names may leave some out"
        )
    return [(i, as_metric(one)) for i, entry in enumerate(entries) for one in _flat(entry)]


def _flat(entry: Any) -> list[Any]:
    if isinstance(entry, list | tuple):
        return [one for part in entry for one in _flat(part)]
    return [] if entry is None else [entry]


def _unique(plain: list[tuple[str, str]], weighted: list[tuple[str, str]]) -> list[str]:
    """The names to report, each once."""
    seen: dict[str, int] = {}
    unique = []
    for i, (prefix, name) in enumerate([*plain, *weighted]):
        full = prefix + name
        if full in seen and i >= len(plain):
            full = f"{prefix}weighted_{name}"
        unique.append(f"{full}_{seen[full]}" if full in seen else full)
        seen[full] = seen.get(full, 0) + 1
    return unique
