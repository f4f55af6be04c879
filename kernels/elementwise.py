"""Element-wise kernels see flat memory: any order of visit is right, so the arrays' own order is kept.

Whatever a training step computes with a single NumPy call goes through `apply`, `cast` or `reshaped`, which
make it a launch: a step can then be repeated (launches.py).

CuPy gives results in C order, whatever order the operands are in, and is fast where they are in C order. So
its functions are given views whose axes stand in the order of memory (`in_order_of_memory`).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import common, devices
from .common import Array, is_on_gpu, launch, xp
from .launches import listener, listening

FEW = 1 << 12  # elements


def apply(ufunc: Any, *operands: Any, dtype: Any = None) -> Array:
    """ufunc(*operands), broadcast, of the operands' dtype or `dtype`;
    other array modules use their function of that name.
    """
    if listening.get() is None and (dtype is None or dtype.kind == "b") and _are_small(operands):
        return ufunc(*operands)
    arrays = [x for x in operands if type(x) is np.ndarray]
    if len(arrays) < len(operands):
        shaped = [x for x in operands if hasattr(x, "shape")]
        if len(shaped) > len(arrays) or not arrays:
            others = [x for x in shaped if not isinstance(x, np.ndarray | np.generic)]
            function = getattr(xp(others[0]) if others else np, ufunc.__name__)
            return in_order_of_memory(function, *operands)
    if dtype is None:
        dtype = arrays[0].dtype
        if len({x.dtype for x in arrays}) > 1:
            dtype = np.result_type(*arrays)
        if dtype.kind != "f":
            y = ufunc(*operands)  # NumPy knows the format
            if listener() is None:
                return y
            dtype = y.dtype
    out = broadcast_like(arrays, dtype)
    launch(_into, out, ufunc, *operands)
    return out


def _are_small(operands: tuple[Any, ...]) -> bool:
    """Whether NumPy alone gives the same, order in memory included:
    small arrays of floats that lie alike, without gaps.

    Derivatives of small arrays are made of such.
    What a launch needs takes ten times as long as the arithmetic.
    """
    first = operands[0] if type(operands[0]) is np.ndarray else operands[-1]
    if type(first) is not np.ndarray or first.dtype.kind != "f" or not 0 < first.size <= FEW:
        return False
    if not first.ndim or not first.flags.forc or not first.dtype.isnative:
        return False
    for x in operands:
        if x is first or type(x) in (float, int):
            continue
        if type(x) is not np.ndarray or x.shape != first.shape or x.strides != first.strides:
            return False
    return True


def _into(out: np.ndarray, ufunc: Any, *operands: Any) -> None:
    ufunc(*operands, out=out)


def where(condition: Array, a: Any, b: Any) -> Array:
    """a where `condition` holds, else b."""
    arrays = [x for x in (condition, a, b) if hasattr(x, "shape")]
    if not all(type(x) is np.ndarray for x in arrays) or not arrays:
        module = xp(next((x for x in (a, b, condition) if hasattr(x, "dtype")), a))
        return in_order_of_memory(module.where, condition, a, b)
    out = broadcast_like(arrays, np.result_type(a, b) if len(arrays) > 1 else np.where(True, a, b).dtype)
    launch(_where, out, condition, a, b)
    return out


def in_order_of_memory(function: Callable[..., Any], *operands: Any) -> Array:
    """function(*operands), of elements and broadcast; of CuPy arrays in the memory order of the first that
    has the result's shape.
    """
    arrays = [x for x in operands if is_on_gpu(x)]
    if not arrays:
        return function(*operands)
    devices.check_in_use(function.__name__, operands)
    shape = np.broadcast_shapes(*[x.shape for x in arrays])
    order = memory_order(next((x for x in arrays if x.shape == shape), arrays[0]))
    if len(order) != len(shape) or order == tuple(range(len(shape))):
        return function(*operands)
    return function(*[_turned(x, order) for x in operands]).transpose(inverse(order))


def _turned(x: Any, order: tuple[int, ...]) -> Any:
    """View of an array of CuPy, or of one that is broadcast to it, with its axes in another order."""
    if not is_on_gpu(x) or not x.ndim:
        return x
    return x.reshape((1,) * (len(order) - x.ndim) + x.shape).transpose(order)


def _where(out: np.ndarray, condition: Any, a: Any, b: Any) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition)


def broadcast_like(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    """New array of the shape that `arrays` have together, in the memory order of the first that has it."""
    first = arrays[0]
    shape = first.shape
    if len({x.shape for x in arrays}) > 1:
        shape = np.broadcast_shapes(*[x.shape for x in arrays])
        first = next((x for x in arrays if x.shape == shape), first)
    return like(first, shape, dtype) if len(shape) > 1 else common.aligned(shape, dtype)


def cast(x: Array, dtype: Any) -> Array:
    """`x` in another number format: itself where it has it already."""
    if x.dtype == dtype:
        return x
    if not isinstance(x, np.ndarray):
        if not is_on_gpu(x):
            return xp(x).asarray(x, dtype)
        devices.check_in_use("cast", [x])
        return x.astype(dtype)  # which keeps the memory order
    out = like(x, x.shape, dtype)
    launch(np.copyto, out, x, "unsafe")
    return out


def reshaped(x: Array, shape: tuple[int, ...]) -> Array:
    """x.reshape(shape), a view where the memory order allows it."""
    y = x.reshape(shape)
    if not isinstance(x, np.ndarray) or not x.size or np.may_share_memory(x, y):
        return y
    out = common.aligned(y.shape, x.dtype)
    launch(_copy_in_c_order, out, x)
    return out


def _copy_in_c_order(out: np.ndarray, x: np.ndarray) -> None:
    out[...] = x.reshape(out.shape)


def like(x: np.ndarray, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """New array whose axes lie in memory as those of `x` do;
    batch-last where x repeats itself or has other axes.
    """
    return _ordered(x, shape, dtype, memory_order(x) if x.ndim == len(shape) else _batch_last(len(shape)))


def flat(*arrays: Array) -> tuple[Array, list[Array]]:
    """New array, shaped and ordered as the last of `arrays`,
    and one-dimensional views of it and of all arrays.

    (out, [out's view, first's view, ...]); all have the first one's dtype. Arrays of one shape that lie alike
    and without gaps are used where they are; others are first brought into batch-last memory. All views go
    through the axes in one order, so that one place in each of them is one index.
    """
    # a gradient may meet an input of float16
    arrays = (arrays[0], *[cast(x, arrays[0].dtype) for x in arrays[1:]])
    order = _batch_last(arrays[0].ndim)
    turned = [x.transpose(order) for x in arrays]
    if not all(x.flags.c_contiguous for x in turned):
        other = memory_order(arrays[-1])
        turned_other = [x.transpose(other) for x in arrays]
        if all(x.flags.c_contiguous for x in turned_other):
            order, turned = other, turned_other
        else:
            turned = [common.batch_last(x) for x in arrays]
    out = _ordered(arrays[0], arrays[-1].shape, arrays[0].dtype, order)
    return out, [x.reshape(-1) for x in (out.transpose(order), *turned)]


def memory_order(x: Array) -> tuple[int, ...]:
    """The axes of `x` from the slowest in memory to the fastest; batch-last if x lies so, or repeats itself.

    An axis of one element has a stride but no say: no second element lies that far away.
    """
    order = _batch_last(x.ndim)
    if x.transpose(order).flags.c_contiguous or any(
        not s and n > 1 for s, n in zip(x.strides, x.shape, strict=True)
    ):
        return order
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


@cache
def _batch_last(ndim: int) -> tuple[int, ...]:
    return (*range(1, ndim), 0) if ndim else ()


@cache
def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that take back x.transpose(order)."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _ordered(x: Array, shape: tuple[int, ...], dtype: Any, order: tuple[int, ...]) -> Array:
    """New array of the module of x, whose axes lie in memory in the given order."""
    memory = common.in_c_order(x, tuple([shape[axis] for axis in order]), dtype)
    return memory.transpose(inverse(order))
