"""ImagePipeline: what an ImageDataGenerator does to images, a batch at a time.

Warped, cast, rescaled and standardised by channel they are in the launch that picks them from the data set
(kernels/warp.py); functions of the user, channel shifts,
changes of brightness and means of each image are passes of NumPy.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet.data import image_transforms as transforms
from tinynet.kernels import warp

# Keras's names of SciPy's ways to look outside an image, in the words of kernels/warp.py.
FILL_MODES = {"nearest": "nearest", "constant": "cut", "reflect": "reflect", "wrap": "overlap"}
SMALL = 1e-6  # added to deviations


class ImagePipeline:
    """Base of ImageDataGenerator, which has the settings."""

    data_format: str
    dtype: np.dtype
    fill_mode: str
    cval: float
    interpolation_order: int
    channel_shift_range: float
    brightness_range: list[float] | None
    preprocessing_function: Callable[[np.ndarray], Any] | None
    rescale: float | None
    samplewise_center: bool
    samplewise_std_normalization: bool
    featurewise_center: bool
    featurewise_std_normalization: bool
    mean: np.ndarray | None  # of each channel, as broadcast against an image
    std: np.ndarray | None

    def sizes(self, shape: Any) -> tuple[int, int]:
        """(height, width) of images of that shape, with the batch axis."""
        return (shape[1], shape[2]) if self.data_format == "channels_last" else (shape[2], shape[3])

    def transformations(self, uniform: np.ndarray, shape: Any) -> tuple[np.ndarray, np.ndarray]:
        """(maps (N, 6), channel shift and brightness (N, 2)) of images of `shape`,
        from `uniform` (N, DRAWS) in 0 .. 1.
        """
        drawn = transforms.draw(self, uniform, *self.sizes(shape))
        changes = np.stack([drawn["channel_shift_intensity"], drawn["brightness"]], axis=1)
        return transforms.maps(drawn, *self.sizes(shape)), changes

    def images(
        self,
        x: np.ndarray,
        index: np.ndarray,
        maps: np.ndarray,
        changes: np.ndarray,
        dtype: Any,
        out: np.ndarray | None,
    ) -> np.ndarray:
        """Images x[index] under their maps and changes, standardised, of `dtype`,
        in batch-last memory or in `out`.
        """
        changed = self.channel_shift_range or self.brightness_range is not None
        if not (changed or self.preprocessing_function or self.samplewise_center):
            return self.warped(x, index, maps, dtype, out, *self._factors())
        y = self.changed(x, index, maps, changes, dtype, out)
        if self.preprocessing_function:
            for n in range(len(y)):
                y[n] = self.preprocessing_function(np.ascontiguousarray(y[n]))
        self.standardise(y, (1, 2, 3))
        return y

    def changed(
        self,
        x: np.ndarray,
        index: np.ndarray,
        maps: np.ndarray,
        changes: np.ndarray,
        dtype: Any,
        out: Any = None,
    ) -> np.ndarray:
        """Images x[index] under their maps and changes, of `dtype`, in `out` if given."""
        y = self.warped(x, index, maps, dtype, out)
        shift = changes[:, 0] if self.channel_shift_range else None
        self.change(y, shift, None if self.brightness_range is None else changes[:, 1])
        return y

    def warped(
        self,
        x: np.ndarray,
        index: np.ndarray,
        maps: np.ndarray,
        dtype: Any,
        out: Any = None,
        scale: Any = 1.0,
        offset: Any = 0.0,
    ) -> np.ndarray:
        """Images x[index] under their maps, times scale plus offset, of `dtype`, in `out` if given."""
        interpolation = warp.INTERPOLATIONS[self.interpolation_order]
        return warp.gather_warped(
            x, index, maps, fill_mode=FILL_MODES[self.fill_mode], interpolation=interpolation,
            fill_value=self.cval,
            scale=scale, offset=offset, dtype=dtype, channels_first=self.data_format == "channels_first",
            out=out,
        )  # fmt: skip

    def change(self, images: np.ndarray, shift: np.ndarray | None, brightness: np.ndarray | None) -> None:
        """Shifts the channels of `images` by `shift` and changes their `brightness` (None: not); in place."""
        if shift is not None:
            transforms.shift_channels(images, shift)
        if brightness is not None:
            transforms.change_brightness(images, brightness)

    def standardise(self, images: np.ndarray, axes: tuple[int, ...] | None) -> None:
        """Rescales, then by the mean and deviation over `axes`, then by those of the channels; in place."""
        if self.rescale:
            images *= images.dtype.type(self.rescale)
        if self.samplewise_center:
            images -= images.mean(axis=axes, dtype=np.float64, keepdims=True)
        if self.samplewise_std_normalization:
            images /= images.std(axis=axes, dtype=np.float64, keepdims=True) + SMALL
        if self.featurewise_center and self.mean is not None:
            images -= self.mean.astype(images.dtype)
        if self.featurewise_std_normalization and self.std is not None:
            images /= (self.std + SMALL).astype(images.dtype)

    def _factors(self) -> tuple[Any, Any]:
        """(scale, offset), numbers or those of the channels:
        what `standardise` does without means of single images.
        """
        scale: Any = float(self.rescale or 1)
        offset: Any = -self.mean.ravel() if self.featurewise_center and self.mean is not None else 0.0
        if self.featurewise_std_normalization and self.std is not None:
            deviation = self.std.ravel().astype(np.float64) + SMALL
            scale, offset = scale / deviation, offset / deviation
        return scale, offset
