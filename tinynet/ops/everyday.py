"""Everyday functions of Keras's `ops` beside the primitives: what layers, losses and metrics of one's own are written with.

Those with a derivative are made of primitives; those without (argmax, comparisons, new arrays) give constants.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw, as_tensor
from tinynet.backend import config, device
from tinynet.kernels.common import xp
from tinynet.ops.attach import Value
from tinynet.ops.elementary import cast, sqrt
from tinynet.ops.indexing import constant, getitem
from tinynet.ops.joining import concatenate
from tinynet.ops.linear import matmul
from tinynet.ops.settings import existing, existing_axes, integer, reduced_axes
from tinynet.ops.shape import reshape, squeeze

# With a derivative


def reciprocal(x: Value) -> Value:
    """1 / x."""
    return 1.0 / x


def rsqrt(x: Value) -> Value:
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


def dot(a: Value, b: Value) -> Value:
    """Matrix product; of vectors their scalar product."""
    return matmul(a, b)


def take(x: Value, indices: Any, axis: int | None = None) -> Value:
    """The elements at `indices` along `axis`; None: of x made flat."""
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, existing("take", axis, x))
    index: list[Any] = [slice(None)] * x.ndim
    index[axis] = np.asarray(device.to_host(constant(indices)))
    return getitem(x, index=tuple(index))


def flip(x: Value, axis: int | Sequence[int] | None = None) -> Value:
    """The elements in reverse order along `axis`, or along every axis."""
    turned = range(x.ndim) if axis is None else existing_axes("flip", axis if isinstance(axis, list | tuple) else (axis,), x)
    return getitem(x, index=tuple(slice(None, None, -1 if i in turned else None) for i in range(x.ndim)))


def repeat(x: Value, repeats: Any, axis: int | None = None) -> Value:
    """Every element `repeats` times (or as often as a list says of each) along `axis`, or of x made flat: 1 1 2 2."""
    x, axis = (ravel(x), 0) if axis is None else (x, existing("repeat", axis, x))
    for count in repeats if isinstance(repeats, list | tuple) else np.ravel(repeats):
        integer("repeat", "repeats", count, least=0)
    return take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)


def tile(x: Value, repeats: int | Sequence[int]) -> Value:
    """x `repeats[i]` times along axis i: 1 2 1 2."""
    given = tuple([integer("tile", "repeats", n, 0) for n in (repeats if isinstance(repeats, list | tuple) else (repeats,))])
    counts = (1,) * (x.ndim - len(given)) + given
    x = reshape(x, (1,) * (len(counts) - x.ndim) + tuple(x.shape))
    for axis, count in enumerate(counts):
        if count != 1:
            x = concatenate([x] * count, axis=axis) if count else getitem(x, index=(slice(None),) * axis + (slice(0),))
    return x


def ravel(x: Value) -> Value:
    """x as a vector."""
    return reshape(x, (-1,))


def unstack(x: Value, axis: int = 0) -> list[Value]:
    """The parts of x along `axis`, without that axis."""
    axis = existing("unstack", axis, x)
    return [squeeze(take(x, [i], axis), axis=axis) for i in range(x.shape[axis])]


# Without a derivative


def stop_gradient(x: Value) -> Value:
    """x as a constant."""
    return x.detach() if isinstance(x, Tensor) else x


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """x as a Tensor."""
    tensor = as_tensor(x)
    if dtype is None or tensor.dtype == np.dtype(dtype):
        return tensor
    return cast(tensor, dtype=np.dtype(dtype)) if np.dtype(dtype).kind == "f" else Tensor(tensor.data.astype(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """x as a NumPy array of its own."""
    return np.array(device.to_host(as_raw(x)), order="C")


def shape(x: Any) -> tuple[int, ...]:
    """The sizes of the axes."""
    return tuple(as_raw(x).shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def _constant(name: str) -> Any:
    def function(x: Value, *args: Any, **kwargs: Any) -> Value:
        raw = as_raw(x)
        result = getattr(xp(raw), name)(raw, *args, **kwargs)
        return Tensor(result) if isinstance(x, Tensor) else result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"NumPy's `{name}`: a constant for the tape."
    return function


def _reduction(name: str, axes: Any) -> Any:
    def function(x: Value, axis: Any = None, keepdims: bool = False) -> Value:
        raw = as_raw(x)
        axis = None if axis is None else axes(name, axis, raw)
        result = getattr(xp(raw), name)(raw, axis=axis, keepdims=keepdims)
        return Tensor(result) if isinstance(x, Tensor) else result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"NumPy's `{name}`: a constant for the tape."
    return function


argmax, argmin = (_reduction(name, existing) for name in ("argmax", "argmin"))
all, any = (_reduction(name, reduced_axes) for name in ("all", "any"))
isnan, isinf, isfinite = (_constant(name) for name in ("isnan", "isinf", "isfinite"))
floor, ceil, round = (_constant(name) for name in ("floor", "ceil", "round"))
zeros_like, ones_like, full_like = (_constant(name) for name in ("zeros_like", "ones_like", "full_like"))


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of ones."""
    return full(shape, 1, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """New Tensor of `shape`, filled with `fill_value`."""
    return Tensor(device.to_device(np.full(shape, fill_value, dtype or config.floatx())))


def eye(N: int, M: int | None = None, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (N, M) matrix of zeros."""
    return Tensor(device.to_device(np.eye(N, M, dtype=dtype or config.floatx())))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """start, start + step, ... below stop; with one argument from 0."""
    start, stop = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ValueError("arange: step must not be 0")
    return Tensor(device.to_device(np.arange(start, stop, step, dtype=dtype)))


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Tensor:
    """A new axis with 1 at the place of each integer of x and 0 elsewhere; negative integers give zeros."""
    labels = np.asarray(device.to_host(as_raw(x))).astype(np.int64)
    num_classes = integer("one_hot", "num_classes", num_classes, least=0)
    axis = existing("one_hot", axis, labels[..., None])
    hot = (labels[..., None] == np.arange(num_classes)).astype(dtype or config.floatx())
    return Tensor(device.to_device(np.moveaxis(hot, -1, axis)))
