"""Number formats where two of them meet: float32 stays float32.

NumPy would turn float32 beside an int64 array into float64. Here whatever is not a float takes the format of the float it
meets, as a Python number does; where no float is involved and the result must be one, it is of `config.floatx()`.
"""

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
    return x if x.dtype.kind == "f" else x.astype(config.floatx())


def _beside(a: Any, b: Any) -> Any:
    dtype = getattr(b, "dtype", None)
    if isinstance(a, list | tuple):
        return xp(b).asarray(a, dtype if dtype is not None and dtype.kind == "f" else None)
    if dtype is None or dtype.kind != "f" or not hasattr(a, "dtype"):
        return a
    if isinstance(a, np.generic):  # NumPy's own float64 scalars would widen float32 arrays
        return a if isinstance(b, np.generic) else a.item()
    return a if a.dtype.kind == "f" else a.astype(dtype)
