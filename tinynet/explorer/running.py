"""Running: one step of a model, on a copy of it, with a Recorder looking on.

A copy has weights, slots, statistics and counts of draws of its own, so the caller's model keeps every bit.
What the copy draws from the global keys (weights of layers that are built now) is put back too, unless
another thread has drawn in the meantime: the same keys would be handed out twice.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet.autograd import as_raw, gradients, no_grad, set_grad_enabled
from tinynet.backend import device, random
from tinynet.data.columns import as_arrays
from tinynet.explorer.drawing import append, prediction
from tinynet.explorer.recorder import Recorder
from tinynet.explorer.recording import Recording
from tinynet.models.customized import defines_training
from tinynet.models.model import Model
from tinynet.models.steps import evaluate_batch, training_step
from tinynet.tree import leaves, mapped

JOINS = (
    "Derivatives run one by one, as they are written. `fit` takes that of a relu into the pooling or batch "
    "norm behind it: gradients keep their bits, the sum for a bias is added up in another order."
)
MOST_LOSSES = 2048  # images, the first, whose losses are computed to find the highest


@contextmanager
def _copy_of(model: Model) -> Iterator[Model]:
    keys = random.state()
    try:
        with model._step_lock.lock:  # between two steps of a training in another thread
            twin = copy.deepcopy(model)
    except Exception as error:
        said = f"explore runs a step on a copy of the model, and {model} cannot be copied"
        raise TypeError(f"{said}: {type(error).__name__}: {error}") from error
    drawn = random.drawn_here()
    try:
        yield twin
    finally:
        random.take_back(keys, random.drawn_here() - drawn)


def run_model(model: Model, x: Any, y: Any, images: int | Sequence[int]) -> Recording:
    """The recording of a step on some of the images of x and y; of a forward pass, if y is None."""
    with _copy_of(model) as twin:
        x, y = _on_host(x, "x"), None if y is None else _on_host(y, "y")
        given = _length(x, y)
        chosen, losses = _choose(twin, x, y, images, given)
        recorder = Recorder()
        batch_x, batch_y = _batch(twin, x, y, chosen)
        _name_data(recorder, batch_x, batch_y)
        predicted = None if defines_training(twin) else prediction(twin, batch_x)
        with recorder:
            _step(twin, recorder, batch_x, batch_y)
    found = recorder.recording
    found.title, found.batch, found.given = model.name, len(chosen), given
    found.images, found.losses = [int(i) for i in chosen], losses
    if losses:
        among = f"the first {MOST_LOSSES:,}" if given > MOST_LOSSES else f"all {given:,}"
        found.notes.append(f"The images are those of {among} with the highest losses, in inference mode.")
    if predicted is not None:
        append(found, predicted.recording)
    return found


def _on_host(data: Any, name: str) -> Any:
    return mapped(lambda part: np.asarray(device.to_host(as_raw(part))), as_arrays(data, name))


def _length(x: Any, y: Any) -> int:
    """How many samples all arrays of x and y have; ValueError if they differ."""
    count = len(next(leaves(x)))
    for name, data in (("x", x), ("y", y)):
        for part in [] if data is None else leaves(data):
            if len(part) != count:
                said = f"explore: {name} must have as many samples as x, {count}"
                raise ValueError(f"{said}, and has {len(part)}")
    return count


def _batch(twin: Any, x: Any, y: Any, chosen: Any) -> tuple[Any, Any]:
    """Some of the images and their targets, as `fit` gives them to a step."""
    x, y = (None if data is None else mapped(lambda part: part[chosen], data) for data in (x, y))
    if y is None:
        return twin._one_batch(x)[0], None
    return twin._one_batch(x, y)[:2]


def _step(twin: Any, recorder: Recorder, x: Any, y: Any) -> None:
    """Runs the copy; says in the recording what was run."""
    found = recorder.recording
    if y is None:
        found.kind = "forward only"
        found.notes.append("Inference mode: moving averages, no dropout. No targets were given, so no loss.")
        with no_grad():
            twin(x, training=False)
    elif twin.compiled:
        found.kind = "training step"
        found.notes += ["Training mode: batch statistics, and the dropout masks of this very step.", JOINS]
        outcome = training_step(twin)(twin, x, y, None)
        if not defines_training(twin):
            found.loss = recorder.quantities.find(outcome[0])
    else:
        found.kind = "gradient of the outputs"
        found.notes += [
            "The model is not compiled, so there is no loss: this is the gradient of the sum of its outputs.",
            JOINS,
        ]
        with set_grad_enabled(True):
            outputs = [out for out in leaves(twin(x, training=True)) if out.requires_grad]
            seeds = [device.beside(np.ones(out.shape, out.dtype), out.data) for out in outputs]
            weights = twin.trainable_weights
            recorder.arrive(weights, gradients(outputs, weights, seeds))


def _name_data(recorder: Recorder, x: Any, y: Any) -> None:
    for name, part in (("x", x), ("y", y)):
        arrays = [] if part is None else list(leaves(part))
        for i, array in enumerate(arrays):
            called = name if len(arrays) == 1 else f"{name}[{i}]"
            recorder.quantities.know(array, recorder.quantities.add(array, called, "input"))


def _choose(
    twin: Any, x: Any, y: Any, images: int | Sequence[int], count: int
) -> tuple[np.ndarray, list[float]]:
    """Which images, and their losses where these decide: the highest ones of x."""
    if isinstance(images, bool | np.bool):
        raise TypeError(f"explore: images must be a number or a list of places in x, got {images!r}")
    if not isinstance(images, int | np.integer):
        chosen = np.asarray(images)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size:
            raise ValueError(f"explore: images must be a number or a list of places in x, got {images!r}")
        if (chosen < 0).any() or (chosen >= count).any():
            raise ValueError(f"explore: images must be places 0 .. {count - 1} of x, got {images!r}")
        return chosen, []
    if images < 1:
        raise ValueError(f"explore: images must be at least 1, got {images}")
    if y is None or not twin.compiled or count <= images or defines_training(twin):
        return np.arange(min(images, count)), []
    losses = _losses(twin, x, y, min(count, MOST_LOSSES))
    highest = np.where(np.isnan(losses), np.inf, losses)  # NaN is what one looks for first
    chosen = np.argsort(-highest, kind="stable")[:images]  # of equal losses the first
    return chosen, [float(loss) for loss in losses[chosen]]


def _losses(twin: Any, x: Any, y: Any, count: int) -> np.ndarray:
    """The loss of every image by itself, in inference mode."""
    found = []
    for i in range(count):
        loss, _, _ = evaluate_batch(twin, *_batch(twin, x, y, slice(i, i + 1)), None)
        found.append(float(device.to_host(loss)))
    return np.array(found)
