"""ImageDataGenerator: Keras's older way to augment images, by ranges of transformations,
and a stream of them for `fit`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinynet import signature
from tinynet.backend import config, random, tracebacks
from tinynet.data import image_settings as check
from tinynet.data import image_transforms as transforms
from tinynet.data.arrays import check_batch_size
from tinynet.data.columns import as_array
from tinynet.data.image_flow import ImageFlow
from tinynet.data.image_pipeline import FILL_MODES, ImagePipeline

# others: 0
NEUTRAL = {"zx": 1.0, "zy": 1.0, "brightness": 1.0, "flip_horizontal": False, "flip_vertical": False}


class ImageDataGenerator(ImagePipeline):
    """Images transformed at random, each time differently, then standardised.

    rotation_range                 degrees, either way
    width_shift_range,             a float below 1: fraction of the size; a float from 1:
    pixels; an integer n: whole pixels
    height_shift_range             below n; a list: one of these shifts; all either way
    shear_range                    degrees, either way (before Keras 2.1.3: radians)
    zoom_range                     z: each axis by a factor of its own in [1 - z, 1 + z];
                                   or (from, to); above 1 is smaller
    channel_shift_range            largest number added, within the image's smallest and largest value
    horizontal_flip, vertical_flip every second image
    brightness_range               (from, to), of images of 0 to 255, which become whole numbers
    fill_mode, cval                outside an image: "nearest", "reflect", "wrap",
                                   or "constant", which is cval
    interpolation_order            1: between four pixels; 0: the nearest one
    preprocessing_function         of one image (H, W, C), after the transformation
    rescale                        then a factor
    samplewise_center, samplewise_std_normalization     then each image by its mean, by its deviation
    featurewise_center, featurewise_std_normalization   then each channel by those that `fit` found
    validation_split               the fraction, of the first samples, that flow(subset="validation") has
    data_format, dtype             None: those of `tinynet.config`;  zca_whitening,
                                   zca_epsilon   ValueError, unless False

    >>> generator = ImageDataGenerator(rotation_range=20, horizontal_flip=True)
    >>> flow = generator.flow(np.ones((10, 8, 8, 1)), batch_size=4)
    >>> next(flow).shape
    (4, 8, 8, 1)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        if zca_whitening:
            raise ValueError(
                "ImageDataGenerator: zca_whitening is not part of tinynet; whiten the images beforehand"
            )
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"ImageDataGenerator: validation_split must lie between 0 and 1, got {validation_split!r}"
            )
        # A deviation is taken from a mean.
        self.featurewise_center = bool(featurewise_center or featurewise_std_normalization)
        self.featurewise_std_normalization = bool(featurewise_std_normalization)
        self.samplewise_center = bool(samplewise_center or samplewise_std_normalization)
        self.samplewise_std_normalization = bool(samplewise_std_normalization)
        self.rotation_range = check.number("rotation_range", rotation_range)
        self.shear_range = check.number("shear_range", shear_range)
        self.channel_shift_range = check.number("channel_shift_range", channel_shift_range)
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.width_shift = transforms.shift_choices("width_shift_range", width_shift_range)
        self.height_shift = transforms.shift_choices("height_shift_range", height_shift_range)
        zoom = (
            (1 - zoom_range, 1 + zoom_range)
            if isinstance(zoom_range, int | float | np.number)
            else zoom_range
        )
        self.zoom_range = check.two_numbers("zoom_range", zoom)
        self.brightness_range = (
            None if brightness_range is None else check.two_numbers("brightness_range", brightness_range)
        )
        self.fill_mode, self.cval = check.choice("fill_mode", fill_mode, tuple(FILL_MODES)), float(cval)
        self.interpolation_order = check.choice("interpolation_order", interpolation_order, (0, 1))
        self.horizontal_flip, self.vertical_flip = bool(horizontal_flip), bool(vertical_flip)
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.data_format = config.check_data_format(data_format)
        self.validation_split = float(validation_split)
        self.dtype = np.dtype(config.floatx() if dtype is None else dtype)
        self.mean = self.std = None
        self._key: random.Key | None = None  # of single transformations
        self._calls = 0

    __repr__ = signature.call_repr

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> ImageFlow:
        """Batches of the images x (M, H, W, C), or channels first, with y and sample_weight,
        for `fit` or `next`.

        batch_size     samples of a batch;  shuffle   a new order for each epoch
        seed           the same one gives the same batches; None takes one from the global seed
        subset         "training" or "validation": that part by validation_split, which must have all classes
                       of the other unless ignore_class_split
        save_to_dir    ValueError, unless None;  save_prefix, save_format   without effect
        """
        if save_to_dir is not None:
            raise ValueError(
                "ImageDataGenerator: save_to_dir is not part of tinynet; plot what next(flow) gives instead"
            )
        x = check.images(x, self.data_format)
        y, weight = (
            None if a is None else np.asarray(as_array(a, name))
            for name, a in (("y", y), ("sample_weight", sample_weight))
        )
        check.lengths(x, y=y, sample_weight=weight)
        x, y, weight = check.subset(subset, self.validation_split, ignore_class_split, x, y, weight)
        if self.featurewise_center and self.mean is None:
            tracebacks.warn("ImageDataGenerator: featurewise_... have no effect before fit(x) was called")
        if self.brightness_range is not None and x.dtype.kind == "f" and x.max() <= 1:
            tracebacks.warn(
                "ImageDataGenerator: brightness_range makes whole numbers of images, "
                "and these are between 0 and 1; give images of 0 to 255, with rescale=1/255"
            )
        key = random.next_key() if seed is None else random.key_from_seed(seed)
        return ImageFlow(
            self, x, y, weight, batch_size=check_batch_size(batch_size), shuffle=shuffle, key=key
        )

    def flow_from_directory(self, *args: Any, **kwargs: Any) -> Any:
        """Not part of tinynet, which reads no image files: raises NotImplementedError."""
        raise NotImplementedError(
            "ImageDataGenerator: flow_from_directory and flow_from_dataframe are not part of tinynet, "
            "which reads no image "
            "files; load the images as an array (N, H, W, C), with PIL for example, and call flow(x, y)"
        )

    flow_from_dataframe = flow_from_directory

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Finds each channel's mean and deviation: of the images x (M, H, W, C), rescaled, or with `augment`
        of them transformed `rounds` times, by numbers drawn from `seed`.
        """
        x = check.images(x, self.data_format).astype(self.dtype)
        check.lengths(x)
        if self.rescale:
            x *= self.dtype.type(self.rescale)
        if augment:
            key = random.next_key() if seed is None else random.key_from_seed(seed)
            uniform = random.host_generator(key).random((rounds * len(x), transforms.DRAWS))
            maps, changes = self.transformations(uniform, x.shape)
            x = self.changed(x, np.tile(np.arange(len(x)), rounds), maps, changes, self.dtype)
        axes = (0, *((1, 2) if self.data_format == "channels_last" else (2, 3)))
        if self.featurewise_center:
            self.mean = x.mean(axis=axes, dtype=np.float64, keepdims=True)[0].astype(self.dtype)
        if self.featurewise_std_normalization:
            self.std = x.std(axis=axes, dtype=np.float64, keepdims=True)[0].astype(self.dtype)

    # Single images

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """Parameters for an image of `img_shape`, drawn at random (from `seed`), for `apply_transform`."""
        if seed is None:
            self._key, self._calls = self._key or random.next_key(), self._calls + 1
        key, call = (random.key_from_seed(seed), 0) if seed is not None else (self._key, self._calls)
        uniform = random.host_generator(key, call).random((1, transforms.DRAWS))  # type: ignore[arg-type]
        drawn = transforms.draw(self, uniform, *self.sizes((1, *img_shape)))
        without = {
            "channel_shift_intensity": not self.channel_shift_range,
            "brightness": self.brightness_range is None,
        }
        return {name: None if without.get(name) else value[0].item() for name, value in drawn.items()}

    def apply_transform(self, x: Any, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """The image x (H, W, C) under transform_parameters, a dictionary: theta and shear (degrees), tx and
        ty (rows and columns), zx, zy, flip_horizontal, flip_vertical, channel_shift_intensity, brightness.
        """
        given = {name: value for name, value in transform_parameters.items() if value is not None}
        if unknown := set(given) - set(transforms.NAMES):
            raise ValueError(
                f"ImageDataGenerator: no parameters {sorted(unknown)}; "
                f"there are {', '.join(transforms.NAMES)}"
            )
        one = {name: np.array([given.get(name, NEUTRAL.get(name, 0.0))]) for name in transforms.NAMES}
        images = np.array(as_array(x, "x"), self.dtype)[None]
        if images.ndim != 4:
            raise ValueError(f"ImageDataGenerator: an image has 3 axes, got shape {images.shape[1:]}")
        y = self.warped(images, np.arange(1), transforms.maps(one, *self.sizes(images.shape)), self.dtype)
        self.change(
            y, *(one[name] if name in given else None for name in ("channel_shift_intensity", "brightness"))
        )
        return np.ascontiguousarray(y[0])

    def random_transform(self, x: Any, seed: int | None = None) -> np.ndarray:
        """The image x (H, W, C), transformed at random, as `seed` says (None: differently each time)."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def standardize(self, x: Any) -> np.ndarray:
        """x, an image or a batch that is taken as one, through preprocessing_function and standardised;
        a new array.
        """
        x = np.array(x, self.dtype)
        if self.preprocessing_function:
            x = np.array(self.preprocessing_function(x), self.dtype)
        self.standardise(x, None)
        return x
