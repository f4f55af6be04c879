"""What `fit` will need is compiled before its first step, where nothing is compiled yet."""

from functools import partial
from typing import Any

from tinynet.backend import device
from tinynet.data import Epochs
from tinynet.data.arrays import ArrayBatches
from tinynet.kernels import compile_ahead
from tinynet.models.customized import defines_testing, defines_training
from tinynet.models.means import Means
from tinynet.models.steps import testing_step, training_step


def compile_kernels(model: Any, train: Epochs, validation: Epochs | None) -> None:
    """Compiles on all cores, the first time in a process, if the cache of kernels is empty
    (kernels/compile_ahead.py).

    Only for arrays and the steps of tinynet: a generator, or a step of the user's own, may do something that
    must be done once.
    """
    own = defines_training(model) or defines_testing(model)
    if own or device.get_device() != "cpu" or not isinstance(train.batches, ArrayBatches):
        return
    if compile_ahead.wanted():
        compile_ahead.compile_ahead(partial(_rehearse, model, train, validation))


def _rehearse(model: Any, train: Epochs, validation: Epochs | None) -> None:
    """A step with the first batch and one with the last, which may be smaller; so for the validation too."""
    for epochs, step in ((train, training_step(model)), (validation, testing_step(model))):
        if epochs is not None and isinstance(batches := epochs.batches, ArrayBatches):
            for number in sorted({0, (batches.steps or 1) - 1}):
                x, y, weight = next(batches.epoch(None, number))
                loss, parts, y_pred = step(model, x, y, weight)
                Means(model).update(loss, parts, y, y_pred, weight)
