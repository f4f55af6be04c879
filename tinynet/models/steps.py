"""Steps: what is done with one batch, and with all batches of an epoch. This is the whole of training.

y_pred = model(x, training=True)                                    # the tape records
loss, parts = model._loss_and_parts(x, y, y_pred, weight, True)     # parts: of several outputs
grads = gradients(model.optimizer.scale_loss(loss), parameters)     # plain arrays; the tape is freed
model.optimizer.apply(grads, parameters)

scale_loss multiplies by the optimizer's loss_scale_factor, 1 unless it was set; apply divides by it.
`model._replay_of_steps(step, x, y, weight)` is step(model, x, y, weight), or repeats the kernels that it
launched before (tinynet/replay); its `places` is where the loader may write the next batch. Each step holds
the lock of the model: see step_lock.py. A subclass of Model can define steps of its own: see customized.py.
`means` are the running means of the epoch or the evaluation that a step is part of: see means.py. x, y and
the weights of samples are arrays; for models with several inputs or outputs, lists or dictionaries.
"""

from functools import cache, partial
from typing import Any

import numpy as np

from tinynet.autograd import as_raw, gradients, no_grad, set_grad_enabled
from tinynet.backend import device, gpu_memory, tracebacks
from tinynet.callbacks import CallbackList, python_logs
from tinynet.data import Epochs
from tinynet.models import advice
from tinynet.models.customized import (
    defines_testing,
    defines_training,
    own_evaluate_batch,
    own_predict_batch,
    own_update,
)  # fmt: skip
from tinynet.models.means import Means
from tinynet.tree import leaves, mapped


