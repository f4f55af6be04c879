"""`keras.utils` and `keras.utils.np_utils`."""

from typing import Any

import numpy as np

from tinynet import utils
from tinynet.compat.warn import old
from tinynet.data import PyDataset


def to_categorical(
    y: Any, num_classes: int | None = None, dtype: Any = None, nb_classes: int | None = None
) -> np.ndarray:
    """One-hot rows of integer labels."""
    if nb_classes is not None:
        old("to_categorical(nb_classes=...)", f"num_classes={nb_classes}")
        num_classes = nb_classes
    rows = utils.to_categorical(y, num_classes)
    return rows if dtype is None else rows.astype(dtype)


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """The most probable class of each sample; with one output, whether it is above 0.5."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return (y_pred.reshape(-1) > 0.5).astype(int)


UTILS = {"Sequence": PyDataset, "normalize": utils.normalize, "set_random_seed": utils.set_random_seed}
NP_UTILS = {
    "normalize": utils.normalize,
    "probas_to_classes": probas_to_classes,
    "to_categorical": to_categorical,
}
