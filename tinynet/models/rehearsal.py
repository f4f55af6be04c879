"""What `fit` will need is compiled before its first step, where nothing is compiled yet."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from tinynet.backend import device
from tinynet.data import Epochs
from tinynet.data.arrays import ArrayBatches
from tinynet.kernels import compile_ahead
from tinynet.layers import Lambda
from tinynet.models.customized import defines_testing, defines_training
from tinynet.models.means import Means
from tinynet.models.steps import testing_step, training_step
from tinynet.tree import leaves


def compile_kernels(model: Any, train: Epochs, validation: Epochs | None) -> None:
    """Compiles on all cores, the first time in a process, if the cache of kernels is empty
    (kernels/compile_ahead.py).

    Only for arrays, and for what tinynet brings: a generator, a layer or a loss of the user's own may do
    something that must be done once, or that is seen outside of the process.
    """
    if device.get_device() != "cpu" or not isinstance(train.batches, ArrayBatches):
        return
    if not has_own_code(model) and compile_ahead.wanted():
        compile_ahead.compile_ahead(partial(_rehearse, model, train, validation))


def has_own_code(model: Any) -> bool:
    """Whether a step of the model enters Python code that is not tinynet's."""
    own = defines_training(model) or defines_testing(model)
    return own or any(not part.__module__.startswith("tinynet.") for part in _parts(model))


def _parts(model: Any) -> Iterator[Any]:
    """Layers, what they call (activations, initializers and the like), the optimizer, losses and metrics."""
    given = model._compiled_objective.given
    for part in (model.optimizer, *leaves([given[what] for what in ("loss", "metrics", "weighted_metrics")])):
        if part is not None and not isinstance(part, str):
            yield part
    for layer in model._with_all_within():
        yield layer
        called = [one for one in vars(layer).values() if callable(one) and hasattr(one, "__module__")]
        yield from called
        if isinstance(layer, Lambda):
            yield layer.function


def _rehearse(model: Any, train: Epochs, validation: Epochs | None) -> None:
    """A step with the first batch and one with the last, which may be smaller; so for the validation too."""
    for epochs, step in ((train, training_step(model)), (validation, testing_step(model))):
        if epochs is not None and isinstance(batches := epochs.batches, ArrayBatches):
            for number in sorted({0, (batches.steps or 1) - 1}):
                x, y, weight = next(batches.epoch(None, number))
                loss, parts, y_pred = step(model, x, y, weight)
                Means(model).update(loss, parts, y, y_pred, weight)
