"""Lets the tests of CUDA kernels, which make NumPy arrays, run these kernels on a GPU.

After `install()` the implementation "cuda" of every operation takes NumPy arrays: they are sent to the GPU
with their strides, gaps and all, the operation runs on CuPy arrays, and what it returns comes back in the
memory order that it has there. What it did to its arguments comes back too: so a kernel that writes into its
inputs is noticed, and one that updates its arguments works.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

import tinynet
from tinynet.kernels import common
from tinynet.kernels.elementwise import inverse, memory_order


def install() -> None:
    """From now on `operation["cuda"]` and `kernels.use(family, "cuda")` run NumPy arrays on the GPU."""
    for members in common._families.values():
        for operation in members:
            if common.CUDA in operation.implementations:
                operation.implementations[common.CUDA] = there(operation[common.CUDA])


def there(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """The implementation, for NumPy arrays as well."""

    @wraps(implementation)
    def run(*args: Any, **static: Any) -> Any:
        arrays = [a for a in (*args, *static.values()) if isinstance(a, np.ndarray)]
        if not arrays:
            return implementation(*args, **static)
        with tinynet.device("gpu"):
            sent = {id(a): send(a) for a in arrays}
            named = {name: sent.get(id(a), a) for name, a in static.items()}
            found = implementation(*[sent.get(id(a), a) for a in args], **named)
            for array in arrays:
                if array.flags.writeable:
                    array[...] = sent[id(array)].get()
            given = {id(sent[id(a)]): a for a in arrays}  # which it may return, such as `out`
            back = [given[id(y)] if id(y) in given else fetch(y) for y in several(found)]
            return tuple(back) if isinstance(found, tuple) else back[0]

    return run


def several(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def send(x: np.ndarray) -> Any:
    """`x` on the GPU, as far from each other as its elements are here."""
    cupy, tricks = importlib.import_module("cupy"), importlib.import_module("cupy.lib.stride_tricks")
    if not x.size:
        return cupy.asarray(x)
    low, high = np.lib.array_utils.byte_bounds(x)
    steps = [stride * (size - 1) for stride, size in zip(x.strides, x.shape, strict=True)]
    first = -sum(step for step in steps if step < 0)  # bytes before the first element, of negative strides
    if (high - low) % x.itemsize or any(stride % x.itemsize for stride in x.strides):
        return cupy.asarray(np.ascontiguousarray(x))
    lowest = x[tuple(slice(None, None, -1) if step < 0 else slice(None) for step in steps)]
    memory = np.lib.stride_tricks.as_strided(lowest, ((high - low) // x.itemsize,), (x.itemsize,))
    return tricks.as_strided(cupy.asarray(memory)[first // x.itemsize :], x.shape, x.strides)


def fetch(y: Any) -> Any:
    """`y` as a NumPy array in its memory order; what is no array of CuPy as it is."""
    if not common.is_on_gpu(y):
        return y
    order = memory_order(y)
    return y.transpose(order).get().transpose(inverse(order))
