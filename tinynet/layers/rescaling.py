"""Rescaling: the same scale and offset for all data, known beforehand."""

from typing import Any, Unpack

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import config
from tinynet.kernels.constants import settled
from tinynet.layers.base import Elementwise
from tinynet.layers.static_types import LayerArguments


class Rescaling(Elementwise):
    """y = scale x + offset; numbers, or arrays that broadcast against x (one entry per channel).

    Where channels come first (`config.image_data_format()` as the layer is made), the last axis of these
    arrays is that of the channels, and places come after it: (C,) is for x (N, C, H, W) what (C, 1, 1) is.

    Rescaling(1 / 255) maps bytes to [0, 1]; Rescaling(1 / std, -mean / std) standardises.

    >>> Rescaling(1 / 255)(np.array([[0, 255]], np.uint8)).numpy()
    array([[0., 1.]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self._channels_come_first = config.image_data_format() == "channels_first"
        self.scale, self.offset = (
            self._factor(name, value) for name, value in (("scale", scale), ("offset", offset))
        )

    def _factor(self, name: str, value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{self}: {name} must be a number or an array of numbers, got {value!r}")
        return float(array) if array.ndim == 0 else array.astype(self.dtype)

    def _check_input(self, shape: Any) -> None:
        """Raises ValueError too if scale or offset does not broadcast to `shape`."""
        super()._check_input(shape)
        for name in ("scale", "offset"):
            factor = np.shape(self.placed(getattr(self, name), len(shape)))
            if any(1 != n != m != 1 for n, m in zip(factor[::-1], shape[::-1], strict=False)):
                given = np.shape(getattr(self, name))
                raise ValueError(
                    f"{self}: {name} of shape {given} does not broadcast to an input of shape {shape}"
                )

    def placed(self, factor: Any, rank: int) -> Any:
        """`scale` or `offset` in the shape in which it meets an input with so many axes."""
        missing = rank - 1 - np.ndim(factor)
        if not self._channels_come_first or np.ndim(factor) == 0 or missing < 1:
            return factor
        return np.reshape(factor, np.shape(factor) + (1,) * missing)

    def call(self, x: Any) -> Any:
        placed = (self.placed(factor, x.ndim) for factor in (self.scale, self.offset))
        scale, offset = (settled(as_raw(x), one) if isinstance(one, np.ndarray) else one for one in placed)
        y = x * scale
        return y + offset if np.any(self.offset) else y
