"""Images and sequences made larger by a whole number of times."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.pooling import IMAGES
from tinynet.layers.static_types import LayerArguments
from tinynet.ops.convolutions import as_images, as_sequences

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling2D(Layer):
    """Every image size[0] times as high and size[1] times as wide:
    pixels repeated ("nearest") or interpolated between.

    x (N, H, W, C); y (N, size[0] H, size[1] W, C). kernels/resize.py has the formulas.

    interpolation   "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> UpSampling2D(2)(np.ones((2, 7, 7, 16))).shape
    (2, 14, 14, 16)
    """

    _takes_many = False
    _input_rank = 4
    _input_words = IMAGES

    def __init__(
        self,
        size: int | tuple[int, int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.size = arguments.pair(size, f"{self}: size")
        self.data_format = check_data_format(data_format)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"{self}: interpolation must be one of {INTERPOLATIONS}, got {interpolation!r}")

    def call(self, x: Any) -> Any:
        axes = arguments.spatial_axes(self.data_format)
        size = tuple(factor * x.shape[axis] for factor, axis in zip(self.size, axes, strict=True))
        return ops.resize_images(x, size, self.interpolation, self.data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = list(input_shape)
        for factor, axis in zip(self.size, arguments.spatial_axes(self.data_format), strict=True):
            shape[axis] = None if shape[axis] is None else factor * shape[axis]  # type: ignore[operator]
        return tuple(shape)


class UpSampling1D(Layer):
    """Every step of a sequence `size` times. x (N, L, C); y (N, size L, C).

    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).numpy().ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    _takes_many = False
    _input_rank = 3
    _input_words = ", sequences (N, L, C)"

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.size = arguments.positive(size, f"{self}: size")

    def call(self, x: Any) -> Any:
        images = as_images(x, "channels_last")
        return as_sequences(
            ops.resize_images(images, (1, self.size * x.shape[1]), "nearest"), "channels_last"
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        length = input_shape[1]
        return (input_shape[0], None if length is None else self.size * length, input_shape[2])
