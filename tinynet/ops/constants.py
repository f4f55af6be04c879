"""Functions without a derivative: new arrays, places of elements, questions about them. Their results are constants."""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw, as_tensor
from tinynet.autograd.basics import reduced_shape
from tinynet.backend import config, device
from tinynet.backend.number_format import as_array, result_type
from tinynet.kernels.common import xp
from tinynet.ops.attach import Value
from tinynet.ops.elementary import cast
from tinynet.ops.settings import Axis, existing, floats, integer, reduced_axes
from tinynet.ops.shape import reshape


def stop_gradient(variable: Value) -> Value:
    """The same numbers as a constant."""
    return variable.detach() if isinstance(variable, Tensor) else as_array(variable)


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """x as a Tensor."""
    tensor = as_tensor(x)
    if dtype is None or tensor.dtype == np.dtype(dtype):
        return tensor
    return cast(tensor, dtype=np.dtype(dtype)) if np.dtype(dtype).kind == "f" else Tensor(tensor.data.astype(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """x as a NumPy array of its own."""
    return np.array(device.to_host(as_raw(as_array(x))), order="C")


def shape(x: Any) -> tuple[int, ...]:
    """The sizes of the axes."""
    return tuple(as_raw(x).shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def _constant(name: str, x: Value, *settings: Any) -> Value:
    """NumPy's function on the array of x: a constant on the tape."""
    raw = as_raw(as_array(x))
    result = xp(raw).asarray(getattr(xp(raw), name)(raw, *settings))
    return Tensor(result) if isinstance(x, Tensor) else result


def argmax(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Place of the largest element along `axis`, or in x made flat; the first of several."""
    return _place("argmax", x, axis, keepdims)


def argmin(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Place of the smallest element along `axis`, or in x made flat; the first of several."""
    return _place("argmin", x, axis, keepdims)


def _place(name: str, x: Value, axis: int | None, keepdims: bool) -> Value:
    x = as_array(x)
    axis = None if axis is None else existing(name, axis, x)
    place = _constant(name, x, axis)
    return reshape(place, reduced_shape(x.shape, axis)) if keepdims else place


def all(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether all elements along `axis` are true (not 0)."""
    return _truth("all", x, axis, keepdims)


def any(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether an element along `axis` is true (not 0)."""
    return _truth("any", x, axis, keepdims)


def _truth(name: str, x: Value, axis: Axis, keepdims: bool) -> Value:
    x = as_array(x)
    return _constant(name, x, reduced_axes(name, axis, x), None, keepdims)


def isnan(x: Value) -> Value:
    """Where x is not a number."""
    return _constant("isnan", x)


def isinf(x: Value) -> Value:
    """Where x is infinite."""
    return _constant("isinf", x)


def isfinite(x: Value) -> Value:
    """Where x is neither infinite nor NaN."""
    return _constant("isfinite", x)


def floor(x: Value) -> Value:
    """The largest integer that is no larger, as a float."""
    return _constant("floor", _floats(x))


def ceil(x: Value) -> Value:
    """The smallest integer that is no smaller, as a float."""
    return _constant("ceil", _floats(x))


def round(x: Value, decimals: int = 0) -> Value:
    """The nearest number of `decimals` digits after the point, the even one of two."""
    return _constant("round", x, decimals)


def _floats(x: Value) -> Value:
    return floats(x)[0]


def zeros_like(x: Value, dtype: Any = None) -> Value:
    """Zeros of the shape of x, in its format or `dtype`."""
    return full_like(x, 0, dtype)


def ones_like(x: Value, dtype: Any = None) -> Value:
    """Ones of the shape of x, in its format or `dtype`."""
    return full_like(x, 1, dtype)


def full_like(x: Value, fill_value: Any, dtype: Any = None) -> Value:
    """`fill_value` in the shape of x, in its format or `dtype`."""
    return _constant("full_like", x, as_raw(fill_value), dtype)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of ones."""
    return full(shape, 1, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """New Tensor of `shape`, filled with `fill_value`."""
    return Tensor(device.to_device(np.full(shape, fill_value, dtype or config.floatx())))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (N, M) matrix of zeros, or on the one `k` places to its right."""
    return Tensor(device.to_device(np.eye(N, M, k, dtype=dtype or config.floatx())))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step (1), ... below stop; with one argument from 0. Integers give integers, others floats."""
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if step == 0:
        raise ValueError("arange: step must not be 0")
    given: Any = [device.to_host(as_raw(x)) if hasattr(x, "dtype") else x for x in (start, stop, step)]
    return Tensor(device.to_device(np.arange(given[0], given[1], given[2]).astype(dtype or result_type(start, stop, step))))


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Tensor:
    """A new axis with 1 at the place of each integer of x and 0 elsewhere; negative integers give zeros."""
    labels = np.asarray(device.to_host(as_raw(x))).astype(np.int64)
    num_classes = integer("one_hot", "num_classes", num_classes, least=0)
    axis = existing("one_hot", axis, labels[..., None])
    hot = (labels[..., None] == np.arange(num_classes)).astype(dtype or config.floatx())
    return Tensor(device.to_device(np.moveaxis(hot, -1, axis)))
