"""Array: a shape and a dtype without numbers, with the operators and methods of NumPy's."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.backend.abstract_arrays.shapes import axis_of, indexed, shape_of, sizes_of

FUNCTIONS: dict[str, Any] = {}  # by NumPy's names; functions.py fills it


def function(name: str) -> Any:
    """NumPy's function of that name, for Arrays; TypeError if there is none."""
    if name not in FUNCTIONS:
        raise TypeError(f"{name} is not known for arrays without numbers")
    return FUNCTIONS[name]


class Array:
    """A shape and a dtype; see the package."""

    __hash__ = None  # type: ignore[assignment]
    array_module: Any = None  # this package, once it is whole

    def __init__(self, shape: Sequence[int], dtype: Any = None) -> None:
        self.shape, self.dtype = tuple(map(int, shape)), np.dtype(dtype)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    itemsize = property(lambda self: self.dtype.itemsize)
    nbytes = property(lambda self: self.size * self.itemsize)
    T = property(lambda self: self.transpose())

    def __array__(self, *args: Any, **settings: Any) -> Any:
        raise TypeError(
            f"an array of shape {self.shape} has no numbers while the shapes of a model are worked out"
        )

    __bool__ = __int__ = __float__ = __index__ = __iter__ = item = tolist = __array__

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, out: Any = None, **settings: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        found = function(ufunc.__name__)(*args, **settings)
        return found if out is None else out[0]

    def __array_function__(self, called: Any, types: Any, args: Any, settings: Any) -> Any:
        return function(called.__name__)(*args, **settings)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> "Array":
        return Array(indexed(self.shape, index if isinstance(index, tuple) else (index,)), self.dtype)

    def __setitem__(self, index: Any, value: Any) -> None:
        np.broadcast_shapes(self[index].shape, shape_of(value))

    def reshape(self, *shape: Any) -> "Array":
        sizes = sizes_of(shape)
        known = math.prod(size for size in sizes if size != -1)
        whole = (
            self.size == known
            if -1 not in sizes
            else known and self.size % known == 0 and sizes.count(-1) == 1
        )
        if not whole or any(size < -1 for size in sizes):
            raise ValueError(f"cannot reshape an array of shape {self.shape} into shape {sizes}")
        return Array([self.size // known if size == -1 else size for size in sizes], self.dtype)

    def transpose(self, *axes: Any) -> "Array":
        order = sizes_of(axes) if axes and axes[0] is not None else tuple(reversed(range(self.ndim)))
        order = tuple(axis_of(axis, self.ndim) for axis in order)
        if sorted(order) != list(range(self.ndim)):
            raise ValueError(f"{order} is not an order of the axes of shape {self.shape}")
        return Array([self.shape[axis] for axis in order], self.dtype)

    def astype(self, dtype: Any, **settings: Any) -> "Array":
        return Array(self.shape, dtype)

    def swapaxes(self, a: int, b: int) -> "Array":
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def squeeze(self, axis: Any = None) -> "Array":
        return function("squeeze")(self, axis)

    def copy(self, order: str = "C") -> "Array":
        return self

    def ravel(self, order: str = "C") -> "Array":
        return self.reshape(-1)

    flatten = ravel


OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "left_shift", "rshift": "right_shift",
}  # fmt: skip
COMPARED = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


for _name, _other in OPERATORS.items():
    setattr(Array, f"__{_name}__", lambda self, other, name=_other: _operate(name, self, other))
    setattr(Array, f"__r{_name}__", lambda self, other, name=_other: _operate(name, other, self))
    setattr(Array, f"__i{_name}__", lambda self, other: self)
for _name, _other in COMPARED.items():
    setattr(Array, f"__{_name}__", lambda self, other, name=_other: _operate(name, self, other))
for _name, _other in (("neg", "negative"), ("pos", "positive"), ("abs", "abs"), ("invert", "invert")):
    setattr(Array, f"__{_name}__", lambda self, name=_other: function(name)(self))
for _name in (
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "var",
    "std",
    "any",
    "all",
    "argmax",
    "argmin",
    "clip",
    "round",
):
    setattr(Array, _name, lambda self, *args, name=_name, **settings: function(name)(self, *args, **settings))


def _operate(name: str, a: Any, b: Any) -> Any:
    if any(getattr(value, "__array_priority__", 0) > 100 for value in (a, b)):
        return NotImplemented  # a Tensor on the right does it
    return function(name)(a, b)
