"""SpatialDropout1D and 2D: whole channels dropped, since neighbouring places tell nearly the same.

J. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015, section 3.2.
"""

from typing import Any

from tinynet.backend.config import check_data_format
from tinynet.layers.dropout import Dropout


class SpatialDropout(Dropout):
    """Base: dropout whose mask one place shares with all others."""

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "noise_shape"}


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of sequences x (N, T, C): one draw for each sample and channel.

    rate   the fraction to drop, in training;  seed, noise_shape   as in Dropout

    >>> SpatialDropout1D(0.2)(np.ones((2, 10, 4))).shape
    (2, 10, 4)
    """

    _input_rank = 3
    _input_words = ", sequences (N, T, C)"

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype, **kwargs)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images x (N, H, W, C): one draw for each image and channel.

    rate   the fraction to drop, in training;  seed, noise_shape   as in Dropout
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> SpatialDropout2D(0.2)(np.ones((2, 7, 7, 16))).shape
    (2, 7, 7, 16)
    """

    _input_rank = 4
    _input_words = ", images (N, H, W, C) or (N, C, H, W)"

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        data_format = check_data_format(data_format)
        shape = (None, 1, 1, None) if data_format == "channels_last" else (None, None, 1, 1)
        super().__init__(rate, shape, seed, name=name, dtype=dtype, **kwargs)
        self.data_format = data_format
