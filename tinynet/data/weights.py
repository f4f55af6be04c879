"""Class weights as weights of samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet.backend import device
from tinynet.kernels.common import xp


def weights_from_classes(y: Any, class_weight: Mapping[int, float], dtype: Any = "float32") -> Any:
    """The weight of each sample's class, 1 for classes not named: y (N,) or (N,
    1) labels or (N, C) one-hot -> (N,).

    class_weight   {class: weight}, else ValueError;  dtype   of the weights

    >>> data.weights_from_classes(np.array([0, 1, 1]), {1: 2.5})
    array([1. , 2.5, 2.5], dtype=float32)
    """
    if not isinstance(class_weight, Mapping) or any(
        not hasattr(label, "__index__") for label in class_weight
    ):
        raise ValueError(
            f"class_weight must be a dictionary such as {{0: 1.0, 1: 2.5}}, "
            f"class by class, got {class_weight!r}"
        )
    if isinstance(y, list | tuple | dict):
        raise ValueError(
            "class_weight is for models with one output; give sample_weight, an array for each output"
        )
    labels = np.asarray(device.to_host(y))
    if labels.size != len(labels) and labels.ndim != 2:
        raise ValueError(
            f"class_weight is for one label a sample, y has shape {labels.shape}; give sample_weight, "
            "an array of weights of that shape: np.take(weights, y) for a weight of each class"
        )
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else np.round(labels).astype(int)
    if labels.size != len(labels):
        raise ValueError(
            "class_weight gives one weight for each sample, by its class; "
            f"labels of shape {np.shape(y)} have several for "
            "each: give sample_weight, an array of the labels' shape"
        )
    weights = np.ones(labels.shape, dtype)
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return xp(y).asarray(weights.reshape(len(weights)))
