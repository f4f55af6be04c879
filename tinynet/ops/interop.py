"""Tensor beside NumPy, Python and other libraries.

NumPy may hold either side of an operator and its functions take Tensors where tinynet has the same
function; a tracked Tensor never turns into an array by itself, because the gradient would be lost without a
word. A Parameter does, as Keras's variables do: it is where gradients end. The array is a copy: what is done
with it does not change the Tensor, and training does not change the array.
"""

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynet import missing_names
from tinynet.autograd import Parameter, Tensor, is_grad_enabled
from tinynet.autograd.tensor import as_raw
from tinynet.backend import device, undo
from tinynet.kernels.launches import launch, numbers_read
from tinynet.ops import printing
from tinynet.ops.arithmetic import add, divide, multiply, negative, subtract
from tinynet.ops.comparison import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
)
from tinynet.ops.elementary import abs, cos, exp, log, log1p, power, sign, sin, sqrt, square
from tinynet.ops.joining import concatenate, split, stack
from tinynet.ops.matrix_products import matmul
from tinynet.ops.reduction import max, mean, min, sum, var
from tinynet.ops.selection import maximum, minimum, where
from tinynet.ops.shapes import broadcast_to, expand_dims, moveaxis, pad, reshape, squeeze, swapaxes, transpose
from tinynet.ops.smooth_activations import tanh

_ADVICE = "use t.numpy() for a copy, or t.detach(), which is a constant"

# NumPy's functions by NumPy's names; the arguments are those of the function here.
_UFUNCS = (
    add, cos, divide, equal, exp, greater, greater_equal, less, less_equal, log, log1p, logical_and,
    logical_not, logical_or, matmul, maximum, minimum, multiply, negative, not_equal, power, sign, sin, sqrt,
    square, subtract, tanh,
)  # fmt: skip
_OTHERS = (
    broadcast_to, concatenate, expand_dims, max, mean, min, moveaxis, pad, reshape, split, squeeze, stack,
    sum, swapaxes, transpose, var, where,
)  # fmt: skip
UFUNCS: dict[str, Any] = {f.__name__: f for f in _UFUNCS} | {  # type: ignore[attr-defined]
    "absolute": abs, "bitwise_and": bitwise_and, "bitwise_or": bitwise_or, "float_power": power,
    "invert": bitwise_not,
}  # fmt: skip
FUNCTIONS: dict[str, Any] = {f.__name__: f for f in _OTHERS} | {"amax": max, "amin": min}  # type: ignore[attr-defined]


