"""Arrays of the stand-in: NumPy arrays within, and none outside."""

import builtins
import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from cupy_stand_in import cuda
from cupy_stand_in.machine import machine
from strict_array import BINARY, CREATORS, IN_PLACE, METHODS, OPERATORS, OTHERS, UNARY, VIEWS

CUBLAS = {"dot", "einsum", "matmul", "outer", "tensordot", "__matmul__", "__rmatmul__"}
WAITING = {"bincount", "nonzero", "unique"}  # the shape of their results depends on numbers
UNWRITTEN = {"empty", "empty_like"}  # memory alone: there is nothing to launch
KEEP_ORDER = {"empty_like", "full_like", "ones_like", "zeros_like"}


def raw(value: Any) -> Any:
    """The NumPy value within; NumPy arrays from outside are refused, 0-d ones too."""
    if isinstance(value, ndarray):
        return value._inside
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, list | tuple):
        return type(value)([raw(item) for item in value])
    return value


def operand(value: Any) -> Any:
    """The same for what takes part in arithmetic: no lists."""
    if isinstance(value, list | tuple):
        raise TypeError(f"Unsupported type {type(value)}")
    return raw(value)


def arrays_in(value: Any) -> list[Any]:
    """All stand-in arrays in arguments."""
    if isinstance(value, ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [x for item in value for x in arrays_in(item)] if isinstance(value, list | tuple) else []


def new(inside: np.ndarray) -> "ndarray":
    """An array like `inside`, which has no gaps, with its numbers and memory order, on the current device."""
    memory = cuda.allocate(inside.nbytes)
    if inside.size:
        numbers, inside = (
            inside,
            np.ndarray(inside.shape, inside.dtype, memory.block.bytes, strides=inside.strides),
        )
        inside[...] = numbers
    made = ndarray(inside, memory, machine.device, None)
    machine.alive[id(made)] = made
    return made


def computed(
    name: str, function: Callable[..., Any], args: Any, options: Any, keep_order: bool = False
) -> Any:
    """function(*args, **options) of NumPy values as new arrays, launched; with `out` there."""
    operands = arrays_in([args, options])
    machine.check_device(operands)
    if name in CUBLAS:
        machine.cublas(name)
    if name in WAITING:
        machine.waits(name)
    args, options = [raw(x) for x in args], {key: raw(x) for key, x in options.items()}
    out = options.pop("out", None)
    if out is not None:

        def write() -> None:
            function(*args, out=out, **options)

        machine.launch(name, write, [], operands)
        return None

    def run() -> Any:
        with np.errstate(all="ignore"):  # a GPU warns of nothing
            return function(*args, **options)

    found = run()
    parts = found if isinstance(found, tuple | list) else (found,)
    made = [new(np.array(part, order="K" if keep_order else "C")) for part in parts]
    results = [array._inside for array in made]

    def write_all() -> None:
        again = run()
        for into, part in zip(results, again if isinstance(again, tuple | list) else (again,), strict=True):
            into[...] = part

    again = write_all if machine.capturing is not None else lambda: None
    if name in UNWRITTEN:
        made[0]._memory.block.bytes.fill(0xFF)  # NaN
    else:
        machine.launch(name, again, results, [*operands, *made])
    return type(found)(made) if isinstance(found, tuple | list) else made[0]


def in_place(name: str, change: Callable[[], Any], operands: Any) -> None:
    """change(), which writes into an array."""
    machine.check_device(arrays_in(operands))

    def run() -> None:
        with np.errstate(all="ignore"):
            change()

    machine.launch(name, run, [], arrays_in(operands))


class ndarray:  # noqa: N801
    """See the package."""

    __module__ = "cupy"
    __slots__ = ("__weakref__", "_inside", "_memory", "base", "device_number")
    __array_priority__ = 100
    __array_ufunc__ = None  # stricter than CuPy's, which computes: NumPy's operators and ufuncs give up on it
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, inside: np.ndarray, memory: Any, device: int, base: Any) -> None:
        self._inside, self._memory, self.device_number, self.base = inside, memory, device, base

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def check_memory(self) -> None:
        """Its memory was not freed with the pool that it came from."""
        if self._memory is not None and self._memory.block.released:
            raise cuda.CUDARuntimeError("cudaErrorIllegalAddress: the memory of an array was freed")

    def __array_function__(self, *args: Any) -> Any:
        return NotImplemented

    def _view(self, inside: Any) -> "ndarray":
        return ndarray(inside, self._memory, self.device_number, self if self.base is None else self.base)

    def get(self, stream: Any = None, order: str = "C") -> np.ndarray:
        self.check_memory()
        machine.copies("to host")
        held = self._inside.flags
        if not (held.c_contiguous if order == "C" else held.f_contiguous or order == "A"):
            stream = stream or cuda.current_stream()
            with cuda.Device(self.device_number), stream:
                pass  # CuPy makes it contiguous there first
        return self._inside.copy(order="C" if order == "A" else order)  # type: ignore[call-overload]

    shape = property(lambda self: self._inside.shape)
    strides = property(lambda self: self._inside.strides)
    dtype = property(lambda self: self._inside.dtype)
    ndim = property(lambda self: self._inside.ndim)
    size = property(lambda self: self._inside.size)
    nbytes = property(lambda self: self._inside.nbytes)
    itemsize = property(lambda self: self._inside.itemsize)
    device = property(lambda self: cuda.Device(self.device_number))
    T = property(lambda self: self._view(self._inside.T))
    data = property(lambda self: SimpleNamespace(ptr=self._inside.__array_interface__["data"][0]))

    @property
    def flags(self) -> Any:
        held = self._inside.flags
        return SimpleNamespace(
            c_contiguous=held.c_contiguous, f_contiguous=held.f_contiguous, owndata=self.base is None
        )

    def __len__(self) -> int:
        return len(self._inside)

    def __iter__(self) -> Iterator["ndarray"]:
        return (
            self._view(item) if isinstance(item, np.ndarray) else self[i]
            for i, item in enumerate(self._inside)
        )

    def __getitem__(self, index: Any) -> "ndarray":
        if not arrays_in([index]) and not isinstance(index, list):
            found = self._inside[raw(index)]
            return self._view(found if isinstance(found, np.ndarray) else self._one(index))
        if builtins.any(x.dtype.kind == "b" for x in arrays_in([index])):
            machine.waits("indexing with a mask")
        return computed("getitem", lambda x, i: x[i], (self, index), {})

    def _one(self, index: Any) -> np.ndarray:
        """One element as an array without axes, a view."""
        index = raw(index)
        index = index if isinstance(index, tuple) else (index,)
        return self._inside[(*index, Ellipsis)]

    def __setitem__(self, index: Any, value: Any) -> None:
        into, at, what = (
            self._inside,
            raw(index),
            operand(value) if not isinstance(value, list) else raw(value),
        )
        in_place("setitem", lambda: into.__setitem__(at, what), [self, index, value])

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __index__(self) -> int:
        return self.get().__index__()

    def __repr__(self) -> str:
        return f"stand_in({self._inside!r})"

    def __copy__(self) -> "ndarray":
        return self.copy()

    def __deepcopy__(self, memo: Any) -> "ndarray":
        return self.copy()

    def __reduce__(self) -> Any:
        return array, (self.get(),)

    def item(self, *index: int) -> Any:
        return self.get().item(*index)

    def tolist(self) -> Any:
        return self.get().tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        return self.get().tobytes(order)

    def astype(self, dtype: Any, order: str = "K", copy: bool = True) -> "ndarray":
        if not copy and self.dtype == np.dtype(dtype) and order == "K":
            return self
        return computed("astype", lambda x: x.astype(dtype, order=order), (self,), {}, keep_order=True)

    def copy(self, order: str = "C") -> "ndarray":
        return computed("copy", lambda x: x.copy(order=order), (self,), {}, keep_order=True)

    def fill(self, value: Any) -> None:
        into, what = self._inside, operand(value)
        in_place("fill", lambda: into.fill(what), [self, value])

    def view(self, dtype: Any = None) -> "ndarray":
        return self._view(self._inside.view() if dtype is None else self._inside.view(dtype))

    def reshape(self, *shape: Any, order: str = "C") -> "ndarray":
        found = self._inside.reshape(*shape, order=order)
        if np.may_share_memory(found, self._inside) or not found.size:
            return self._view(found)
        return computed("reshape", lambda x: x.reshape(*shape, order=order), (self,), {})

    def transpose(self, *axes: Any) -> "ndarray":
        return self._view(self._inside.transpose(*axes))

    def squeeze(self, axis: Any = None) -> "ndarray":
        return self._view(self._inside.squeeze(axis))

    def swapaxes(self, first: int, second: int) -> "ndarray":
        return self._view(self._inside.swapaxes(first, second))

    def diagonal(self, *args: Any) -> "ndarray":
        return self._view(self._inside.diagonal(*args))

    def ravel(self, order: str = "C") -> "ndarray":
        return self.reshape(-1, order=order)

    def flatten(self, order: str = "C") -> "ndarray":
        return computed("flatten", lambda x: x.flatten(order), (self,), {})


