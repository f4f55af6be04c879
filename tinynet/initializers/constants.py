"""Initializers that draw nothing."""

from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import device
from tinynet.initializers.base import Initializer
from tinynet.ops.settings import number


class Zeros(Initializer):
    """All zeros.

    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(0.0, shape)


class Ones(Initializer):
    """All ones.

    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(1.0, shape)


class Constant(Initializer):
    """One `value` everywhere; an array is used as it stands and must broadcast to the shape.

    >>> Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(self.value, shape)


class Given(Initializer):
    """An array of exactly the variable's shape: what an array or a Tensor in
    place of an initializer means.
    """

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(device.to_host(as_raw(value)))

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        if self.value.shape != shape:
            raise ValueError(
                f"the array given as an initializer has shape {self.value.shape}, the variable {shape}"
            )
        return self.value.copy()


class Identity(Initializer):
    """gain times the identity matrix; rectangular shapes have ones on the main diagonal.

    Raises ValueError for another rank than 2.

    >>> Identity(gain=2.0)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        number("Identity", "gain", gain)
        self.gain = gain

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(
                f"Identity makes matrices, got shape {shape}; use Orthogonal for kernels of higher rank"
            )
        return self.gain * np.eye(*shape)
