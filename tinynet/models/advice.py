"""Advice: warnings about a first batch with which training would give nonsense without an error.

Each warning is given once after a `compile`.

    data          NaN or infinity in x, y or the weights of samples
    predictions   logits where a loss expects probabilities; probabilities where it expects logits
    targets       labels beside 0 and 1 for a binary cross-entropy
    loss          not a number, or infinite, at the end of an epoch

Later batches are not checked: their faults show in the loss.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config, device, tracebacks
from tinynet.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    crossentropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from tinynet.losses.loss import LossFunctionWrapper
from tinynet.tree import leaves

FIND = (
    "with tinynet.debug.check_numerics(): around fit names the operation, layer and step of the first of them"
)
ROWS = (categorical_crossentropy, sparse_categorical_crossentropy)  # of probabilities whose sum is 1
ENOUGH = 8  # numbers that are not all between 0 and 1 by chance


def look_at_data(model: Any, x: Any, y: Any, weight: Any) -> None:
    """Warns of NaN and infinity in a batch, before its first step."""
    for name, given in (("x", x), ("y", y), ("sample_weight", weight)):
        for array in leaves(given):
            array = np.asarray([]) if array is None else device.to_host(as_raw(array))
            finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(1, bool)
            if not finite.all():
                place = tuple(int(i) for i in np.argwhere(~finite)[0])
                count = f"{np.count_nonzero(~finite)} of {array.size} numbers"
                say(
                    model,
                    name,
                    f"{name} of the first batch holds NaN or infinity: {count}, "
                    f"first {array[place]} at {place}",
                )


def look_at_predictions(model: Any, y: Any, y_pred: Any) -> None:
    """Warns of predictions and targets of the first batch that do not fit the losses."""
    model._compiled_objective.first_batch_seen = True
    targets, predictions = list(leaves(y)), [device.to_host(as_raw(part)) for part in leaves(y_pred)]
    for i, loss, _ in model._compiled_objective.terms:
        target = targets[i] if len(targets) == len(predictions) else None
        wraps = isinstance(loss, LossFunctionWrapper)
        function, logits = (loss.fn, loss.settings.get("from_logits", False)) if wraps else (None, False)
        for message in _about(function, logits, predictions[i], target):
            say(model, f"{i} {message[:20]}", f"{loss.name}: {message}")


def look_at_loss(model: Any, logs: dict[str, Any]) -> None:
    """Warns at the end of an epoch if its loss is no number."""
    if not math.isfinite(logs.get("loss", 0.0)):
        say(
            model,
            "loss",
            f"the loss of this epoch is {logs['loss']}, and so, most likely, are the weights; {FIND}",
        )


def _about(function: Any, logits: bool, p: np.ndarray, target: Any) -> Iterator[str]:
    if p.size == 0 or not np.isfinite(p).all():
        return
    if function is crossentropy:
        function = binary_crossentropy if p.shape[-1] == 1 else categorical_crossentropy
    low, high, e = p.min(), p.max(), config.epsilon()
    outside = low < -e or high > 1 + e
    if function in (*ROWS, binary_crossentropy, kl_divergence) and not logits and outside:
        last = "sigmoid" if function is binary_crossentropy else "softmax"
        yield (
            f"predictions should be probabilities, got numbers from {low:.3g} to {high:.3g}, "
            f"which are cut off at 0 and 1; give the last layer activation={last!r}"
            + ("" if function is kl_divergence else ", or the loss from_logits=True")
        )
    if function in ROWS and logits and p.shape[-1] > 1 and low >= 0 and np.allclose(p.sum(-1), 1, atol=1e-3):
        yield "from_logits=True, but the predictions look like those of a softmax: leave out one of the two"
    if function is binary_crossentropy and logits and p.size >= ENOUGH and low > 0 and high < 1:
        yield "from_logits=True, but the predictions look like those of a sigmoid: leave out one of the two"
    if function is binary_crossentropy and target is not None:
        target = np.asarray(device.to_host(as_raw(target)))
        if target.size and (target.min() < 0 or target.max() > 1):
            yield (
                f"targets should lie in 0 .. 1, got {target.min():.3g} to {target.max():.3g}; "
                "labels -1 and 1 go with hinge"
            )


def say(model: Any, kind: str, message: str) -> None:
    """Warns, unless that was said of this model since it was compiled."""
    if kind not in model._compiled_objective.said:
        model._compiled_objective.said.add(kind)
        tracebacks.warn(f"{model}: {message}")
