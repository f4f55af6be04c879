"""Columns: one array of a data set each, and how a batch of it is made.

The data stay as they were given (uint8 stays uint8) until a batch is made. On a GPU a column is kept on the
device if it fits there beside everything else.
"""

from typing import Any

import numpy as np

from tinynet.backend import device, gpu_memory
from tinynet.kernels import batching
from tinynet.kernels.common import batch_last
from tinynet.kernels.devices import device_of
from tinynet.tree import is_nested


def as_array(data: Any, argument: str) -> Any:
    """`data` as an array; lists of numbers are converted, Tensors give theirs."""
    data = data.numpy() if hasattr(data, "numpy") and not isinstance(data, np.ndarray) else data
    try:
        array = data if hasattr(data, "dtype") and hasattr(data, "reshape") else np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"{argument} is no array: its parts differ in length; bring all samples to one shape, "
            "and np.stack them"
        ) from error
    if getattr(array, "ndim", 0) == 0:
        got = repr(data) if isinstance(data, int | float | str | None) else f"a {type(data).__name__}"
        raise ValueError(f"{argument} must be an array with the samples along its first axis, got {got}")
    if isinstance(array, np.ndarray) and array.dtype.kind not in "biuf":
        raise ValueError(f"{argument} must hold numbers, got an array of dtype {array.dtype}{_advice(array)}")
    return array


def _advice(array: np.ndarray) -> str:
    if array.dtype.kind in "UST":
        return "; classes, numbers = np.unique(names, return_inverse=True) makes labels of names"
    if array.dtype.kind == "O":
        return (
            ": arrays of several shapes, text or None beside numbers; "
            "array.astype('float32') works if all are numbers"
        )
    return ""


def as_arrays(data: Any, argument: str) -> Any:
    """`data` as an array, or as lists, tuples or dictionaries of arrays."""
    if isinstance(data, dict):
        return {key: as_arrays(value, f"{argument}[{key!r}]") for key, value in data.items()}
    if isinstance(data, list | tuple) and (is_nested(data) or any(item is None for item in data)):
        return [None if item is None else as_arrays(item, f"{argument}[{i}]") for i, item in enumerate(data)]
    return as_array(data, argument)


class Index:
    """The order of an epoch's samples, of which batches are slices; where columns lie on a GPU it is copied
    there once.
    """

    def __init__(self, order: np.ndarray) -> None:
        self.order, self._copies = order, dict[str, Any]()

    def __getitem__(self, part: slice) -> "Part":
        return Part(self, part)

    def beside(self, data: Any) -> Any:
        """The order as an array where `data` lies."""
        if isinstance(data, np.ndarray):
            return self.order
        name = device_of(data)
        if name not in self._copies:
            self._copies[name] = device.beside(self.order, data)
        return self._copies[name]


class Part:
    """The places of a batch's samples: a slice of an order."""

    def __init__(self, index: Index, part: slice) -> None:
        self.index, self.part = index, part

    def __len__(self) -> int:
        return len(self.index.order[self.part])

    def beside(self, data: Any) -> Any:
        """The places as an array where `data` lies."""
        return self.index.beside(data)[self.part]


class Inputs:
    """Samples (M, ...) of which batches (N, ...) of `dtype` are written in batch-last memory."""

    def __init__(self, data: Any, dtype: Any) -> None:
        self.data, self.dtype = resident(data), np.dtype(dtype)

    def take(self, index: Part | np.ndarray, out: Any = None) -> Any:
        """The batch data[index], in `out` if that is an array for it."""
        places = _beside(index, self.data)
        if out is None or _fits(out, index, self.data, self.dtype):
            return device.to_device(batching.gather(self.data, places, self.dtype, out))
        batch = device.to_device(batching.gather(self.data, places, self.dtype, None))
        if not _fits(out, index, batch, self.dtype):
            return batch
        batch_last(out)[...] = batch_last(batch)  # data of the host, for a program that reads on a GPU
        return out


class Labels:
    """Numbers (M,), one for each sample."""

    def __init__(self, data: Any, dtype: Any) -> None:
        self.data = resident(data.astype(dtype, copy=False))

    def take(self, index: Part | np.ndarray, out: Any = None) -> Any:
        """The batch data[index], in `out` if that is an array for it."""
        places = _beside(index, self.data)
        if _fits(out, index, self.data, self.data.dtype):
            return np.take(self.data, places, out=out)
        return device.to_device(self.data[places])


def _beside(index: Part | np.ndarray, data: Any) -> Any:
    return index.beside(data) if isinstance(index, Part) else device.beside(index, data)


def inputs(data: Any, dtype: Any, integers: bool) -> Inputs:
    """Column of what a model is given: as `dtype`, or, with `integers`, integers and booleans as they are."""
    return Inputs(data, data.dtype if integers and data.dtype.kind in "biu" else dtype)


def targets(data: Any, dtype: Any) -> Inputs | Labels:
    """Column of what a model should give: as `dtype` if the data are floats, as they are if not."""
    dtype = dtype if data.dtype.kind == "f" else data.dtype
    return Labels(data, dtype) if data.ndim == 1 else Inputs(data, dtype)


def _fits(out: Any, index: Part | np.ndarray, data: np.ndarray, dtype: Any) -> bool:
    alike = type(out) is np.ndarray or (type(out) is type(data) and device_of(out) == device_of(data))
    return alike and out.shape == (len(index), *data.shape[1:]) and out.dtype == dtype


def resident(data: Any) -> Any:
    """`data` on the device in use, unless it is a GPU where it would take more
    than half of the free memory.
    """
    if device.get_device() == "cpu" or not isinstance(data, np.ndarray):
        return data
    fits = data.nbytes < gpu_memory.room(device.array_module()) // 2
    return gpu_memory.keeps(device.to_device(data)) if fits else data
