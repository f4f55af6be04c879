"""Progress: all that another process needs to continue a training that is under way, with the same bits.

arrays    weights/<i>, optimizer/<i>, metrics/<i>/<name>
numbers   epoch and step, order of the data, random keys and counts of draws

What a model file keeps too is in saving/training_state.py.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet.backend import check_stored, random
from tinynet.data import Epochs
from tinynet.layers.seeded import layers_that_draw
from tinynet.models.means import Means
from tinynet.saving import training_state as kept


class Progress:
    """The position of a run of `fit`: the epoch, the data, the running means of the epoch."""

    def __init__(self, epoch: int, data: Epochs, means: Means) -> None:
        self.epoch, self.data, self.means = epoch, data, means


def current(model: Any) -> Progress | None:
    """The run of `fit` in this thread; the innermost, if a callback of `fit` calls `fit`."""
    return (model._fits_by_thread or {}).get(threading.get_ident())


@contextmanager
def running(model: Any, progress: Progress) -> Iterator[Progress]:
    """Context in which `fit` runs. If a callback of an outer `fit` called it,
    the outer one is then as before.
    """
    thread, fits = threading.get_ident(), model._fits_by_thread or {}
    outer, history, stopped = fits.get(thread), model.history, model.stop_training
    model._fits_by_thread = {**fits, thread: progress}
    model.stop_training = False
    try:
        yield progress
    except KeyboardInterrupt as error:
        where = f"fit was interrupted in epoch {progress.epoch + 1}"
        error.args = error.args or (
            f"{where}; the model keeps its weights, and another fit goes on from them",
        )
        raise
    finally:
        progress.means.release()
        model._fits_by_thread = {
            key: one for key, one in (model._fits_by_thread or {}).items() if key != thread
        }
        if outer is not None:
            model._fits_by_thread[thread] = outer
            model.history, model.stop_training = history, stopped


def training_state(model: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, numbers that JSON can hold) of a model in `fit`, between two steps or two epochs."""
    progress = _progress(model)
    weights = dict(enumerate(model.weights))
    arrays = kept.arrays_of(weights, model.optimizer if model.optimizer.built else None)
    for i, metric in enumerate(progress.means.metrics()):
        arrays.update(
            {f"metrics/{i}/{name}": np.asarray(value) for name, value in metric.training_state().items()}
        )
    numbers = {"epoch": progress.epoch, "data": progress.data.training_state(), "random": random.state()}
    return arrays, {**numbers, "draws": [kept.draws_of(layer) for layer in layers_that_draw(model)]}


def restore_training_state(
    model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]
) -> Callable[[], None]:
    """Makes `fit` continue from a state that `training_state` returned. Call it in `on_train_begin`.

    It returns a function that undoes this. Raises ValueError, and changes nothing, if the state belongs to
    another model or lacks anything.
    """
    put_back = _undo_function(model)
    _check(model, arrays, numbers)
    try:
        _restore(model, arrays, numbers)
    except Exception as error:
        put_back()
        raise ValueError(f"the state is not one of {model}: {type(error).__name__}: {error}") from error
    return put_back


def _undo_function(model: Any) -> Callable[[], None]:
    """A function that restores everything that `restore_training_state` changes."""
    state, optimizer = training_state(model), model.optimizer
    unbuilt = None if optimizer.built else (dict(vars(optimizer)), optimizer.get_weights())

    def put_back() -> None:
        _restore(model, *state)
        if unbuilt is not None:
            vars(optimizer).clear()
            vars(optimizer).update(unbuilt[0])
            optimizer.set_weights(unbuilt[1])

    return put_back


def _restore(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    slots = kept.numbered(arrays, kept.OPTIMIZER)
    if slots:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_weights)
        kept.restore_optimizer(model.optimizer, slots)
    model.set_weights(kept.numbered(arrays, kept.WEIGHTS))
    for layer, draw in zip(layers_that_draw(model), numbers["draws"], strict=True):
        kept.restore_draws(layer, draw)
    random.set_state(numbers["random"])
    progress = _progress(model)
    for i, metric in enumerate(progress.means.metrics()):
        values = kept.within(arrays, f"metrics/{i}")
        metric.restore_training_state(
            {name: array if array.ndim else array.item() for name, array in values.items()}
        )
    progress.data.restore_training_state(numbers["data"])
    progress.epoch = numbers["epoch"]


def _check(model: Any, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    """Raises ValueError unless `arrays` and `numbers` fit the model: none missing or extra, equal shapes."""
    check_stored.entries(numbers, {"epoch", "data", "random", "draws"}, "the state of a training")
    check_stored.count(numbers["epoch"], "the epoch")
    random.check_state(numbers["random"])
    drawing, weights = layers_that_draw(model), kept.numbered(arrays, kept.WEIGHTS)
    draws = numbers["draws"]
    as_many = isinstance(draws, list) and len(draws) == len(drawing)
    if not as_many or not kept.belong_to(weights, model.weights):
        built = "" if model.built else "; it is not built yet: give it an Input, or call it on a batch"
        raise ValueError(f"the state is of another model than {model}{built}")
    for draw in draws:
        kept.check_draws(draw, "a layer")
    known = {f"weights/{i}" for i in range(len(weights))}
    known |= {f"optimizer/{i}" for i in range(len(kept.numbered(arrays, kept.OPTIMIZER)))}
    for i, metric in enumerate(_progress(model).means.metrics()):
        found = kept.within(arrays, f"metrics/{i}")
        state = metric.training_state()
        values = map(np.asarray, state.values())
        if set(state) - set(found) or not kept.belong_to([found[name] for name in state], values):
            raise ValueError(f"the state is of other metrics: it has no {metric.name} of these shapes")
        if any(array.dtype.kind not in "biuf" for array in found.values()):
            raise ValueError(f"the state of {metric.name} holds no numbers")
        known |= {f"metrics/{i}/{name}" for name in found}
    if more := sorted(set(arrays) - known):
        raise ValueError(f"the state holds {more[0][:100]!r}, which {model} does not have")


def _progress(model: Any) -> Progress:
    progress = current(model)
    if progress is None:
        raise ValueError(f"{model} is not being trained: its training state exists within fit, for callbacks")
    return progress
