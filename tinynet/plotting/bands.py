"""The curves of several seeds as one: their mean, the lowest and the highest."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tinynet.plotting.histories import curve, logged


class Band(NamedTuple):
    """Over `epochs`, the `mean` of the seeds that got there, with their `low`est and `high`est;
    all seeds did in the first `common` epochs. NaN where one of them is NaN.
    """

    label: str
    epochs: np.ndarray  # (E,)
    mean: np.ndarray  # (E,)
    low: np.ndarray  # (E,)
    high: np.ndarray  # (E,)
    common: int
    seeds: int


def band(label: str, histories: Any, metric: str) -> Band:
    """The band of one name of `compare_histories`: one history, or several in a list."""
    one = isinstance(histories, Mapping) or hasattr(histories, "history")
    try:
        seeds = [histories] if one else list(histories)
    except TypeError:
        seeds = []
    where = f"compare_histories: runs[{label!r}]"
    if not seeds:
        raise ValueError(f"{where}: expected a history or a list of them, got {histories!r}")
    curves = []
    for seed in seeds:
        values = logged(seed, where)
        if metric not in values or not len(values[metric]):
            raise ValueError(
                f"{where}: metric: there are no values of {metric!r}; "
                f"the history has {', '.join(sorted(values)) or 'nothing'}"
            )
        curves.append(curve(seed, metric, where))
    epochs = np.unique(np.concatenate([found for found, _ in curves]))
    present = np.zeros((len(curves), len(epochs)), bool)
    table = np.zeros((len(curves), len(epochs)))
    for row, (found, drawn) in enumerate(curves):
        at = np.searchsorted(epochs, found)
        present[row, at], table[row, at] = True, drawn
    return Band(
        label, epochs, table.sum(0) / present.sum(0),
        np.where(present, table, np.inf).min(0), np.where(present, table, -np.inf).max(0),
        int(np.argmin(np.append(present.all(0), False))), len(curves),
    )  # fmt: skip