def _array_ufunc(self: Any, ufunc: Any, call: str, *inputs: Any, **settings: Any) -> Any:
    """NumPy's element-wise functions and operators with a Tensor among their operands."""
    if ufunc.__name__ in UFUNCS and call == "__call__" and not settings:
        return UFUNCS[ufunc.__name__](*inputs)
    of_floats = next((kind for kind in ufunc.types if kind.startswith("d" * ufunc.nin)), "")
    # what is true or false has no derivative: np.isnan
    if call != "__call__" or settings or not of_floats.endswith("?"):
        what = f"np.{ufunc.__name__}{'' if call == '__call__' else '.' + call}{list(settings) or ''}"
        _refuse_tracked(inputs, what, parameters=call == "__call__")
    return getattr(ufunc, call)(*[as_raw(x) for x in inputs], **settings)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's other functions: tinynet's own, else on the arrays of untracked Tensors."""
    if function.__name__ in FUNCTIONS and not set(kwargs) - {"axis", "keepdims"}:
        return FUNCTIONS[function.__name__](*args, **kwargs)
    args, kwargs = _unwrapped(args), _unwrapped(kwargs)
    return function(*args, **kwargs)


def _unwrapped(value: Any) -> Any:
    """Arrays for the Tensors in nested lists and dictionaries."""
    if isinstance(value, Tensor):
        return np.asarray(value)
    if isinstance(value, dict):
        return {key: _unwrapped(item) for key, item in value.items()}
    return type(value)(_unwrapped(item) for item in value) if type(value) in (list, tuple) else value


def _array(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """np.asarray(t): a copy in CPU memory. With copy=False a read-only view;
    ValueError if there can be none.
    """
    _refuse_tracked([self], "NumPy", parameters=False)
    numbers_read(self.data)
    view = np.asarray(device.to_host(self.data)).view()
    view.flags.writeable = False
    if copy is not False:
        return np.array(view, dtype)
    if dtype not in (None, view.dtype):
        raise ValueError(
            f"a Tensor of {view.dtype} is an array of {np.dtype(dtype)} only as a copy: leave copy=False out"
        )
    return view


def _refuse_tracked(values: Any, what: str, parameters: bool = True) -> None:
    """Raises TypeError if there is a Tensor whose gradient would be lost;
    one that is a Parameter counts only if told so.
    """
    if any(
        isinstance(x, Tensor) and x.requires_grad and (parameters or not isinstance(x, Parameter))
        for x in values
    ):
        raise TypeError(
            f"{what} cannot take a Tensor that requires a gradient, which would be lost; {_ADVICE}"
        )


def _numpy(self: Any) -> np.ndarray:
    """A copy as an ordinary C-ordered NumPy array."""
    numbers_read(self.data)
    return np.array(device.to_host(self.data), order="C")


def _dlpack(self: Any, **settings: Any) -> Any:
    _refuse_tracked([self], "DLPack")
    return self.data.__dlpack__(**settings)


def _len(self: Any) -> int:
    if self.ndim == 0:
        raise TypeError("a Tensor with no axes has no length")
    return self.shape[0]


def _iter(self: Any) -> Iterator[Tensor]:
    return (self[i] for i in range(len(self)))


def _number(self: Any) -> Any:
    """The only element as a Python number."""
    if self.size != 1:
        raise ValueError(f"only a Tensor with one element is a number; this one has shape {self.shape}")
    numbers_read(self.data)
    return self.data.item()


def _bool(self: Any) -> bool:
    if self.size != 1:
        raise ValueError(
            f"a Tensor of shape {self.shape} is neither true nor false; reduce it: (a == b).numpy().all()"
        )
    numbers_read(self.data)
    return bool(self.data.item())


def _no_attribute(self: Any, name: str) -> Any:
    raise missing_names.no_attribute(self, name, "tensor")


def _in_place(symbol: str) -> Any:
    def update(self: Any, other: Any) -> Tensor:
        _refuse_in_place(self, other, f"t {symbol}= ...", f"t = t {symbol} ...")
        undo.array(self)
        launch(getattr(operator, f"i{_NAMES[symbol]}"), self.data, as_raw(other))
        self.touch()
        return self

    return update


def _setitem(self: Any, index: Any, value: Any) -> None:
    _refuse_in_place(self, value, "t[index] = ...", "where(mask, ..., t), or t.assign under no_grad()")
    undo.array(self)
    place = tuple(as_raw(i) for i in index) if isinstance(index, tuple) else as_raw(index)
    launch(_put, self.data, as_raw(value), place)
    self.touch()


def _put(into: Any, value: Any, place: Any) -> None:
    into[place] = value


def _refuse_in_place(target: Any, value: Any, what: str, instead: str) -> None:
    if is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in (target, value)):
        raise RuntimeError(
            f"{what} changes memory in place, which the tape cannot follow while a Tensor "
            f"involved requires a gradient; write {instead}, or do it under tinynet.no_grad()"
        )


_NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "truediv"}
_METHODS = {
    "__array__": _array, "__array_ufunc__": _array_ufunc, "__array_function__": _array_function,
    "__dlpack__": _dlpack, "__dlpack_device__": lambda self: self.data.__dlpack_device__(),
    "__repr__": printing.as_text, "_repr_html_": printing.as_html, "__len__": _len, "__iter__": _iter,
    "__bool__": _bool,
    "__float__": lambda self: float(_number(self)), "__int__": lambda self: int(_number(self)),
    "__format__": lambda self, spec: format(_number(self), spec) if spec and self.size == 1 else repr(self),
    "__getattr__": _no_attribute,
    "__setitem__": _setitem, **{f"__i{name}__": _in_place(symbol) for symbol, name in _NAMES.items()},
    "numpy": _numpy, "item": _number,
}  # fmt: skip
for _name, _function in _METHODS.items():
    setattr(Tensor, _name, _function)
setattr(Tensor, "__array_priority__", 1000)  # noqa: B010  CuPy asks for it: operators of its arrays leave a Tensor on the right to the Tensor