@set_grad_enabled(True)  # a signal handler, which inherits no_grad, may train in the middle of an evaluation
def update(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
    """One update of the trainable parameters; (loss, losses of the outputs, predictions before it)."""
    y_pred = model(x, training=True)
    loss, parts = model._loss_and_parts(x, y, y_pred, weight, True)
    if parameters := model.trainable_weights:
        model.optimizer.apply(gradients(model.optimizer.scale_loss(loss), parameters), parameters)
    return loss.data, [part.data for part in parts], mapped(as_raw, y_pred)


@no_grad()
def evaluate_batch(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
    """(loss, losses of the outputs, predictions) in inference mode."""
    y_pred = model(x, training=False)
    loss, parts = model._loss_and_parts(x, y, y_pred, weight, False)
    return loss.data, [part.data for part in parts], mapped(as_raw, y_pred)


@no_grad()
def predict_batch(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any]:
    """Predictions alone, in inference mode."""
    return (mapped(as_raw, model(x, training=False)),)


def training_step(model: Any) -> Any:
    """The function that `fit` runs on a batch: `update`, or the model's own."""
    return own_update if defines_training(model) else update


def testing_step(model: Any) -> Any:
    """The function that `evaluate` runs on a batch: `evaluate_batch`, or the model's own."""
    return own_evaluate_batch if defines_testing(model) else evaluate_batch


@cache
def counted(step: Any) -> Any:
    """`step`, and then the running means take in its loss and predictions: on a GPU one graph does both."""

    def counts(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        loss, parts, y_pred = step(model, x, y, weight)
        model._compiled_objective.update(loss, parts, y, y_pred, weight)
        return loss, parts, y_pred

    counts.without = step  # type: ignore[attr-defined]  # what is repeated where this cannot be captured
    return counts


def _repeated(model: Any, step: Any) -> Any:
    """What is captured and repeated of a training or testing step."""
    own = step is own_update or step is own_evaluate_batch
    if own or device.get_device() == "cpu" or model._replay_of_steps.gave_up(counted(step)):
        return step  # some metrics read their numbers, which no graph can
    return counted(step)


def run_step(model: Any, means: Means, step: Any, x: Any, y: Any, weight: Any, first: bool = False) -> None:
    """Runs one `update` or `evaluate_batch` and adds its loss and predictions to the running means.

    `first`: whether it is the first batch, on which advice.py checks data and predictions. The step proper is
    the two lines `loss, parts, y_pred = ...` and `means.update(...)`, which on a GPU are repeated as one;
    around them is the lock, and the way of steps of the user's own (customized.py).
    """
    if first:
        advice.look_at_data(model, x, y, weight)
    step_lock = model._step_lock
    with step_lock.lock:  # as `step_lock.held()`, but faster: this runs at every step
        outer = step_lock.depth
        try:
            step_lock.depth = outer + 1
            if step is own_update or step is own_evaluate_batch:
                means.take_turn()  # the metrics count for this run, as means.update has it
                logs = model._replay_of_steps(step, x, y, weight)
                means.reported = python_logs(
                    {name: np.array(device.to_host(value)) for name, value in logs.items()}
                )
                return
            if type(x) is np.ndarray or (repeated := _repeated(model, step)) is step:
                loss, parts, y_pred = model._replay_of_steps(step, x, y, weight)
                means.update(loss, parts, y, y_pred, weight)
            else:
                means.take_turn()
                loss, parts, y_pred = model._replay_of_steps(repeated, x, y, weight)
            if first:
                advice.look_at_predictions(model, y, y_pred)
        except gpu_memory.OutOfMemoryError as error:
            gpu_memory.say_batch(error, len(next(leaves(x))))
            raise
        finally:
            step_lock.depth = outer


def predict_step(model: Any, x: Any) -> Any:
    """Predictions for a batch, as NumPy arrays that no later step overwrites."""
    step = own_predict_batch if model._defines_own("predict_step") else predict_batch
    with model._step_lock.held():
        try:
            y_pred = model._replay_of_steps(step, x)[0]
        except gpu_memory.OutOfMemoryError as error:
            gpu_memory.say_batch(error, len(next(leaves(x))))
            raise
        return mapped(lambda array: np.array(device.to_host(array), order="C"), y_pred)


def train_epoch(
    model: Any, means: Means, epochs: Epochs, hooks: CallbackList, first: bool = True
) -> dict[str, Any] | None:
    """Updates for all batches of an epoch; returns the means of loss and metrics.

    None if a generator has no data left. `first`: nothing was trained before, so that the data of the first
    batch are looked at; `begins` keeps it. `seen`: this epoch had a batch; one that is resumed continues the
    means it had. Callbacks get the function `means.results`, which only those call that want the numbers.
    """
    begins, seen = first, epochs.step > 0
    if not seen:
        means.reset()
    run = training_step(model)
    for step, (x, y, weight) in epochs.epoch(partial(model._replay_of_steps.places, _repeated(model, run))):
        hooks.on_train_batch_begin(step)
        run_step(model, means, run, x, y, weight, first)
        first = False
        hooks.on_train_batch_end(step, means.results)
        seen = True
        if model.stop_training:
            break
    if not seen and not begins:
        tracebacks.warn(
            "the data ran out: a generator was used up by the epochs before. Training ends here; "
            "one that never ends, with steps_per_epoch, or a list or loader serves several epochs"
        )
        model.stop_training = True
        return None
    _refuse_nothing(seen)
    logs = python_logs(means.results())
    means.release()
    advice.look_at_loss(model, logs)
    return logs


def test_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> dict[str, Any]:
    """Loss and metrics over all batches, or over the first `steps` of them, in the order of compile."""
    epochs.restart()
    means, run = Means(model), testing_step(model)
    model.stop_evaluating = seen = False
    hooks.on_test_begin()
    try:
        for step, (x, y, weight) in epochs.epoch(
            partial(model._replay_of_steps.places, _repeated(model, run))
        ):
            hooks.on_test_batch_begin(step)
            run_step(model, means, run, x, y, weight, not seen)
            hooks.on_test_batch_end(step, means.results)
            seen = True
            if model.stop_evaluating:
                break
        _refuse_nothing(seen)
        results = means.results()
    finally:
        means.release()
    hooks.on_test_end(python_logs(results))
    return results


def predict_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> Any:
    """Predictions for all batches, joined along the first axis, in the structure of the outputs."""
    outputs = []
    model.stop_predicting = False
    hooks.on_predict_begin()
    for step, (x, _, _) in epochs.epoch():
        hooks.on_predict_batch_begin(step)
        outputs.append(predict_step(model, x))
        hooks.on_predict_batch_end(step, {"outputs": outputs[-1]})
        if model.stop_predicting:
            break
    _refuse_nothing(bool(outputs))
    hooks.on_predict_end()
    joined = iter(
        [
            parts[0] if len(parts) == 1 else np.concatenate(parts)
            for parts in zip(*map(leaves, outputs), strict=True)
        ]
    )
    return mapped(lambda _: next(joined), outputs[0])


def _refuse_nothing(seen: bool) -> None:
    if not seen:
        raise ValueError(
            "there was no batch: the data are empty, or a generator was used up before. "
            "A generator serves several epochs only if it never ends and steps_per_epoch is given; "
            "lists and loaders can be started again"
        )
