"""Keras 1 and 2 spellings of methods and arguments, and what they are called today."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

ARGUMENTS = {
    "decay": "learning_rate=InverseTimeDecay(rate, 1, decay) of the optimizer",
    "lr": "learning_rate of the optimizer",
    "max_q_size": "nothing: batches are made when they are needed",
    "max_queue_size": "nothing: batches are made when they are needed",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps, which counts batches",
    "nb_worker": "nothing: batches are made when they are needed",
    "pickle_safe": "nothing: batches are made when they are needed",
    "samples_per_epoch": "steps_per_epoch, which counts batches: ceil(samples / batch size)",
    "sample_weight_mode": "nothing: the shape of the weights says it",
    "show_accuracy": "metrics=['accuracy'] of compile",
    "use_multiprocessing": "nothing: batches are made when they are needed",
    "val_samples": "steps, which counts batches",
    "workers": "nothing: batches are made when they are needed",
}
METHODS = {
    "evaluate_generator": "evaluate(generator, steps=...)",
    "fit_generator": "fit(generator, steps_per_epoch=..., epochs=...); steps count batches, not samples",
    "predict_classes": "predict(x).argmax(axis=-1)",
    "predict_generator": "predict(generator, steps=...)",
    "predict_proba": "predict(x)",
}


def refuse(method: Callable[..., Any], unknown: Mapping[str, Any]) -> None:
    """Raises TypeError for arguments that `method` does not have, with today's spelling of old ones, or the nearest."""
    for name in unknown:
        today = ARGUMENTS.get(name, "")
        gone = today.removeprefix("nothing: ")
        hint = "" if not today else f"; it is written {today} today" if gone == today else f"; it is gone: {gone}"
        near = difflib.get_close_matches(name, inspect.signature(method).parameters, 1)
        hint = hint or (f"; did you mean {near[0]!r}?" if near else "")
        raise TypeError(f"{method.__name__}() got an unexpected argument {name!r}{hint}")
