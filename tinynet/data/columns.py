"""Columns: one array of a data set each, and how a batch of it is made.

The data stay as they were given (uint8 stays uint8) until a batch is made. On a GPU a column is kept on the device if
it fits there beside everything else.
"""

from typing import Any

import numpy as np

from tinynet.backend import device
from tinynet.kernels import batching, common
from tinynet.kernels.common import xp


def as_array(data: Any, argument: str) -> Any:
    """`data` as an array; lists of numbers are converted, Tensors give theirs."""
    data = data.numpy() if hasattr(data, "numpy") and not isinstance(data, np.ndarray) else data
    try:
        array = data if hasattr(data, "dtype") and hasattr(data, "reshape") else np.asarray(data)
    except ValueError as error:
        raise ValueError(f"{argument} is no array: its parts differ in length") from error
    if getattr(array, "ndim", 0) == 0:
        got = data if isinstance(data, int | float | str | None) else f"a {type(data).__name__}"
        raise ValueError(f"{argument} must be an array with the samples along its first axis, got {got!s}")
    if isinstance(array, np.ndarray) and array.dtype.kind not in "biuf":
        raise ValueError(f"{argument} must hold numbers, got an array of dtype {array.dtype}")
    return array


def write_batch(array: Any, dtype: Any) -> Any:
    """A whole array of samples as a batch: on the device, as `dtype`, in batch-last memory."""
    array = device.to_device(array) if isinstance(array, np.ndarray) else array
    return common.to_batch_last(array, dtype)


class Inputs:
    """Samples (M, ...) of which batches (N, ...) of `dtype` are written in batch-last memory."""

    def __init__(self, data: Any, dtype: Any) -> None:
        self.data, self.dtype = resident(data), dtype

    def take(self, index: np.ndarray) -> Any:
        """The batch data[index]."""
        if isinstance(self.data, np.ndarray):
            return device.to_device(batching.gather(self.data, index, self.dtype))
        return batching.gather(self.data, xp(self.data).asarray(index), self.dtype)


class Targets:
    """Labels (M,) or rows (M, C): turned once, (C, M), so that a batch of them needs no change of memory order."""

    def __init__(self, data: Any, dtype: Any) -> None:
        dtype = dtype if data.dtype.kind == "f" else data.dtype
        self.turned = isinstance(data, np.ndarray) and data.ndim == 2
        data = np.ascontiguousarray(data.T, dtype) if self.turned else data.astype(dtype, copy=False)
        self.data = resident(data)

    def take(self, index: np.ndarray) -> Any:
        """The batch data[index]."""
        if not isinstance(self.data, np.ndarray):
            index = xp(self.data).asarray(index)
        return self.data.take(index, axis=1).T if self.turned else self.data[index]


def targets(data: Any, dtype: Any) -> Inputs | Targets:
    """Column of what a model should give: images are treated like inputs."""
    return Targets(data, dtype) if data.ndim <= 2 else Inputs(data, dtype if data.dtype.kind == "f" else data.dtype)


def resident(data: Any) -> Any:
    """`data` on the device in use, unless it is a GPU where it would take more than half of the free memory."""
    if device.get_device() == "cpu" or not isinstance(data, np.ndarray):
        return data
    free, _ = device.array_module().cuda.runtime.memGetInfo()
    return device.to_device(data) if data.nbytes < free // 2 else data
