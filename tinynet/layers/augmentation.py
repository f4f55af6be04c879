"""Augmentation: images turned, shifted, zoomed, sheared or mirrored at random while training,
each in its own way.

The layers run where `training` says so, or where nobody says anything (a bare call). Labels stay as they are.
Every image has an affine map from output to input, (x, y) -> (a0 x + a1 y + a2, b0 x + b1 y + b2) in
pixels, x along a row; what such a map does to the image, and what `fill_mode` puts where it looks outside, is
in kernels/warp.py.
"""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.backend import random
from tinynet.backend.config import check_data_format
from tinynet.layers.arguments import spatial_axes
from tinynet.layers.seeded import Seeded
from tinynet.layers.static_types import LayerArguments

Factor = float | Sequence[float]

FILL_MODES = ("reflect", "constant", "wrap", "nearest")
INTERPOLATIONS = ("bilinear", "nearest")


class RandomAffine(Seeded):
    """Base of the layers: subclasses say which maps they draw. x (N, H, W, C),
    or one image (H, W, C) -> y of that shape.

    fill_mode      outside the image: "reflect" d c b a | a b c d | d c b a,
                   "constant" fill_value, "wrap", or "nearest"
    interpolation  "bilinear" or "nearest"
    """

    supports_masking = False

    def __init__(
        self, *, fill_mode: str, interpolation: str, fill_value: float, data_format: str | None,
        seed: int | None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        for name, value, known in (
            ("fill_mode", fill_mode, FILL_MODES),
            ("interpolation", interpolation, INTERPOLATIONS),
        ):
            if value not in known:
                raise ValueError(
                    f"{self}: {name} must be one of {', '.join(map(repr, known))}, got {value!r}"
                )
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, float(fill_value)
        self.data_format = check_data_format(data_format)

    def _check_input(self, shape: Any) -> None:
        """Raises ValueError unless `shape` is that of images or of one image."""
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{self} expects a batch of images (4 axes) or one image (3 axes), got shape {tuple(shape)}"
            )

    def call(self, x: Any, training: bool = True) -> Any:
        if not training:
            return x
        images = x if len(x.shape) == 4 else ops.expand_dims(x, 0)
        sizes = [images.shape[axis] for axis in spatial_axes(self.data_format)]
        maps = np.empty((images.shape[0], 6))
        self._launch_draw(self._next_maps, maps, *sizes)
        settings: dict[str, Any] = {
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }
        y = ops.affine_warp(images, maps, data_format=self.data_format, **settings)
        return y if len(x.shape) == 4 else ops.reshape(y, x.shape)

    def _next_maps(self, maps: np.ndarray, draws: np.ndarray, height: int, width: int) -> None:
        """Draws the maps of the next call."""
        generator = random.host_generator(self._draw_key, int(draws))
        draws += 1
        maps[...] = np.stack(np.broadcast_arrays(*self.draw(generator, len(maps), height, width)), axis=1)

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        """(a0, a1, a2, b0, b1, b2), each an array with a number for every image, or one number for all."""
        raise TypeError(
            f"{type(self).__name__} must define draw(self, generator, images, height, width): the maps"
        )

    def _range(self, argument: str, value: Any, lowest: float, highest: float = 1.0) -> tuple[float, float]:
        """(from, to) of a factor: +-value for a number, the two in order for a pair;
        each between `lowest` and `highest`.
        """
        pair = isinstance(value, list | tuple) and len(value) == 2
        numbers = list(value) if pair else [value]
        if not all(
            isinstance(n, int | float | np.number) and not isinstance(n, bool) and lowest <= n <= highest
            for n in numbers
        ):
            raise ValueError(
                f"{self}: {argument} must be a number between {lowest:g} and {highest:g}, "
                f"or a pair of them, got {value!r}"
            )
        return (float(min(numbers)), float(max(numbers))) if pair else (-abs(float(value)), abs(float(value)))


class RandomFlip(RandomAffine):
    """Mirrors every second image, at random: left and right ("horizontal"), up and down ("vertical"), or, in
    the mode "horizontal_and_vertical", both at once, which is half a turn.

    fill_mode   outside of the image: "reflect", "wrap", "nearest", or "constant", which is fill_value
    interpolation   "nearest" or "bilinear";  seed   None: a key of its own, drawn from the global seed
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> RandomFlip("horizontal")(np.ones((2, 28, 28, 1)), training=True).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:  # fmt: skip
        copied: dict[str, Any] = {"fill_mode": "nearest", "interpolation": "nearest", "fill_value": 0.0}
        super().__init__(**copied, data_format=data_format, seed=seed, **kwargs)
        known = ("horizontal", "vertical", "horizontal_and_vertical")
        if mode not in known:
            raise ValueError(f"{self}: mode must be one of {', '.join(map(repr, known))}, got {mode!r}")
        self.mode = mode

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        flipped = generator.random(images) <= 0.5
        x = flipped if "horizontal" in self.mode else np.zeros(images, bool)
        y = flipped if "vertical" in self.mode else np.zeros(images, bool)
        return 1.0 - 2 * x, 0.0, (width - 1.0) * x, 0.0, 1.0 - 2 * y, (height - 1.0) * y


class RandomRotation(RandomAffine):
    """Turns each image about its centre by an angle drawn uniformly;
    a positive one turns it counter-clockwise.

    factor  fraction of a full turn: f for angles between -f and f, or (from, to)

    fill_mode   outside of the image: "reflect", "wrap", "nearest", or "constant", which is fill_value
    interpolation   "nearest" or "bilinear";  seed   None: a key of its own, drawn from the global seed
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> RandomRotation(0.1)(np.ones((2, 28, 28, 1)), training=True).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        outside: dict[str, Any] = {
            "fill_mode": fill_mode,
            "interpolation": interpolation,
            "fill_value": fill_value,
        }
        super().__init__(**outside, data_format=data_format, seed=seed, **kwargs)
        self.factor = self._range("factor", factor, -1.0)

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        angle = 2 * np.pi * generator.uniform(*self.factor, images)
        cos, sin, x, y = np.cos(angle), np.sin(angle), (width - 1) / 2, (height - 1) / 2
        return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos


