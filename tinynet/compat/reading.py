"""Arguments of models' methods that have other names, or no meaning, today."""

import math
from collections.abc import Mapping
from typing import Any

from tinynet.compat.warn import old, warn, written

NAMES = {"cosine": "cosine_similarity", "cosine_proximity": "cosine_similarity"}  # of losses and metrics
WITHOUT_EFFECT = {
    "class_mode": "the loss says it",
    "max_q_size": "batches are made when they are needed",
    "max_queue_size": "batches are made when they are needed",
    "nb_worker": "batches are made when they are needed",
    "pickle_safe": "batches are made when they are needed",
    "sample_weight_mode": "the shape of the weights says it",
    "show_accuracy": "write metrics=['accuracy'] in compile",
    "target_tensors": "targets come with the data",
    "use_multiprocessing": "batches are made when they are needed",
    "workers": "batches are made when they are needed",
}


def ignore(who: str, given: dict[str, Any]) -> None:
    """Takes arguments without effect out of `given`, with a warning for each that is not None."""
    for name in sorted(set(given) & set(WITHOUT_EFFECT)):
        if given.pop(name) is not None:
            warn(f"{who}({name}=...) has no effect: {WITHOUT_EFFECT[name]}")


def renamed(who: str, name: str, older: dict[str, Any], value: Any, today: str) -> Any:
    """`value`, or what `older` has under the name that the argument `today` had."""
    if name not in older:
        return value
    if value is not None:
        raise TypeError(f"{who}: {name} and {today} are two names of one argument; give one of them")
    value = older.pop(name)
    old(f"{who}({name}=...)", written(today, value))
    return value


def whole(steps: Any) -> Any:
    """A number of steps, rounded up: len(x) / batch_size was allowed."""
    return math.ceil(steps) if isinstance(steps, float) else steps


def today(loss: Any) -> Any:
    """Losses or metrics with the names they have today."""
    return _mapped(loss, NAMES)


def with_acc(metrics: Any) -> Any:
    """Metrics with the names they have today; "accuracy" is "acc", since that is what it was reported as."""
    return _mapped(metrics, {**NAMES, "accuracy": "acc"})


def _mapped(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if value in NAMES:
            old(repr(value), repr(NAMES[value]))
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, names) for key, item in value.items()}
    return [_mapped(item, names) for item in value] if isinstance(value, list | tuple) else value
