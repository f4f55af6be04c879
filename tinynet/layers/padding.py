"""ZeroPadding2D: a frame of zeros around an image."""

from typing import Any

from tinynet import ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.pooling import IMAGES


class ZeroPadding2D(Layer):
    """Zeros around an image: padding = p, (rows, columns) or ((top, bottom), (left, right)).

    x (N, H, W, C); y (N, top + H + bottom, left + W + right, C).
    """

    rank = 4
    expects = IMAGES

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sides = (padding, padding) if not isinstance(padding, list | tuple) else tuple(padding)
        if len(sides) != 2:
            forms = "p, (rows, columns) or ((top, bottom), (left, right))"
            raise ValueError(f"{self}: padding must be {forms}, got {padding!r}")
        self.padding = tuple(arguments.pair(side, f"{self}: padding", minimum=0) for side in sides)
        self.data_format = check_data_format(data_format)

    def call(self, x: Any) -> Any:
        pairs = [(0, 0)] * 4
        for axis, pair in zip(arguments.spatial_axes(self.data_format), self.padding, strict=True):
            pairs[axis] = pair
        return ops.pad(x, pairs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = list(input_shape)
        for axis, pair in zip(arguments.spatial_axes(self.data_format), self.padding, strict=True):
            shape[axis] = None if shape[axis] is None else shape[axis] + sum(pair)  # type: ignore[operator]
        return tuple(shape)