class RandomTranslation(RandomAffine):
    """Shifts each image by fractions of its height and width drawn uniformly;
    positive ones shift it down and right.

    height_factor, width_factor  f for fractions between -f and f, or (from, to); at most 1

    fill_mode   outside of the image: "reflect", "wrap", "nearest", or "constant", which is fill_value
    interpolation   "nearest" or "bilinear";  seed   None: a key of its own, drawn from the global seed
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> RandomTranslation(0.1, 0.1)(np.ones((2, 28, 28, 1)), training=True).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        outside: dict[str, Any] = {
            "fill_mode": fill_mode,
            "interpolation": interpolation,
            "fill_value": fill_value,
        }
        super().__init__(**outside, data_format=data_format, seed=seed, **kwargs)
        self.height_factor = self._range("height_factor", height_factor, -1.0)
        self.width_factor = self._range("width_factor", width_factor, -1.0)

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        down = generator.uniform(*self.height_factor, images) * height
        right = generator.uniform(*self.width_factor, images) * width
        return 1.0, 0.0, -right, 0.0, 1.0, -down


class RandomZoom(RandomAffine):
    """Zooms each image about its centre: what had the size 1 + z has the size 1, for a z drawn uniformly, so
    that a positive one makes things smaller.

    height_factor, width_factor  f for z between -f and f, or (from, to), above -1 and at most 1; a
                                 width_factor of None zooms both ways alike

    fill_mode   outside of the image: "reflect", "wrap", "nearest", or "constant", which is fill_value
    interpolation   "nearest" or "bilinear";  seed   None: a key of its own, drawn from the global seed
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> RandomZoom(0.2)(np.ones((2, 28, 28, 1)), training=True).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        outside: dict[str, Any] = {
            "fill_mode": fill_mode,
            "interpolation": interpolation,
            "fill_value": fill_value,
        }
        super().__init__(**outside, data_format=data_format, seed=seed, **kwargs)
        self.height_factor = self._above("height_factor", height_factor)
        self.width_factor = None if width_factor is None else self._above("width_factor", width_factor)

    def _above(self, argument: str, value: Any) -> tuple[float, float]:
        lowest, highest = self._range(argument, value, -1.0)
        if lowest == -1 and (isinstance(value, list | tuple) or value == -1):
            raise ValueError(
                f"{self}: {argument} must be above -1, where nothing is left of the image, got {value!r}"
            )
        return lowest, highest

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        down = 1 + generator.uniform(*self.height_factor, images)
        right = down if self.width_factor is None else 1 + generator.uniform(*self.width_factor, images)
        return right, 0.0, (width - 1) / 2 * (1 - right), 0.0, down, (height - 1) / 2 * (1 - down)


class RandomShear(RandomAffine):
    """Shears each image by amounts drawn uniformly,
    and either way: x is taken from x + s_x y, y from y + s_y x.

    x_factor, y_factor  f for amounts up to f, or (from, to), between 0 and 1;
                        one sign, drawn for each image, is for both

    fill_mode   outside of the image: "reflect", "wrap", "nearest", or "constant", which is fill_value
    interpolation   "nearest" or "bilinear";  seed   None: a key of its own, drawn from the global seed
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`

    >>> RandomShear(0.2, 0.2)(np.ones((2, 28, 28, 1)), training=True).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        outside: dict[str, Any] = {
            "fill_mode": fill_mode,
            "interpolation": interpolation,
            "fill_value": fill_value,
        }
        super().__init__(**outside, data_format=data_format, seed=seed, **kwargs)
        self.x_factor = self._range("x_factor", x_factor, 0.0)
        self.y_factor = self._range("y_factor", y_factor, 0.0)

    def draw(self, generator: np.random.Generator, images: int, height: int, width: int) -> tuple[Any, ...]:
        sign = np.where(generator.random(images) > 0.5, -1.0, 1.0)
        y, x = (generator.uniform(*factor, images) for factor in (self.y_factor, self.x_factor))
        return 1.0, sign * x, 0.0, sign * y, 1.0, 0.0
