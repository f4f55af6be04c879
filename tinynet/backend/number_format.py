"""Number formats where several of them meet: one rule for the whole engine, JAX's.

    what meets                                           the result is of
    --------------------------------------------------   --------------------------------------------------
    arrays of floats, whatever else                      the widest format of those floats: float32 beside
                                                         int64 stays
    arrays of integers or booleans, and a number 0.5     `config.floatx()`
    arrays of integers and booleans, numbers 1, True     NumPy's choice (uint64 beside int64:
                                                         `config.floatx()`)

A number is weak, it takes the format of the arrays that it meets: Python's, and NumPy's scalars as well,
since NumPy hands out np.float64 wherever it reduces something. So is a list of floats; one of integers is an
array of them. An array without axes is an array, and so is a Tensor. Hence nothing is float64 that no array
or Tensor of float64 went into.

Functions that compute with floats alone (exp, softmax, convolutions) turn integers into `config.floatx()`,
and float16, which is a format to keep numbers in and not to compute with. Only arithmetic and comparisons,
which are NumPy's, keep float16.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinynet.backend import config
from tinynet.kernels import elementwise
from tinynet.kernels.common import xp


def align(a: Any, b: Any, beside: Any = None) -> Any:
    """Two operands for a function of NumPy's, so that its own rule comes to the format of the rule above.

    Where neither is an array they become arrays, such as `beside` is.
    """
    if type(a) is np.ndarray:
        if type(b) is np.ndarray:
            if a.dtype is b.dtype:
                return a, b
        elif type(b) in (float, int) and a.dtype.kind == "f":
            return a, b
    elif type(a) in (float, int) and type(b) is np.ndarray and b.dtype.kind == "f":
        return a, b
    return align_all(a, b, beside=beside)


def align_floats(a: Any, b: Any) -> Any:
    """Two operands of a function that gives floats: integers become some."""
    a, b = align(a, b)
    return (a, b) if (a if hasattr(a, "dtype") else b).dtype.kind == "f" else align(to_float(a), b)


def align_all(*operands: Any, beside: Any = None) -> list[Any]:
    """The same for any number of operands."""
    operands = tuple([_plain(x) for x in operands])
    arrays = [x for x in operands if hasattr(x, "dtype")]
    dtype = result_type(*operands)
    if not arrays:
        module = np if beside is None else xp(beside)
        return [module.asarray(x, dtype) for x in operands]
    return [_aligned(x, dtype, arrays[0]) for x in operands]


def operands(*xs: Any) -> list[Any]:
    """What a function written with operators computes with: arrays, lists as arrays,
    None, numbers beside those.

    Nothing is brought into another format but lists of floats, which are weak. Without an array or a list,
    numbers become arrays.
    """
    if all(hasattr(x, "dtype") and not isinstance(x, np.generic) for x in xs):
        return list(xs)
    given = any(x is not None for x in xs)  # nothing but None is refused
    plain = [x if x is None and given else _plain(x) for x in xs]
    beside = [x for x in plain if isinstance(x, list | tuple) or hasattr(x, "dtype")]
    if not beside:
        return [x if x is None else as_array(x) for x in plain]
    dtype, module = result_type(*beside), xp(next((x for x in beside if hasattr(x, "dtype")), 0))

    def array(x: Any) -> Any:
        return module.asarray(found := numbers(x), dtype if found.dtype.kind == "f" else None)

    return [array(x) if isinstance(x, list | tuple) else x for x in plain]


def _aligned(x: Any, dtype: np.dtype, beside: Any) -> Any:
    if isinstance(x, list | tuple):
        return xp(beside).asarray(x, dtype if dtype.kind == "f" else None)
    return (
        elementwise.cast(x, dtype) if dtype.kind == "f" and hasattr(x, "dtype") and x.dtype.kind != "f" else x
    )


def result_type(*operands: Any) -> np.dtype:
    """The format of what comes of `operands`: arrays, Tensors, numbers, lists."""
    operands = tuple([_weak(x) for x in operands])
    dtypes = [x.dtype for x in operands if hasattr(x, "dtype")]
    if floats := [dtype for dtype in dtypes if dtype.kind == "f"]:
        return np.result_type(*floats)
    found = np.result_type(*dtypes, *[x for x in operands if not hasattr(x, "dtype")])
    return np.dtype(config.floatx()) if found.kind == "f" else found


def as_array(x: Any) -> Any:
    """A number or a list as an array, its floats of `config.floatx()`;
    an array or a Tensor as it is. Else TypeError.
    """
    if hasattr(x, "dtype") and not isinstance(x, np.generic):
        return x
    array = numbers(_plain(x))
    return array.astype(config.floatx()) if array.dtype.kind == "f" else array


def to_float(x: Any) -> Any:
    """`x` as an array of floats: unchanged if it is one, else of `config.floatx()`."""
    x = as_array(x)
    return x if is_float(x.dtype) else elementwise.cast(x, np.dtype(config.floatx()))


def is_float(dtype: np.dtype) -> bool:
    """Whether functions compute in this format as it is."""
    return dtype.kind == "f" and dtype.itemsize > 2


def common_float(dtypes: Iterable[np.dtype]) -> np.dtype:
    """The format in which the operands of one operation meet: the widest float among them,
    else `config.floatx()`.
    """
    floats = [dtype for dtype in dtypes if is_float(dtype)]
    return np.result_type(*floats) if floats else np.dtype(config.floatx())


def _weak(x: Any) -> Any:
    """Like `_plain`, and for a list of floats a float that stands for them."""
    if isinstance(x, list | tuple):
        return 0.0 if (array := numbers(x)).dtype.kind == "f" else array
    return _plain(x)


def _plain(x: Any) -> Any:
    """NumPy's scalars as Python's; what is neither an array nor made of Python's numbers as an array,
    if NumPy can read it.
    """
    x = x.item() if isinstance(x, np.generic) else x
    return x if hasattr(x, "dtype") or isinstance(x, int | float | list | tuple) else numbers(x)


def numbers(data: Any) -> np.ndarray:
    """Python numbers, alone or in nested lists, as an array; TypeError for anything else."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise TypeError(
            f"a Tensor is a grid of numbers; the lists given have parts of different lengths ({error})"
        ) from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Tensor holds numbers, got {_named(data)}")
    return array


def _named(data: Any) -> str:
    text = repr(data)
    return (
        f"{type(data).__name__} {text if len(text) <= 60 else text[:56] + ' ...'}"
        if data is not None
        else "None"
    )
