"""Steps: what happens to one batch, and to the batches of an epoch. This is all there is to training.

y_pred = model(x, training=True)                   # the tape records
loss = objective.loss(y, y_pred, weight)
grads = gradients(loss, parameters)                # plain arrays; the tape is freed
optimizer.apply(grads, parameters)

`model.replay` runs these functions as they stand, or repeats the kernels they led to: see replay.py.
"""

from functools import partial
from typing import Any

import numpy as np

from tinynet.autograd import gradients, no_grad
from tinynet.backend import device
from tinynet.callbacks import CallbackList, python_logs
from tinynet.data import Epochs


def update(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
    """One update of the trainable parameters; (loss, predictions before it)."""
    y_pred = model(x, training=True)
    loss = model.objective.loss(y, y_pred, weight)
    if parameters := model.trainable_weights:
        model.optimizer.apply(gradients(loss, parameters), parameters)
    return loss.data, y_pred.data


@no_grad()
def judge(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
    """(loss, predictions) in inference mode."""
    y_pred = model(x, training=False)
    return model.objective.loss(y, y_pred, weight).data, y_pred.data


@no_grad()
def infer(model: Any, x: Any, y: Any, weight: Any) -> tuple[Any]:
    """Predictions alone, in inference mode."""
    return (model(x, training=False).data,)


def train_step(model: Any, x: Any, y: Any, weight: Any) -> None:
    """One update, and its loss and predictions taken into the running means."""
    loss, y_pred = model.replay(update, x, y, weight)
    model.objective.update(loss, y, y_pred, weight)


def test_step(model: Any, x: Any, y: Any, weight: Any) -> None:
    """Loss and metrics of a batch in inference mode."""
    loss, y_pred = model.replay(judge, x, y, weight)
    model.objective.update(loss, y, y_pred, weight)


def predict_step(model: Any, x: Any) -> np.ndarray:
    """Predictions for a batch, as a NumPy array of their own."""
    return np.array(device.to_host(model.replay(infer, x)[0]), order="C")


def train_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> dict[str, Any]:
    """One epoch of updates; the running means of loss and metrics over it."""
    model.objective.reset()
    seen = False
    for step, (x, y, weight) in epochs.epoch(partial(model.replay.places, update)):
        hooks.on_train_batch_begin(step)
        train_step(model, x, y, weight)
        hooks.on_train_batch_end(step, model.objective.results)
        seen = True
        if model.stop_training:
            break
    _refuse_nothing(seen)
    return python_logs(model.objective.results())


def test_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> dict[str, Any]:
    """Loss and metrics over all batches, in the order of compile."""
    model.objective.reset()
    hooks.on_test_begin()
    seen = False
    for step, (x, y, weight) in epochs.epoch(partial(model.replay.places, judge)):
        hooks.on_test_batch_begin(step)
        test_step(model, x, y, weight)
        hooks.on_test_batch_end(step, model.objective.results)
        seen = True
    _refuse_nothing(seen)
    results = model.objective.results()
    hooks.on_test_end(python_logs(results))
    return results


def predict_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> np.ndarray:
    """Predictions for all batches, one after the other."""
    outputs = []
    hooks.on_predict_begin()
    for step, (x, _, _) in epochs.epoch():
        hooks.on_predict_batch_begin(step)
        outputs.append(predict_step(model, x))
        hooks.on_predict_batch_end(step, {"outputs": outputs[-1]})
    _refuse_nothing(bool(outputs))
    hooks.on_predict_end()
    return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)


def _refuse_nothing(seen: bool) -> None:
    if not seen:
        raise ValueError(
            "there was no batch: the data are empty, or a generator was used up before. A generator serves several "
            "epochs only if it never ends and steps_per_epoch is given; lists and loaders can be started again"
        )
