"""Keras 1 and 2 spellings of methods and arguments, and what they are called today."""

from collections.abc import Mapping
from typing import Any

ARGUMENTS = {
    "decay": "learning_rate=InverseTimeDecay(rate, 1, decay) of the optimizer",
    "lr": "learning_rate of the optimizer",
    "max_q_size": "nothing: batches are made when they are needed",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps, which counts batches",
    "nb_worker": "nothing: batches are made when they are needed",
    "samples_per_epoch": "steps_per_epoch, which counts batches: ceil(samples / batch size)",
    "show_accuracy": "metrics=['accuracy'] of compile",
    "val_samples": "steps, which counts batches",
}
METHODS = {
    "evaluate_generator": "evaluate(generator, steps=...)",
    "fit_generator": "fit(generator, steps_per_epoch=..., epochs=...); steps count batches, not samples",
    "predict_classes": "predict(x).argmax(axis=-1)",
    "predict_generator": "predict(generator, steps=...)",
    "predict_proba": "predict(x)",
}


def refuse(method: str, unknown: Mapping[str, Any]) -> None:
    """Raises TypeError for arguments that `method` does not have, with today's spelling of old ones."""
    for name in unknown:
        hint = f"; it is written {ARGUMENTS[name]} today" if name in ARGUMENTS else ""
        raise TypeError(f"{method}() got an unexpected argument {name!r}{hint}")
