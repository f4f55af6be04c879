"""Variable: a number or an array that a metric carries from batch to batch."""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw
from tinynet.backend import device, undo
from tinynet.kernels.launches import numbers_read

HOST = (float, int, np.generic, np.ndarray)  # what a number in host memory is


class Variable(Tensor):
    """An array with a name, which `assign`, `assign_add` and `assign_sub` change in place.

    It takes part in arithmetic as a Tensor does, and a Variable of one element is a number: float(variable).

    data, requires_grad, name   as for a Tensor

    >>> count = Variable(np.zeros(()), name="count")
    >>> float(count.assign_add(3.0))
    3.0
    """

    __slots__ = ()

    def __float__(self) -> float:
        numbers_read(self._data)
        return float(device.to_host(self._data).item())

    def add(self, amount: Any) -> None:
        """Adds a number, `amount`, to a Variable of shape (): `assign_add`,
        many times faster. One on a device stays there.
        """
        undo.array(self)
        if isinstance(amount, HOST):
            self._data[()] += float(amount)
        elif type(self._data) is type(amount):
            self._data += amount.astype(self.dtype)  # in the same memory, for a graph that is launched again
        else:
            self._data = amount.astype(self.dtype) + float(self)

    def follow(self, array: Any) -> None:
        """Moves to the GPU where an array lies: a metric may be made before a device is chosen."""
        if type(self._data) is np.ndarray:
            undo.array(self)
            self._data = device.beside(self._data, array)

    def _clear(self) -> None:
        """Sets all numbers to 0."""
        undo.array(self)
        self._data[...] = 0
        self.touch()

    def assign_add(self, value: Any) -> Tensor:
        """Adds `value`, of the same shape."""
        return self.assign(self + device.beside(as_raw(value), self._data))

    def assign_sub(self, value: Any) -> Tensor:
        """Subtracts `value`, of the same shape."""
        return self.assign(self - device.beside(as_raw(value), self._data))

    value = property(lambda self: self, doc="The variable itself, as Keras code may read it.")