def _method(name: str) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **options: Any) -> Any:
        if name.startswith("__"):
            if builtins.any(getattr(arg, "__array_priority__", 0) > 100 for arg in args):
                return NotImplemented  # CuPy leaves it to a Tensor on the right
            args = tuple([arg if isinstance(arg, ndarray) else operand(arg) for arg in args])
        out = options.get("out")
        found = computed(
            name, lambda x, *rest, **more: getattr(x, name)(*rest, **more), (self, *args), options
        )
        return found if out is None else out

    return method


def _in_place_operator(name: str) -> Callable[..., Any]:
    def operator(self: ndarray, other: Any) -> ndarray:
        into, what = self._inside, operand(other)
        in_place(name, lambda: getattr(into, name)(what), [self, other])
        return self

    return operator


for _name in METHODS:
    setattr(ndarray, _name, _method(_name))
for _name in OPERATORS:
    setattr(ndarray, f"__{_name}__", _method(f"__{_name}__"))
for _name in IN_PLACE:
    setattr(ndarray, f"__i{_name}__", _in_place_operator(f"__i{_name}__"))


def _function(name: str) -> Callable[..., Any]:
    def function(*args: Any, **options: Any) -> Any:
        out = options.get("out")
        found = computed(name, getattr(np, name), args, options, keep_order=name in KEEP_ORDER)
        return found if out is None else out

    function.__name__ = name
    return function


