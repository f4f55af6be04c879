"""What the pictures read out of a History: its curves, and which epochs their values belong to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def logged(history: Any, argument: str) -> Mapping[str, Sequence[float]]:
    """{name: values} of what `fit` returned, or of such a dictionary; ValueError for anything else."""
    values = getattr(history, "history", history)
    if not isinstance(values, Mapping):
        raise ValueError(
            f"{argument}: expected what fit returned, or its dictionary {{name: values}}, got {history!r}"
        )
    return values


def curve(history: Any, name: str, argument: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs from 1 on and the values of `name` (a mean of several numbers where it has several an epoch).

    With validation_freq > 1 there are fewer values than epochs; they belong to the last of each group.
    """
    values = logged(history, argument)
    found = _numbers(values[name])
    training = values.get(name.removeprefix("val_"), ())
    count = len(training) if len(training) else len(found)
    epochs = getattr(history, "epoch", ())
    # a plain dictionary, or a History that went on through several fits
    if len(epochs) != count:
        epochs = range(count)
    found = found[-count:]
    every = max(count // max(len(found), 1), 1)
    return (np.asarray(epochs, int) + 1)[every - 1 :: every][: len(found)], found


def _numbers(values: Sequence[Any]) -> np.ndarray:
    return np.array([np.mean(value) for value in values], float)


def is_share(name: str) -> bool:
    """Whether the values of this name are shares of the whole, shown in percent."""
    return "acc" in name


def shown(name: str, value: float) -> str:
    """A value as it stands in a picture."""
    if name == "learning_rate":
        return f"{value:.3g}"
    return f"{value:.2%}" if is_share(name) else f"{value:.4f}"


def only_in_training(history: Any) -> str:
    """What a History's model does to its inputs in training alone, for the legend: "with dropout", say."""
    found = []
    for layer in _flattened(getattr(history, "model", None)):
        kind = type(layer).__name__
        if "Dropout" in kind and getattr(layer, "rate", False):
            found.append("dropout")
        elif kind.startswith("Gaussian"):
            found.append("noise")
        elif kind.startswith("Random"):
            found.append("augmentation")
    return f"with {', '.join(dict.fromkeys(found))}" if found else ""


def _flattened(layer: Any) -> list[Any]:
    """The layers in a layer, and in those."""
    inner = getattr(layer, "layers", ())
    return [one for part in inner for one in (part, *_flattened(part))] if isinstance(inner, list) else []
