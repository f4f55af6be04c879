"""Steps: what happens to one batch, and to the batches of an epoch. This is all there is to training.

y_pred = model(x, training=True)                   # the tape records
loss = objective.loss(y, y_pred, weight)
grads = gradients(loss, parameters)                # plain arrays; the tape is freed
optimizer.apply(grads, parameters)
"""

from typing import Any

import numpy as np

from tinynet.autograd import Parameter, gradients, no_grad
from tinynet.backend import device
from tinynet.callbacks import CallbackList, python_logs
from tinynet.data import Epochs


def train_step(model: Any, x: Any, y: Any, weight: Any, parameters: list[Parameter]) -> None:
    """One update of `parameters` (of all trainable ones, if the list is empty because the first call makes them)."""
    y_pred = model(x, training=True)
    loss = model.objective.loss(y, y_pred, weight)
    parameters = parameters or model.trainable_weights
    if parameters:
        model.optimizer.apply(gradients(loss, parameters), parameters)
    model.objective.update(loss, y, y_pred, weight)


@no_grad()
def test_step(model: Any, x: Any, y: Any, weight: Any) -> None:
    """Loss and metrics of a batch in inference mode."""
    y_pred = model(x, training=False)
    model.objective.update(model.objective.loss(y, y_pred, weight), y, y_pred, weight)


@no_grad()
def predict_step(model: Any, x: Any) -> np.ndarray:
    """Predictions for a batch, as a NumPy array of their own."""
    return np.array(device.to_host(model(x, training=False).data), order="C")


def train_epoch(model: Any, epochs: Epochs, hooks: CallbackList) -> dict[str, Any]:
    """One epoch of updates; the running means of loss and metrics over it."""
    model.objective.reset()
    parameters = model.trainable_weights
    seen = False
    for step, (x, y, weight) in epochs.epoch():
        hooks.on_train_batch_begin(step)
        train_step(model, x, y, weight, parameters)
        hooks.on_train_batch_end(step, python_logs(model.objective.results()))
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
    for step, (x, y, weight) in epochs.epoch():
        hooks.on_test_batch_begin(step)
        test_step(model, x, y, weight)
        hooks.on_test_batch_end(step, python_logs(model.objective.results()))
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
