"""Progress: everything that training under way would need to be taken up by another process, with the same bits.

arrays    weights/<i>, optimizer/<i>, metrics/<i>/<name>
numbers   epoch and step, order of the data, random keys and counts of draws
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet.backend import check_stored, random
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
        arrays.update({f"metrics/{i}/{name}": np.asarray(value) for name, value in metric.training_state().items()})
    draws = [{"key": list(layer._draw_key), "calls": layer._draw_count} for layer in _drawing(model)]
    return arrays, {"epoch": progress.epoch, "data": progress.data.training_state(), "random": random.state(), "draws": draws}


def restore_training_state(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> Callable[[], None]:
    """Takes up what `training_state` told: `fit` goes on there. Call it in `on_train_begin`.

    The function that it returns undoes that. Raises ValueError, changing nothing, if that is the state of another model,
    or lacks anything.
    """
    put_back = _as_it_is(model)
    _check(model, arrays, numbers)
    try:
        _take_up(model, arrays, numbers)
    except Exception as error:
        put_back()
        raise ValueError(f"the state is not one of {model}: {type(error).__name__}: {error}") from error
    return put_back


def _as_it_is(model: Any) -> Callable[[], None]:
    """A function that puts everything back which `restore_training_state` changes."""
    state, optimizer = training_state(model), model.optimizer
    unbuilt = None if optimizer.built else (dict(vars(optimizer)), optimizer.get_weights())

    def put_back() -> None:
        _take_up(model, *state)
        if unbuilt is not None:
            vars(optimizer).clear()
            vars(optimizer).update(unbuilt[0])
            optimizer.set_weights(unbuilt[1])

    return put_back


def _take_up(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    slots = _numbered(arrays, "optimizer")
    if slots:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_weights)
        if not _fit(slots, model.optimizer.variables):
            raise ValueError(f"it is of another optimizer than {model.optimizer.name}")
        model.optimizer.set_weights(slots)
    model.set_weights(_numbered(arrays, "weights"))
    for layer, draw in zip(_drawing(model), numbers["draws"], strict=True):
        layer._draw_key, layer._draw_count = check_stored.key(draw["key"], "the key of a layer"), draw["calls"]
    random.set_state(numbers["random"])
    progress = _progress(model)
    for i, metric in enumerate(progress.means.metrics()):
        values = _within(arrays, f"metrics/{i}/")
        metric.restore_training_state({name: array if array.ndim else array.item() for name, array in values.items()})
    progress.data.restore_training_state(numbers["data"])
    progress.epoch = numbers["epoch"]


def _check(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    """Raises ValueError unless arrays and numbers can be a state of the model: all there, none too many, of its shapes."""
    check_stored.entries(numbers, {"epoch", "data", "random", "draws"}, "the state of a training")
    check_stored.count(numbers["epoch"], "the epoch")
    random.check_state(numbers["random"])
    drawing, weights = _drawing(model), _numbered(arrays, "weights")
    draws = numbers["draws"]
    if not isinstance(draws, list) or len(draws) != len(drawing) or not _fit(weights, model.weights):
        built = "" if model.built else "; it is not built yet: give it an Input, or call it on a batch"
        raise ValueError(f"the state is of another model than {model}{built}")
    for draw in draws:
        check_stored.entries(draw, {"key", "calls"}, "the random numbers of a layer")
        check_stored.key(draw["key"], "the key of a layer")
        check_stored.count(draw["calls"], "the number of draws")
    known = {f"weights/{i}" for i in range(len(weights))}
    known |= {f"optimizer/{i}" for i in range(len(_numbered(arrays, "optimizer")))}
    for i, metric in enumerate(_progress(model).means.metrics()):
        found = _within(arrays, f"metrics/{i}/")
        state = metric.training_state()
        if set(state) - set(found) or not _fit([found[name] for name in state], map(np.asarray, state.values())):
            raise ValueError(f"the state is of other metrics: it has no {metric.name} of these shapes")
        if any(array.dtype.kind not in "biuf" for array in found.values()):
            raise ValueError(f"the state of {metric.name} holds no numbers")
        known |= {f"metrics/{i}/{name}" for name in found}
    if more := sorted(set(arrays) - known):
        raise ValueError(f"the state holds {more[0][:100]!r}, which {model} does not have")


def _fit(arrays: list[np.ndarray], variables: Any) -> bool:
    """Whether the arrays are those of the variables, by number, shape and dtype."""
    return [(array.shape, array.dtype) for array in arrays] == [(one.shape, one.dtype) for one in variables]


def _within(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _drawing(model: Any) -> list[Any]:
    """The layers that draw random numbers."""
    return [layer for layer in model._with_all_within() if hasattr(layer, "_draw_count")]


def _numbered(arrays: dict[str, np.ndarray], folder: str) -> list[np.ndarray]:
    """The arrays folder/0, folder/1, ... up to the first that is not there."""
    found: list[np.ndarray] = []
    while (array := arrays.get(f"{folder}/{len(found)}")) is not None:
        found.append(array)
    return found


def _progress(model: Any) -> Progress:
    progress = current(model)
    if progress is None:
        raise ValueError(f"{model} is not being trained: its training state exists within fit, for callbacks")
    return progress
