"""Pooling of sequences: that of images, on images of one row."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.layers.convolution import SEQUENCES
from tinynet.layers.pooling import GlobalPooling, Pooling
from tinynet.layers.static_types import UnnamedArguments
from tinynet.ops.convolutions import as_images, as_sequences


class _Pooling1D(Pooling):
    """What the two poolings share: x (N, L, C); y (N, OL, C)."""

    _input_rank = 3
    _input_words = SEQUENCES

    def _pooled(self, pool: Any, x: Any) -> Any:
        y = pool(
            as_images(x, self.data_format),
            pool_size=(1, *self.pool_size),
            strides=(1, *self.strides),
            padding=self.padding,
            data_format=self.data_format,
        )
        return as_sequences(y, self.data_format)


class MaxPooling1D(_Pooling1D):
    """Maximum of each window; steps outside of the sequence never win. x (N, L, C); y (N, OL, C).

    pool_size, strides   of the windows and between them; strides None: pool_size
    padding   "valid", or "same", which keeps ceil(size / strides) of them
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> MaxPooling1D(2)(np.arange(4.0).reshape(1, 4, 1)).numpy().ravel()
    array([1., 3.], dtype=float32)
    """

    def __init__(
        self,
        pool_size: int | tuple[int] = 2,
        strides: int | tuple[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedArguments],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, x: Any) -> Any:
        return self._pooled(ops.max_pool2d, x)


class AveragePooling1D(_Pooling1D):
    """Mean of each window over its steps inside of the sequence. x (N, L, C); y (N, OL, C).

    pool_size, strides   of the windows and between them; strides None: pool_size
    padding   "valid", or "same", which keeps ceil(size / strides) of them
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> AveragePooling1D(2)(np.arange(4.0).reshape(1, 4, 1)).numpy().ravel()
    array([0.5, 2.5], dtype=float32)
    """

    def call(self, x: Any) -> Any:
        return self._pooled(ops.average_pool2d, x)


class _GlobalPooling1D(GlobalPooling):
    """What the global poolings share: x (N, L, C); y (N, C), or (N, 1, C) with `keepdims`."""

    _input_rank = 3
    _input_words = SEQUENCES


class GlobalAveragePooling1D(_GlobalPooling1D):
    """Mean of every channel over the whole sequence. x (N, L, C); y (N, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    keepdims   whether axes of size 1 stay in place of those that are gone

    >>> GlobalAveragePooling1D()(np.ones((2, 10, 4))).shape
    (2, 4)
    """

    supports_masking = True

    def call(self, x: Any) -> Any:
        return ops.mean(x, axis=self.axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """Maximum of every channel over the whole sequence. x (N, L, C); y (N, C).

    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    keepdims   whether axes of size 1 stay in place of those that are gone

    >>> GlobalMaxPooling1D()(np.ones((2, 10, 4))).shape
    (2, 4)
    """

    def call(self, x: Any) -> Any:
        return ops.max(x, axis=self.axes, keepdims=self.keepdims)
