"""Devices: "cpu" (NumPy) and "gpu", "gpu:1", ... (CuPy, imported when first asked for).

Parameters and batches are made on the device in use, and stay where they are put.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinynet import missing_names
from tinynet.backend import gpu
from tinynet.kernels import devices, elementwise
from tinynet.kernels.by_value import sent
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.kernels.devices import device_of, name_of_gpu
from tinynet.kernels.launches import not_repeatable, numbers_read

missing_names.namespace(__name__)
_current = {"device": "cpu"}
_within: ContextVar[str | None] = ContextVar("tinynet_device", default=None)  # that of a `with` block


def gpu_available() -> bool:
    """Whether CuPy is installed, works, and sees a GPU."""
    return not gpu.missing(0)


def set_device(name: str) -> None:
    """Chooses by `name` where parameters and batches live: "cpu", "gpu" (the first one), "gpu:1", ...
    or "auto" (the GPU where there is one).

    Raises ValueError for another name, RuntimeError for a GPU where it, its driver or CuPy is missing.
    """
    _current["device"] = _entered(name)


@contextmanager
def device(name: str) -> Iterator[None]:
    """Within the context, in this thread or task, parameters and batches are made on the device `name`.

    name   as in set_device, which raises the same errors

    >>> with tinynet.device("cpu"):
    ...     print(tinynet.get_device())
    cpu
    """
    before = get_device()
    token = _within.set(_entered(name))
    try:
        yield
    finally:
        _within.reset(token)
        if before != "cpu":
            gpu.enter(_number(before), anew=True)


def get_device() -> str:
    """The device in use: "cpu", "gpu", "gpu:1", ..."""
    return _within.get() or _current["device"]


def array_module() -> Any:
    """NumPy on the CPU, CuPy on a GPU, which is then the current one of this thread."""
    name = get_device()
    return np if name == "cpu" else gpu.enter(_number(name))


devices.enter = array_module


def to_device(array: Any, name: str | None = None) -> Any:
    """`array` on the device `name` (None: the one in use), in the same memory order;
    the same array where it is there already.
    """
    if name is not None and checked(name) != get_device():
        with device(name):
            return to_device(array)
    module = array_module()
    if type(array) is module.ndarray:
        return array if module is np or device_of(array) == get_device() else module.asarray(array)
    if module is np:
        return to_host(array)
    not_repeatable("copies an array to the GPU at each step")
    return _sent(array, module) if isinstance(array, np.ndarray) else module.asarray(array)


def _sent(array: np.ndarray, module: Any) -> Any:
    """A NumPy array as one of CuPy, whose `asarray` keeps C and F order alone: a view in C order is sent."""
    order = elementwise.memory_order(array)
    return module.asarray(array.transpose(order)).transpose(elementwise.inverse(order))


def to_host(array: Any) -> np.ndarray:
    """`array` as a NumPy array."""
    if hasattr(array, "get"):
        numbers_read(array)
        return gpu.fetched(array) if is_on_gpu(array) else array.get()
    return np.asarray(array)


def beside(value: Any, like: Any) -> Any:
    """`value` where the array `like` lies: numbers that are assigned to it,
    or that say what to do with it (an index), follow it by themselves.
    """
    if isinstance(like, np.ndarray):
        return value if isinstance(value, np.ndarray) else to_host(value)
    return to_device(value, device_of(like)) if is_on_gpu(like) else xp(like).asarray(value)


def words_beside(words: Any, like: Any) -> Any:
    """As `beside`, for words that random numbers are drawn from: others in each step, and sent by value."""
    by_value = is_on_gpu(like) and isinstance(words, np.ndarray)
    return sent(words, like) if by_value else beside(words, like)


def checked(name: Any) -> str:
    """The name of a device as `get_device` gives it; ValueError for what is none."""
    found = re.fullmatch(r"(cpu|gpu)(?::(\d+))?", name) if isinstance(name, str) else None
    if found is None or (found[1] == "cpu" and int(found[2] or 0)):
        raise ValueError(f"device must be 'auto', 'cpu' or 'gpu' ('gpu:1', ...), got {name!r}")
    return "cpu" if found[1] == "cpu" else name_of_gpu(int(found[2] or 0))


def _entered(name: str) -> str:
    """The device of this name, once this thread can use it."""
    if name == "auto":
        name = "gpu" if gpu_available() else "cpu"
    name = checked(name)
    if name != "cpu":
        if why := gpu.missing(_number(name)):
            raise RuntimeError(f"device {name!r} cannot be used: {why}")
        gpu.enter(_number(name), anew=True)
    return name


def _number(name: str) -> int:
    return int(name.partition(":")[2] or 0)
