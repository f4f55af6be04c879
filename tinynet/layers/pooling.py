"""Pooling: images made smaller by taking the maximum or the mean of their neighbourhoods."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.output_shape import window_shape
from tinynet.layers.static_types import LayerArguments, UnnamedArguments

IMAGES = ", images (N, H, W, C) or, channels first, (N, C, H, W)"


class Pooling(Layer):
    """Base of the poolings of images, and, with `rank` 3,
    of sequences: a window that moves by `strides` (None: by its size).

    x (N, H, W, C); y (N, OH, OW, C) with OH = floor((H - KH) / s) + 1 for padding "valid",
    ceil(H / s) for "same".
    """

    _takes_many = False
    _input_rank = 4
    _input_words = IMAGES

    def __init__(
        self,
        pool_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedArguments],
    ) -> None:
        super().__init__(name=name, **kwargs)
        axes = self._input_rank - 2  # type: ignore[operator]
        self.pool_size = arguments.sizes(pool_size, axes, f"{self}: pool_size")
        self.strides = (
            self.pool_size if strides is None else arguments.sizes(strides, axes, f"{self}: strides")
        )
        self.padding = arguments.padding_name(padding)
        self.data_format = check_data_format(data_format)

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # raises if the window does not fit
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return window_shape(self, input_shape, self.pool_size)


class MaxPooling2D(Pooling):
    """Maximum of each window; cells outside of the image never win. x (N, H, W, C); y (N, OH, OW, C).

    pool_size, strides   of the windows and between them, (rows, columns) or one number;
                         strides None: pool_size
    padding   "valid", or "same", which keeps ceil(size / strides) of them
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> MaxPooling2D()(np.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int] = (2, 2),
        strides: int | tuple[int, int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedArguments],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, x: Any) -> Any:
        return ops.max_pool2d(
            x,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class AveragePooling2D(Pooling):
    """Mean of each window over its cells inside of the image. x (N, H, W, C); y (N, OH, OW, C).

    pool_size, strides   of the windows and between them, (rows, columns) or one number;
                         strides None: pool_size
    padding   "valid", or "same", which keeps ceil(size / strides) of them
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> AveragePooling2D(2)(np.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    def call(self, x: Any) -> Any:
        return ops.average_pool2d(
            x,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class GlobalPooling(Layer):
    """Base of the poolings over whole images or, with `rank` 3, sequences: y (N, C),
    or with `keepdims` x's axes of size 1.
    """

    _takes_many = False
    _input_rank = 4
    _input_words = IMAGES

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.keepdims = keepdims
        self.axes = arguments.spatial_axes(self.data_format, self._input_rank - 2)  # type: ignore[operator]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = [1 if axis in self.axes else size for axis, size in enumerate(input_shape)]
        return tuple(size for axis, size in enumerate(shape) if self.keepdims or axis not in self.axes)


class GlobalAveragePooling2D(GlobalPooling):
    """Mean of every channel over the whole image. x (N, H, W, C); y (N, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    keepdims   whether axes of size 1 stay in place of those that are gone

    >>> GlobalAveragePooling2D()(np.ones((2, 7, 7, 16))).shape
    (2, 16)
    """

    def call(self, x: Any) -> Any:
        return ops.mean(x, axis=self.axes, keepdims=self.keepdims)


class GlobalMaxPooling2D(GlobalPooling):
    """Maximum of every channel over the whole image. x (N, H, W, C); y (N, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    keepdims   whether axes of size 1 stay in place of those that are gone

    >>> GlobalMaxPooling2D(keepdims=True)(np.ones((2, 7, 7, 16))).shape
    (2, 1, 1, 16)
    """

    def call(self, x: Any) -> Any:
        return ops.max(x, axis=self.axes, keepdims=self.keepdims)
