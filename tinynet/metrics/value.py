"""What `result` returns: numbers and arrays that also answer as Keras's do, `metric.result().numpy()`."""

from typing import Any

import numpy as np


class Value(float):
    """A float; `numpy()` gives an array of shape ()."""

    __slots__ = ()

    def numpy(self) -> np.ndarray:
        """An array of shape ()."""
        return np.array(float(self))


class Values(np.ndarray):
    """A NumPy array; `numpy()` gives an ordinary one."""

    def numpy(self) -> np.ndarray:
        """The numbers as an ordinary NumPy array."""
        return np.array(self, subok=False)


def value_of(result: Any) -> Value | Values:
    """A number, or several, as what a metric's `result` returns."""
    return Value(result) if np.ndim(result) == 0 else np.asarray(result).view(Values)


def plain(value: Any) -> Any:
    """A result as Python and NumPy have it, for logs."""
    if isinstance(value, Value):
        return float(value)
    return value.numpy() if isinstance(value, Values) else value
