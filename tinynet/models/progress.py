"""Progress: everything that training under way would need to be taken up by another process, with the same bits.

arrays    weights/<i>, optimizer/<i>, metrics/<i>/<name>
numbers   epoch and step, order of the data, random keys and counts of draws
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet.backend import random
from tinynet.data import Epochs
from tinynet.models.means import Means


class Progress:
    """Where a run of `fit` is: the epoch to go on with, the data, the running means of the epoch."""

    def __init__(self, epoch: int, data: Epochs, means: Means) -> None:
        self.epoch, self.data, self.means = epoch, data, means


def current(model: Any) -> Progress | None:
    """The run of `fit` that this thread is in, the innermost one if a callback trains."""
    return (model._fits_by_thread or {}).get(threading.get_ident())


@contextmanager
def running(model: Any, progress: Progress) -> Iterator[Progress]:
    """Within it `fit` runs. One that a callback of another `fit` calls leaves that one as it found it."""
    thread, fits = threading.get_ident(), model._fits_by_thread or {}
    outer, history, stopped = fits.get(thread), model.history, model.stop_training
    model._fits_by_thread = {**fits, thread: progress}
    model.stop_training = False
    try:
        yield progress
    except KeyboardInterrupt as error:
        where = f"fit was interrupted in epoch {progress.epoch + 1}"
        error.args = error.args or (f"{where}; the model keeps its weights, and another fit goes on from them",)
        raise
    finally:
        progress.means.release()
        model._fits_by_thread = {key: one for key, one in (model._fits_by_thread or {}).items() if key != thread}
        if outer is not None:
            model._fits_by_thread[thread] = outer
            model.history, model.stop_training = history, stopped


def training_state(model: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, numbers that JSON can hold) of a model in `fit`, between two steps or two epochs."""
    progress = _progress(model)
    arrays = {f"weights/{i}": parameter.numpy() for i, parameter in enumerate(model.weights)}
    if model.optimizer.built:
        arrays.update({f"optimizer/{i}": array for i, array in enumerate(model.optimizer.get_weights())})
    for i, metric in enumerate(progress.means.metrics()):
        arrays.update({f"metrics/{i}/{name}": np.asarray(value) for name, value in metric.state().items()})
    draws = [{"key": list(layer.key), "calls": layer.calls} for layer in _drawing(model)]
    return arrays, {"epoch": progress.epoch, "data": progress.data.state(), "random": random.state(), "draws": draws}


def restore_training_state(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    """Takes up what `training_state` told: `fit` goes on there. Call it in `on_train_begin`.

    Raises ValueError, changing nothing, if the model has other weights or random layers.
    """
    progress = _progress(model)
    drawing = _drawing(model)
    weights = _numbered(arrays, "weights")
    if [w.shape for w in weights] != [p.shape for p in model.weights] or len(drawing) != len(numbers["draws"]):
        built = "" if model.built else "; it is not built yet: give it an Input, or call it on a batch"
        raise ValueError(f"the state is of another model than {model}{built}")
    slots = _numbered(arrays, "optimizer")
    if slots:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_weights)
        model.optimizer.set_weights(slots)
    model.set_weights(weights)
    for layer, draw in zip(drawing, numbers["draws"], strict=True):
        layer.key, layer.calls = tuple(draw["key"]), draw["calls"]
    random.set_state(numbers["random"])
    for i, metric in enumerate(progress.means.metrics()):
        prefix = f"metrics/{i}/"
        values = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        if values:
            metric.set_state({name: array if array.ndim else array.item() for name, array in values.items()})
    progress.epoch = int(numbers["epoch"])
    progress.data.set_state(numbers["data"])


def _drawing(model: Any) -> list[Any]:
    """The layers that draw random numbers."""
    return [layer for layer in model.with_all_within() if hasattr(layer, "key") and hasattr(layer, "calls")]


def _numbered(arrays: dict[str, np.ndarray], folder: str) -> list[np.ndarray]:
    return [arrays[f"{folder}/{i}"] for i in range(sum(name.startswith(f"{folder}/") for name in arrays))]


def _progress(model: Any) -> Progress:
    progress = current(model)
    if progress is None:
        raise ValueError(f"{model} is not being trained: its training state exists within fit, for callbacks")
    return progress
