"""An array type that is not NumPy's: what the array expressions meant for CuPy
are tested on where there is no GPU.

It is stricter than CuPy wherever the two may differ. An array refuses to become a NumPy array by itself
(`get()` is the way out, `asarray` the way in), refuses NumPy arrays as operands, values and indices, and all
NumPy functions, has no strides, buffer or flags, and keeps no memory order: every result lies in C order. The
module has only functions that CuPy has, under the same names, and `tinynet.kernels.common.xp` finds it as it
finds CuPy.
"""

import builtins
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

# whatever name the test runner imported this file by
sys.modules.setdefault("strict_array", sys.modules[__name__])

inf, nan, pi, e, newaxis = math.inf, math.nan, math.pi, math.e, None
float16, float32, float64 = np.float16, np.float32, np.float64
int8, int16, int32, int64, intp = np.int8, np.int16, np.int32, np.int64, np.intp
uint8, uint16, uint32, uint64, bool_ = np.uint8, np.uint16, np.uint32, np.uint64, np.bool_
dtype, finfo, iinfo, errstate, result_type = np.dtype, np.finfo, np.iinfo, np.errstate, np.result_type

# fmt: off
UNARY = (
    "abs", "absolute", "ceil", "cos", "exp", "exp2", "expm1", "fabs", "floor", "invert", "isfinite", "isinf",
    "isnan", "log", "log10", "log1p", "log2", "logical_not", "negative", "positive", "reciprocal", "rint",
    "sign", "sin", "sqrt", "square", "tan", "tanh", "sinh", "cosh", "arctan",
)
BINARY = (
    "add", "bitwise_and", "bitwise_or", "bitwise_xor", "divide", "equal", "floor_divide", "fmod", "greater",
    "greater_equal", "left_shift", "less", "less_equal", "logaddexp", "logical_and", "logical_or",
    "logical_xor", "maximum", "minimum", "mod", "multiply", "not_equal", "power", "remainder", "right_shift",
    "subtract", "true_divide", "arctan2", "hypot", "copysign",
)
OTHERS = (
    "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "argsort", "array_equal", "bincount",
    "clip", "concatenate", "count_nonzero", "cumprod", "cumsum", "diag", "diagonal", "diff", "dot", "einsum",
    "flip", "full_like", "isclose", "matmul", "max", "mean", "median", "min", "nan_to_num", "nonzero",
    "ones_like", "outer", "pad", "prod", "repeat", "roll", "searchsorted", "sort", "stack", "std", "sum",
    "take", "take_along_axis", "tensordot", "tile", "trace", "tril", "triu", "unique", "var", "vstack",
    "hstack", "where", "zeros_like", "empty_like",
)
VIEWS = (
    "array_split", "broadcast_arrays", "broadcast_to", "expand_dims", "moveaxis", "ravel", "reshape",
    "rollaxis", "split", "squeeze", "swapaxes", "transpose",
)
CREATORS = (
    "arange", "empty", "eye", "full", "identity", "linspace", "ones", "zeros",
)
METHODS = (
    "all", "any", "argmax", "argmin", "clip", "cumprod", "cumsum", "dot", "max", "mean", "min", "prod",
    "repeat", "round", "std", "sum", "take", "var",
)
OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift",
    "rshift", "radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rpow", "rmatmul", "rand", "ror",
    "rxor", "eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "abs", "invert",
)
IN_PLACE = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor",
)
# fmt: on


def _raw(value: Any) -> Any:
    """The NumPy value inside; NumPy arrays from outside are refused."""
    if isinstance(value, StrictArray):
        return value._inside
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array met a strict array: convert it with asarray")
    if isinstance(value, list | tuple):
        return type(value)(_raw(item) for item in value)
    return value


def _view(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_view(item) for item in value)
    return StrictArray(value) if isinstance(value, np.ndarray | np.generic) else value


def _result(value: Any) -> Any:
    """Results of computations: C order, arrays without axes instead of scalars."""
    if isinstance(value, tuple):
        return tuple(_result(item) for item in value)
    return StrictArray(np.array(value, order="C")) if isinstance(value, np.ndarray | np.generic) else value


