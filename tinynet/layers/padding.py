"""Frames of zeros put around images and sequences, and edges cut off."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.convolution import SEQUENCES
from tinynet.layers.pooling import IMAGES
from tinynet.layers.static_types import LayerArguments


class _Edges(Layer):
    """What they share: a number of rows (columns, steps) at both ends of each
    axis that is not batch or channels.
    """

    _takes_many = False
    sides: tuple[tuple[int, int], ...]
    data_format = "channels_last"

    def _pairs(self, ndim: int) -> list[tuple[int, int]]:
        pairs = [(0, 0)] * ndim
        for axis, pair in zip(
            arguments.spatial_axes(self.data_format, len(self.sides)), self.sides, strict=True
        ):
            pairs[axis] = pair
        return pairs


class _ZeroPadding(_Edges):
    """Zeros at the edges."""

    def call(self, x: Any) -> Any:
        return ops.pad(x, self._pairs(x.ndim))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        pairs = self._pairs(len(input_shape))
        return tuple(
            None if size is None else size + sum(pair) for size, pair in zip(input_shape, pairs, strict=True)
        )


class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image: padding = p, (rows, columns) or ((top, bottom), (left, right)).

    x (N, H, W, C); y (N, top + H + bottom, left + W + right, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> ZeroPadding2D(2)(np.ones((1, 28, 28, 3))).shape
    (1, 32, 32, 3)
    """

    _input_rank = 4
    _input_words = IMAGES

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.padding = self.sides = arguments.sides(padding, f"{self}: padding")
        self.data_format = check_data_format(data_format)


class ZeroPadding1D(_ZeroPadding):
    """Zeros around a sequence: padding = p or (before, after). x (N, L, C); y (N, before + L + after, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> ZeroPadding1D(1)(np.ones((1, 2, 1))).numpy().ravel()
    array([0., 1., 1., 0.], dtype=float32)
    """

    _input_rank = 3
    _input_words = SEQUENCES

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.padding = arguments.pair(padding, f"{self}: padding", 0)
        self.sides, self.data_format = (self.padding,), check_data_format(data_format)


class _Cropping(_Edges):
    """Edges cut off."""

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises if nothing is left
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        self.compute_output_shape(x.shape)
        sizes = zip(x.shape, self._pairs(x.ndim), strict=True)
        return ops.getitem(x, index=tuple(slice(before, size - after) for size, (before, after) in sizes))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        pairs = self._pairs(len(input_shape))
        shape = tuple(
            None if size is None else size - sum(pair) for size, pair in zip(input_shape, pairs, strict=True)
        )
        if any(size is not None and size < 1 for size in shape[1:]):
            raise ValueError(
                f"{self}: cropping {self.sides} leaves nothing of an input of shape {input_shape}; crop less"
            )
        return shape


class Cropping2D(_Cropping):
    """An image without its edges: cropping = n, (rows, columns) or ((top, bottom), (left, right)).

    x (N, H, W, C); y (N, H - top - bottom, W - left - right, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> Cropping2D(2)(np.ones((1, 28, 28, 3))).shape
    (1, 24, 24, 3)
    """

    _input_rank = 4
    _input_words = IMAGES

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.cropping = self.sides = arguments.sides(cropping, f"{self}: cropping")
        self.data_format = check_data_format(data_format)


class Cropping1D(_Cropping):
    """A sequence without its ends: cropping = n or (before, after). x (N, L, C);
    y (N, L - before - after, C).

    >>> Cropping1D((1, 2))(np.arange(5.0).reshape(1, 5, 1)).numpy().ravel()
    array([1., 2.], dtype=float32)
    """

    _input_rank = 3
    _input_words = SEQUENCES

    def __init__(self, cropping: int | tuple[int, int] = (1, 1), **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.cropping = arguments.pair(cropping, f"{self}: cropping", 0)
        self.sides = (self.cropping,)
