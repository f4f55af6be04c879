"""Functions without a derivative: new arrays, places of elements, questions about them.
Their results are constants.
"""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw, as_tensor
from tinynet.autograd.basics import reduced_shape
from tinynet.backend import config, device
from tinynet.backend.number_format import as_array, numbers, result_type
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.ops.elementary import cast
from tinynet.ops.methods import Value
from tinynet.ops.settings import Axis, existing, floats, integer, integers, reduced_axes
from tinynet.ops.shapes import reshape


def stop_gradient(variable: Value) -> Value:
    """The numbers of `variable` as a constant: no gradient passes.

    >>> x = tinynet.Tensor([2.0], requires_grad=True)
    >>> ops.stop_gradient(x).requires_grad
    False
    """
    return variable.detach() if isinstance(variable, Tensor) else as_array(variable)


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """x (numbers, lists, an array, a Tensor) as a Tensor, of `dtype` where that is given.

    >>> ops.convert_to_tensor([1, 2], dtype="float32").dtype
    dtype('float32')
    """
    tensor = as_tensor(x)
    if dtype is None or tensor.dtype == np.dtype(dtype):
        return tensor
    return (
        cast(tensor, dtype=np.dtype(dtype))
        if np.dtype(dtype).kind == "f"
        else Tensor(tensor.data.astype(dtype))
    )


def convert_to_numpy(x: Any) -> np.ndarray:
    """x, a Tensor or anything like an array, as a NumPy array of its own."""
    return np.array(device.to_host(as_raw(as_array(x))), order="C")


def shape(x: Any) -> tuple[int, ...]:
    """The sizes of the axes of x."""
    return tuple(as_raw(x).shape) if hasattr(x, "shape") else numbers(x).shape


def ndim(x: Any) -> int:
    """The number of axes of x."""
    return len(shape(x))


def _constant(name: str, x: Value, *settings: Any) -> Value:
    """NumPy's function on the array of x: a constant on the tape."""
    raw = as_raw(as_array(x))
    result = xp(raw).asarray(getattr(xp(raw), name)(raw, *settings))
    return Tensor(result) if isinstance(x, Tensor) else result


def argmax(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Place of the largest element along `axis`, or in x made flat; the first of several.

    keepdims leaves that axis with size 1. Raises ValueError for an axis that x does not have.

    >>> ops.argmax([[1, 9, 3], [7, 5, 6]], axis=1)
    array([1, 0])
    """
    return _place("argmax", x, axis, keepdims)


def argmin(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Place of the smallest element along `axis`, or in x made flat; the first of several.

    keepdims leaves that axis with size 1. Raises ValueError for an axis that x does not have.

    >>> ops.argmin([[1, 9, 3], [7, 5, 6]], axis=1)
    array([0, 1])
    """
    return _place("argmin", x, axis, keepdims)


def _place(name: str, x: Value, axis: int | None, keepdims: bool) -> Value:
    x = as_array(x)
    axis = None if axis is None else existing(name, axis, x)
    place = _constant(name, x, axis)
    return reshape(place, reduced_shape(x.shape, axis)) if keepdims else place


def all(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether all elements of x along `axis` are true (not 0); axis and keepdims are as in `sum`.

    >>> ops.all([[True, False], [True, True]], axis=1)
    array([False,  True])
    """
    return _truth("all", x, axis, keepdims)


def any(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether an element of x along `axis` is true (not 0); axis and keepdims are as in `sum`.

    >>> ops.any([[True, False], [False, False]], axis=1)
    array([ True, False])
    """
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
    """The largest integer that is no larger than x, as a float."""
    return _constant("floor", _floats(x))


def ceil(x: Value) -> Value:
    """The smallest integer that is no smaller than x, as a float."""
    return _constant("ceil", _floats(x))


def round(x: Value, decimals: int = 0) -> Value:
    """x rounded to `decimals` digits after the point; of two that are equally near the even one. 2.5 gives 2.

    >>> ops.round([1.25, -3.14159], 2)
    array([ 1.25, -3.14], dtype=float32)
    """
    x = as_array(x)
    return _constant("round", cast(x, dtype="int64") if x.dtype.kind == "b" else x, decimals)


def _floats(x: Value) -> Value:
    return floats(x)[0]


def zeros_like(x: Value, dtype: Any = None) -> Value:
    """Zeros of the shape of x, in its format or `dtype`.

    >>> ops.zeros_like([[1.0, 2.0]])
    array([[0., 0.]], dtype=float32)
    """
    return full_like(x, 0, dtype)


def ones_like(x: Value, dtype: Any = None) -> Value:
    """Ones of the shape of x, in its format or `dtype`.

    >>> ops.ones_like([[1.0, 2.0]], dtype="int32")
    array([[1, 1]], dtype=int32)
    """
    return full_like(x, 1, dtype)


def full_like(x: Value, fill_value: Any, dtype: Any = None) -> Value:
    """`fill_value` in the shape of x, in its format or `dtype`.

    >>> ops.full_like([1.0, 2.0], 7)
    array([7., 7.], dtype=float32)
    """
    return _constant("full_like", x, _value(fill_value), dtype)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of zeros of this `shape`; `dtype` None: `config.floatx()`.

    >>> ops.zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """New Tensor of ones of this `shape`; `dtype` None: `config.floatx()`.

    >>> ops.ones((2,), dtype="int32").numpy()
    array([1, 1], dtype=int32)
    """
    return full(shape, 1, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """New Tensor of `shape`, filled with `fill_value`; `dtype` None: `config.floatx()`.

    >>> ops.full((2,), 0.5).numpy()
    array([0.5, 0.5], dtype=float32)
    """
    shape = integers("full", "shape", shape, least=0)
    return Tensor(
        device.to_device(np.full(shape, device.to_host(_value(fill_value)), dtype or config.floatx()))
    )


def _value(x: Any) -> Any:
    """Python's numbers as they are, so that one that a format does not have is noticed; else an array."""
    return x if isinstance(x, int | float) else as_raw(as_array(x))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (N, M) matrix of zeros (M None: N), or on the one `k` places to its right.

    dtype None: `config.floatx()`

    >>> ops.eye(2, 3, k=1).numpy()
    array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    return Tensor(device.to_device(np.eye(N, M, k, dtype=dtype or config.floatx())))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step (1), ... below stop; with one argument from 0.
    Integers give integers, others floats.

    `dtype` says otherwise. Raises ValueError for a step of 0.

    >>> ops.arange(1, 2, 0.25).numpy()
    array([1.  , 1.25, 1.5 , 1.75], dtype=float32)
    """
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if step == 0:
        raise ValueError("arange: step must not be 0")
    given: Any = [device.to_host(as_raw(x)) if hasattr(x, "dtype") else x for x in (start, stop, step)]
    return Tensor(
        device.to_device(
            np.arange(given[0], given[1], given[2]).astype(dtype or result_type(start, stop, step))
        )
    )


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Tensor:
    """A new axis of `num_classes` with 1 at the place of each integer of x and 0 elsewhere;
    negative integers give zeros.

    axis   where the new axis stands;  dtype   None: `config.floatx()`

    >>> ops.one_hot([2, 0], 3).numpy()
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels = as_raw(as_array(x))
    labels = (labels if is_on_gpu(labels) else np.asarray(device.to_host(labels))).astype(np.int64)
    num_classes = integer("one_hot", "num_classes", num_classes, least=0)
    axis = existing("one_hot", axis, labels[..., None])
    module = xp(labels)
    hot = (labels[..., None] == module.arange(num_classes)).astype(dtype or config.floatx())
    return Tensor(device.to_device(module.moveaxis(hot, -1, axis)))
