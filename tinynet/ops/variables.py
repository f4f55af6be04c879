"""What Keras's variables have beside `assign`: attached to Parameter here, so that autograd stays small."""

from typing import Any

import numpy as np

from tinynet.autograd import Parameter, as_raw


def assign_add(self: Parameter, value: Any) -> Parameter:
    """Adds `value` to the parameter in place."""
    return self.assign(self.data + _fitting(self, value))  # type: ignore[return-value]


def assign_sub(self: Parameter, value: Any) -> Parameter:
    """Subtracts `value` from the parameter in place."""
    return self.assign(self.data - _fitting(self, value))  # type: ignore[return-value]


def _fitting(parameter: Parameter, value: Any) -> Any:
    """The array of `value`; ValueError unless it is one number or of the parameter's shape."""
    array = np.asarray(value, parameter.dtype) if isinstance(value, list | tuple) else as_raw(value)
    if getattr(array, "shape", ()) not in ((), parameter.shape):
        raise ValueError(
            f"{parameter.name or 'this Parameter'} has shape {parameter.shape}, got shape {array.shape}"
        )
    return array


Parameter.assign_add = assign_add  # type: ignore[method-assign, assignment]
Parameter.assign_sub = assign_sub  # type: ignore[method-assign, assignment]
Parameter.value = property(lambda self: self, doc="Itself: Keras's name for the tensor in a variable.")  # type: ignore[method-assign, assignment]
Parameter.path = property(lambda self: self.name, doc="The name, with that of its layer: dense/kernel.")  # type: ignore[method-assign, assignment]
