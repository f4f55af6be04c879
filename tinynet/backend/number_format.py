"""Number formats where two of them meet: float32 stays float32.

NumPy would turn float32 beside an int64 array into float64. Here whatever is not a float takes the format of the float it
meets, as a Python number does; where no float is involved and the result must be one, it is of `config.floatx()`.

float16 is a format to keep numbers in, not to compute with: functions turn it into float32, as they do integers. Only what
NumPy does by itself, arithmetic and comparisons, keeps it.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinynet.backend import config
from tinynet.kernels.common import xp


def align(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands as they meet: NumPy scalars, integers, booleans and lists beside an array of floats take its format."""
    return _beside(a, b), _beside(b, a)


def to_float(x: Any) -> Any:
    """`x` as an array of floats: unchanged if it is one, else of `config.floatx()`."""
    if not hasattr(x, "dtype"):
        return np.asarray(x, config.floatx())
    return x if is_float(x.dtype) else x.astype(config.floatx())


def is_float(dtype: np.dtype) -> bool:
    """Whether functions compute in this format as it is."""
    return dtype.kind == "f" and dtype.itemsize > 2


def common_float(dtypes: Iterable[np.dtype]) -> np.dtype:
    """The format in which the operands of one operation meet: the widest float among them, else `config.floatx()`."""
    floats = [dtype for dtype in dtypes if is_float(dtype)]
    return np.result_type(*floats) if floats else np.dtype(config.floatx())


def numbers(data: Any) -> np.ndarray:
    """Python numbers, alone or in nested lists, as an array; TypeError for anything else."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise TypeError(f"a Tensor is a grid of numbers; the lists given have parts of different lengths ({error})") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Tensor holds numbers, got {_named(data)}")
    return array


def _named(data: Any) -> str:
    text = repr(data)
    return f"{type(data).__name__} {text if len(text) <= 60 else text[:56] + ' ...'}" if data is not None else "None"


def _beside(a: Any, b: Any) -> Any:
    dtype = getattr(b, "dtype", None)
    if isinstance(a, list | tuple):
        return xp(b).asarray(a, dtype if dtype is not None and dtype.kind == "f" else None)
    if dtype is None or dtype.kind != "f" or not hasattr(a, "dtype"):
        return a
    if isinstance(a, np.generic):  # NumPy's own float64 scalars would widen float32 arrays
        return a if isinstance(b, np.generic) else a.item()
    return a if a.dtype.kind == "f" else a.astype(dtype)