class StrictArray:
    """See the module."""

    __slots__ = ("_inside",)
    __array_ufunc__ = None  # NumPy's operators and ufuncs give up on it
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, inside: Any) -> None:
        self._inside = np.asarray(inside)

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        raise TypeError("implicit conversion to a NumPy array is not allowed; use get()")

    def __array_function__(self, *args: Any) -> Any:
        return NotImplemented

    def get(self) -> np.ndarray:
        return self._inside.copy(order="C")

    shape = property(lambda self: self._inside.shape)
    dtype = property(lambda self: self._inside.dtype)
    ndim = property(lambda self: self._inside.ndim)
    size = property(lambda self: self._inside.size)
    nbytes = property(lambda self: self._inside.nbytes)
    itemsize = property(lambda self: self._inside.itemsize)
    T = property(lambda self: StrictArray(self._inside.T))

    def __len__(self) -> int:
        return len(self._inside)

    def __iter__(self) -> Iterator["StrictArray"]:
        return (StrictArray(item) for item in self._inside)

    def __getitem__(self, index: Any) -> "StrictArray":
        return StrictArray(self._inside[_raw(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._inside[_raw(index)] = _raw(value)

    def __bool__(self) -> bool:
        return bool(self._inside)

    def __int__(self) -> int:
        return int(self._inside)

    def __float__(self) -> float:
        return float(self._inside)

    def __index__(self) -> int:
        return self._inside.__index__()

    def __repr__(self) -> str:
        return f"strict_array({self._inside!r})"

    def item(self, *index: int) -> Any:
        return self._inside.item(*index)

    def tolist(self) -> Any:
        return self._inside.tolist()

    def astype(self, dtype: Any, copy: bool = True) -> "StrictArray":
        return StrictArray(self._inside.astype(dtype, order="C", copy=copy))

    def copy(self) -> "StrictArray":
        return StrictArray(self._inside.copy(order="C"))

    def fill(self, value: Any) -> None:
        self._inside.fill(_raw(value))

    def view(self, dtype: Any) -> "StrictArray":
        return StrictArray(self._inside.view(dtype))

    def reshape(self, *shape: Any) -> "StrictArray":
        return StrictArray(self._inside.reshape(*shape))

    def transpose(self, *axes: Any) -> "StrictArray":
        return StrictArray(self._inside.transpose(*axes))

    def squeeze(self, axis: Any = None) -> "StrictArray":
        return StrictArray(self._inside.squeeze(axis))

    def swapaxes(self, first: int, second: int) -> "StrictArray":
        return StrictArray(self._inside.swapaxes(first, second))

    def ravel(self) -> "StrictArray":
        return StrictArray(self._inside.reshape(-1))

    def flatten(self) -> "StrictArray":
        return StrictArray(self._inside.flatten())


def _method(name: str) -> Callable[..., Any]:
    def method(self: StrictArray, *args: Any, **options: Any) -> Any:
        if builtins.any(getattr(arg, "__array_priority__", 0) > 100 for arg in args):
            return NotImplemented  # CuPy's operators, of priority 100, leave it to a Tensor on the right
        return _result(
            getattr(self._inside, name)(*map(_raw, args), **{k: _raw(v) for k, v in options.items()})
        )

    return method


for _name in METHODS:
    setattr(StrictArray, _name, _method(_name))
for _name in OPERATORS:
    setattr(StrictArray, f"__{_name}__", _method(f"__{_name}__"))


def _in_place(name: str) -> Callable[..., Any]:
    def operator(self: StrictArray, other: Any) -> StrictArray:
        getattr(self._inside, name)(_raw(other))
        return self

    return operator


for _name in IN_PLACE:
    setattr(StrictArray, f"__i{_name}__", _in_place(f"__i{_name}__"))


def _lifted(function: Callable[..., Any], wrap: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        out = options.get("out")
        value = function(*map(_raw, args), **{key: _raw(option) for key, option in options.items()})
        return out if out is not None else wrap(value)

    return call


class _Ufunc:
    """A binary function that can also add (multiply, ...) at repeated indices, as CuPy's `add.at` does."""

    def __init__(self, name: str) -> None:
        self.function = getattr(np, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return _lifted(self.function, _result)(*args, **options)

    def at(self, x: StrictArray, index: Any, value: Any) -> None:
        self.function.at(x._inside, _raw(index), _raw(value))


globals().update({name: _lifted(getattr(np, name), _result) for name in (*UNARY, *OTHERS, *CREATORS)})
globals().update({name: _lifted(getattr(np, name), _view) for name in VIEWS})
globals().update({name: _Ufunc(name) for name in BINARY})
ndarray = StrictArray


def asarray(value: Any, dtype: Any = None) -> StrictArray:
    """The way in: strict arrays as they are where the dtype fits, NumPy arrays and lists copied."""
    if isinstance(value, StrictArray) and dtype in (None, value.dtype):
        return value
    return array(value, dtype)


def array(value: Any, dtype: Any = None) -> StrictArray:
    return StrictArray(np.array(value._inside if isinstance(value, StrictArray) else value, dtype, order="C"))


def ascontiguousarray(value: Any, dtype: Any = None) -> StrictArray:
    return array(value, dtype)


def asnumpy(value: StrictArray) -> np.ndarray:
    return value.get()