class Ufunc:
    """A function of elements."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self._numpy = getattr(np, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        for x in args:
            operand(x)
        if not arrays_in([args]):
            raise TypeError(f"{self.__name__}: one operand at least must be an array of CuPy")
        out = options.get("out")
        found = computed(self.__name__, self._numpy, args, options)
        return found if out is None else out

    def at(self, x: ndarray, index: Any, value: Any) -> None:
        into, at, what = x._inside, raw(index), operand(value)
        in_place(f"{self.__name__}.at", lambda: self._numpy.at(into, at, what), [x, index, value])


def _viewing(name: str) -> Callable[..., Any]:
    def function(x: ndarray, *args: Any, **options: Any) -> Any:
        if name in ("reshape", "ravel"):
            return getattr(x, name)(*args, **options)
        if name == "broadcast_arrays":
            return tuple(
                [a._view(b) for a, b in zip((x, *args), np.broadcast_arrays(*raw((x, *args))), strict=True)]
            )
        found = getattr(np, name)(raw(x), *args, **options)
        return [x._view(part) for part in found] if isinstance(found, list | tuple) else x._view(found)

    return function


def _creating(name: str) -> Callable[..., Any]:
    def function(*args: Any, **options: Any) -> ndarray:
        return computed(name, getattr(np, name), args, options, keep_order=True)

    return function


def asarray(value: Any, dtype: Any = None, order: Any = None, *, blocking: bool = False) -> ndarray:
    """The way in: an array of the current device as it is, if the dtype fits; all else is copied."""
    if isinstance(value, ndarray):
        if value.device_number != machine.device:
            value = new(value._inside.copy(order="K"))
        return value.astype(dtype or value.dtype, copy=False)
    machine.copies("to device")
    given = np.asarray(value, dtype)
    fortran = given.flags.f_contiguous and not given.flags.c_contiguous and isinstance(value, np.ndarray)
    return new(np.array(given, order="F" if fortran else "C"))


def array(value: Any, dtype: Any = None, copy: bool = True) -> ndarray:
    """A copy."""
    found = asarray(value, dtype)
    return found.astype(found.dtype) if copy and found is value else found


def ascontiguousarray(value: Any, dtype: Any = None) -> ndarray:
    """`value` in C order: itself where it is."""
    found = asarray(value, dtype)
    return found if found.flags.c_contiguous else found.copy()


def as_strided(x: ndarray, shape: Any, strides: Any) -> ndarray:
    """A view from the first element of `x` on, with any shape and strides."""
    return x._view(np.lib.stride_tricks.as_strided(x._inside, shape, strides))


def asnumpy(value: Any) -> np.ndarray:
    """The way out."""
    return value.get() if isinstance(value, ndarray) else np.asarray(value)


def names() -> dict[str, Any]:
    """What the module `cupy` holds of this. There is no `errstate`."""
    numpy = (
        "float16 float32 float64 int8 int16 int32 int64 intp uint8 uint16 uint32 uint64 bool_ dtype finfo "
        "iinfo result_type newaxis"
    )
    return {
        **{name: getattr(np, name) for name in numpy.split()},
        **{name: _function(name) for name in (*OTHERS, "round")},
        **{name: _creating(name) for name in CREATORS},
        **{name: _viewing(name) for name in VIEWS},
        **{name: Ufunc(name) for name in (*UNARY, *BINARY)},
        **{f.__name__: f for f in (asarray, array, ascontiguousarray, asnumpy, ndarray)},
        **{name: getattr(math, name) for name in ("inf", "nan", "pi", "e")},
    }
