"""NumPy's functions on arrays without numbers: what shape and dtype they give."""

import math
from typing import Any

import numpy as np

from tinynet.backend.abstract_arrays.array import FUNCTIONS, Array, function
from tinynet.backend.abstract_arrays.shapes import axis_of, shape_of

# Which function is of which kind

KEEP = {
    "abs",
    "absolute",
    "ceil",
    "conjugate",
    "floor",
    "invert",
    "negative",
    "positive",
    "rint",
    "round",
    "sign",
    "square",
}
FLOAT = {
    "cbrt", "cos", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "reciprocal", "sin", "sqrt",
    "tan", "tanh", "sinh", "cosh", "arctan", "arcsin", "arccos", "true_divide", "divide", "logaddexp",
    "arctan2", "hypot",
}  # fmt: skip
TRUTH = {
    "equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "isfinite", "isinf", "isnan", "isclose",
}  # fmt: skip
MEET = {
    "add", "subtract", "multiply", "power", "maximum", "minimum", "mod", "remainder", "fmod", "floor_divide",
    "copysign", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "clip", "where",
}  # fmt: skip
REDUCE: dict[str, Any] = {  # the dtype that they give; None: that of the array
    **dict.fromkeys(("sum", "prod", "max", "min", "amax", "amin")),
    **dict.fromkeys(("mean", "var", "std", "median"), float),
    "any": bool, "all": bool, "argmax": int, "argmin": int, "count_nonzero": int,
}  # fmt: skip
BITS = {"invert", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"}
ALIKE = {"zeros_like", "ones_like", "empty_like", "full_like"}
SAME = {"sort", "cumsum", "cumprod", "flip", "roll", "nan_to_num", "ascontiguousarray", "copy"}


def _elementwise(name: str) -> Any:
    def work_out(*operands: Any, dtype: Any = None, **settings: Any) -> Array:
        given = [one for one in operands if one is not None]  # clip(x, None, 1)
        met = [
            one if isinstance(one, int | float) or hasattr(one, "dtype") else np.asarray(one) for one in given
        ]
        if any(getattr(one, "dtype", np.dtype(float)).kind not in "biuf" for one in met):
            raise TypeError(f"{name} takes numbers, got {operands}")
        shape = np.broadcast_shapes(*map(shape_of, met))
        values = met[1:] if name == "where" else met
        kind = np.result_type(*(getattr(one, "dtype", one) for one in values))
        truth: Any = met if name in BITS else ()
        if name == "where":
            truth = met[:1]
        if any(getattr(one, "dtype", np.dtype(bool)).kind == "f" for one in truth):
            raise TypeError(f"{name} takes no floats")
        if name in TRUTH:
            kind = np.dtype(bool)
        elif name in FLOAT and kind.kind != "f":
            kind = np.result_type(kind, 1.0)
        return Array(shape, dtype or kind)

    return work_out


def _reduction(name: str) -> Any:
    def work_out(
        x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **settings: Any
    ) -> Array:
        shape, kind = shape_of(x), REDUCE[name]
        axes: Any = axis if isinstance(axis, tuple | list) else (axis,)
        if axis is None:
            axes = range(len(shape))
        gone = {axis_of(one, len(shape)) for one in axes}
        left = [1 if i in gone else size for i, size in enumerate(shape) if keepdims or i not in gone]
        if kind is float:
            kind = x.dtype if x.dtype.kind == "f" else np.float64
        elif name in ("sum", "prod"):  # of integers, in 64 bits
            kind = np.sum(np.empty(0, x.dtype)).dtype
        return Array(left, dtype or kind or x.dtype)

    return work_out


def _same(x: Any, *args: Any, **settings: Any) -> Array:
    return Array(shape_of(x), x.dtype)


def _alike(x: Any, *args: Any, dtype: Any = None, **settings: Any) -> Array:
    return Array(shape_of(x), dtype or x.dtype)


FUNCTIONS |= {
    **{name: _elementwise(name) for name in KEEP | FLOAT | TRUTH | MEET},
    **{name: _reduction(name) for name in REDUCE},
    **dict.fromkeys(ALIKE, _alike), **dict.fromkeys(SAME, _same),
}  # fmt: skip


# Functions with a rule of their own


def rule(written: Any) -> Any:
    """Decorator: NumPy's function of that name, for Arrays."""
    FUNCTIONS[written.__name__] = written
    return written


@rule
def matmul(a: Any, b: Any, **settings: Any) -> Array:
    left, right = shape_of(a), shape_of(b)
    if not left or not right or left[-1] != right[-2:][0]:
        raise ValueError(f"shapes {left} and {right} do not fit (..., N, K) @ (..., K, M)")
    ends = (*left[-2:-1], *(right[-1:] if len(right) > 1 else ()))
    return Array((*np.broadcast_shapes(left[:-2], right[:-2]), *ends), np.result_type(a.dtype, b.dtype))


@rule
def dot(a: Any, b: Any) -> Array:
    if min(len(shape_of(a)), len(shape_of(b))) == 0:
        return function("multiply")(a, b)
    if len(shape_of(b)) > 2:
        raise TypeError("dot with more than two axes is not known for arrays without numbers")
    return matmul(a, b)


@rule
def concatenate(arrays: Any, axis: int = 0, **settings: Any) -> Array:
    shapes = [shape_of(one) for one in arrays]
    axis = axis_of(axis, len(shapes[0]))
    if (
        len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1
        or len({len(shape) for shape in shapes}) > 1
    ):
        raise ValueError(f"arrays of shapes {shapes} cannot be joined along axis {axis}")
    joined = (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
    return Array(joined, np.result_type(*(one.dtype for one in arrays)))


@rule
def stack(arrays: Any, axis: int = 0, **settings: Any) -> Array:
    return concatenate([expand_dims(one, axis) for one in arrays], axis)


@rule
def expand_dims(x: Any, axis: int) -> Array:
    shape = list(shape_of(x))
    shape.insert(axis_of(axis, len(shape) + 1), 1)
    return Array(shape, x.dtype)


@rule
def squeeze(x: Any, axis: Any = None) -> Array:
    shape = shape_of(x)
    ones = [i for i, size in enumerate(shape) if size == 1]
    gone = (
        ones
        if axis is None
        else [axis_of(one, len(shape)) for one in (axis if isinstance(axis, tuple | list) else (axis,))]
    )
    if set(gone) - set(ones):
        raise ValueError(f"axes {gone} of shape {shape} are not of length 1")
    return Array([size for i, size in enumerate(shape) if i not in gone], x.dtype)


@rule
def broadcast_to(x: Any, shape: Any) -> Array:
    if np.broadcast_shapes(shape_of(x), tuple(shape)) != tuple(shape):
        raise ValueError(f"an array of shape {shape_of(x)} does not broadcast to {tuple(shape)}")
    return Array(shape, x.dtype)


@rule
def moveaxis(x: Any, source: int, destination: int) -> Array:
    order = [i for i in range(x.ndim) if i != axis_of(source, x.ndim)]
    order.insert(axis_of(destination, x.ndim), axis_of(source, x.ndim))
    return x.transpose(order)


@rule
def take(x: Any, indices: Any, axis: int | None = None, **settings: Any) -> Array:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis_of(axis, x.ndim))
    return x[(slice(None),) * axis + (indices if hasattr(indices, "shape") else np.asarray(indices),)]


@rule
def zeros(shape: Any, dtype: Any = float, **settings: Any) -> Array:
    return Array(shape if isinstance(shape, tuple | list) else (shape,), dtype)


@rule
def full(shape: Any, fill_value: Any, dtype: Any = None, **settings: Any) -> Array:
    return zeros(shape, dtype or np.result_type(fill_value))


@rule
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Array:
    start, stop = (0, start) if stop is None else (start, stop)
    return Array((max(0, math.ceil((stop - start) / step)),), dtype or np.result_type(start, stop, step))


@rule
def asarray(value: Any, dtype: Any = None, **settings: Any) -> Any:
    if isinstance(value, Array):
        return value if dtype is None else value.astype(dtype)
    return np.asarray(value, dtype)


FUNCTIONS |= {"ones": zeros, "empty": zeros, "array": asarray}
for _name in ("reshape", "transpose", "swapaxes", "ravel"):
    FUNCTIONS[_name] = lambda x, *args, name=_name: getattr(x, name)(*args)
