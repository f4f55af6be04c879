"""Checks of what ImageDataGenerator is given: each raises ValueError that says
what was expected and what came.
"""

from typing import Any

import numpy as np

from tinynet.backend import tracebacks
from tinynet.data.columns import as_array

WHO = "ImageDataGenerator"


def number(argument: str, value: Any) -> float:
    """A range given as one number >= 0."""
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not value >= 0:
        raise ValueError(f"{WHO}: {argument} must be a number >= 0, got {value!r}")
    return float(value)


def two_numbers(argument: str, value: Any) -> list[float]:
    """A range given as (from, to)."""
    if np.shape(value) != (2,) or np.asarray(value).dtype.kind not in "iuf":
        raise ValueError(f"{WHO}: {argument} must be two numbers, (from, to), got {value!r}")
    return [float(value[0]), float(value[1])]


def choice(argument: str, value: Any, known: Any) -> Any:
    """One of several values."""
    if value not in known:
        raise ValueError(f"{WHO}: {argument} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def images(x: Any, data_format: str) -> np.ndarray:
    """`x` as a NumPy array of images; a warning for an unusual number of channels,
    which may be a wrong order of axes.
    """
    array = np.asarray(as_array(x, "x"))
    if array.ndim != 4:
        raise ValueError(
            f"{WHO}: x must have 4 axes, (N, H, W, C) or channels first, got shape {array.shape}"
        )
    channels = array.shape[3 if data_format == "channels_last" else 1]
    if channels not in (1, 3, 4):
        tracebacks.warn(f"{WHO}: x has shape {array.shape}: {channels} channels, for {data_format!r}")
    return array.astype(np.float32) if array.dtype == np.float16 else array


def lengths(x: np.ndarray, **others: np.ndarray | None) -> None:
    """Whether all arrays have as many samples as x, and x has some."""
    if not len(x):
        raise ValueError(f"{WHO}: there are no images: x has shape {x.shape}")
    for name, array in others.items():
        if array is not None and len(array) != len(x):
            raise ValueError(f"{WHO}: x has {len(x)} samples and {name} {len(array)}; they must be as many")
    if others.get("sample_weight") is not None and others.get("y") is None:
        raise ValueError(f"{WHO}: sample_weight needs y, the labels")


def subset(
    which: Any, fraction: float, unchecked: bool, *arrays: np.ndarray | None
) -> list[np.ndarray | None]:
    """The part of x, y, ... that is the subset: the first `fraction` of the samples for validation,
    the rest for training.
    """
    if which is None:
        return list(arrays)
    choice("subset", which, ("training", "validation"))
    x, y, *_ = arrays
    at = int(len(x) * fraction)  # type: ignore[arg-type]
    if at in (0, len(x)):  # type: ignore[arg-type]
        raise ValueError(
            f"{WHO}: subset={which!r} needs a validation_split that leaves both parts some, it is {fraction}"
        )
    if y is not None and not unchecked and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
        raise ValueError(
            f"{WHO}: training and validation samples have different labels; "
            "shuffle x and y beforehand, or pass ignore_class_split=True"
        )
    part = slice(None, at) if which == "validation" else slice(at, None)
    return [None if array is None else array[part] for array in arrays]
