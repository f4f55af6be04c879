"""Random transformations of images, as Keras's ImageDataGenerator has them:
what is drawn, and the map that it makes.

In (row, column) coordinates, from output to input and about the centre ((h - 1) / 2, (w - 1) / 2):

    R T S Z,   R = rotation by theta,   T = shift by (tx, ty)
               S = [[1, -sin s], [0, cos s]],   Z = diag(zx, zy)

This is the matrix of Keras 2.1.3 to 2.2.4, where tx is along the rows' axis and the shear an angle in
degrees. Later releases exchanged the two axes of the finished matrix, which also makes height shifts of width
shifts; that is not repeated here.
"""

from typing import Any

import numpy as np

Parameters = dict[str, np.ndarray]  # by name, a number for each image

NAMES = (
    "theta", "tx", "ty", "shear", "zx", "zy", "flip_horizontal", "flip_vertical", "channel_shift_intensity",
    "brightness",
)  # fmt: skip
DRAWS = 12  # numbers drawn for an image


def shift_choices(argument: str, value: Any) -> Any:
    """What a shift is drawn from: an array of choices, either way, for a list or an integer n (0, ..., n - 1
    pixels), else the largest shift as a float. Raises ValueError.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 0:
        return np.arange(value, dtype=float) if value else 0.0
    if isinstance(value, float | np.floating) and value >= 0:
        return float(value)
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1 and np.size(value):
        return np.asarray(value, float)
    raise ValueError(
        f"ImageDataGenerator: {argument} must be a fraction below 1, a number of pixels, "
        f"an integer (whole pixels below it), or a list of shifts, got {value!r}"
    )


def draw(generator: Any, uniform: np.ndarray, height: int, width: int) -> Parameters:
    """Parameters as `generator`, an ImageDataGenerator, has their ranges,
    from numbers in [0, 1): uniform (N, DRAWS).
    """
    u = uniform.T
    zoom, most = generator.zoom_range
    shear, theta, channel = (
        (2 * u[i] - 1) * limit
        for i, limit in (
            (0, generator.shear_range),
            (1, generator.rotation_range),
            (2, generator.channel_shift_range),
        )
    )
    dark, bright = (1.0, 1.0) if generator.brightness_range is None else generator.brightness_range
    return {
        "theta": theta,
        "tx": _shift(generator.height_shift, u[3], u[4], height),
        "ty": _shift(generator.width_shift, u[5], u[6], width),
        "shear": shear,
        "zx": zoom + (most - zoom) * u[7],
        "zy": zoom + (most - zoom) * u[8],
        "flip_horizontal": (u[9] < 0.5) & bool(generator.horizontal_flip),
        "flip_vertical": (u[10] < 0.5) & bool(generator.vertical_flip),
        "channel_shift_intensity": channel,
        "brightness": dark + (bright - dark) * u[11],
    }


def _shift(limit: Any, u: np.ndarray, sign: np.ndarray, size: int) -> np.ndarray:
    if isinstance(limit, float):
        shift, largest = (2 * u - 1) * limit, limit
    else:
        shift, largest = limit[(u * len(limit)).astype(int)] * np.where(sign < 0.5, -1.0, 1.0), limit.max()
    return shift * size if largest < 1 else shift


def maps(parameters: Parameters, height: int, width: int) -> np.ndarray:
    """The maps (N, 6) of kernels/warp.py, for x along a row: (a0, a1, a2, b0, b1, b2)."""
    theta, shear = np.deg2rad(parameters["theta"]), np.deg2rad(parameters["shear"])
    cos, sin, zx, zy = np.cos(theta), np.sin(theta), parameters["zx"], parameters["zy"]
    tx, ty, y, x = parameters["tx"], parameters["ty"], (height - 1) / 2, (width - 1) / 2
    # R S Z, row by row; S turns (0, 1) into (-sin s, cos s)
    rr, rc = cos * zx, (-cos * np.sin(shear) - sin * np.cos(shear)) * zy
    cr, cc = sin * zx, (-sin * np.sin(shear) + cos * np.cos(shear)) * zy
    row = y + cos * tx - sin * ty - rr * y - rc * x
    column = x + sin * tx + cos * ty - cr * y - cc * x
    # flips come after: row i of the result is row h - 1 - i of what the above makes
    up, left = parameters["flip_vertical"], parameters["flip_horizontal"]
    row, column = (
        row + up * rr * (height - 1) + left * rc * (width - 1),
        column + up * cr * (height - 1) + left * cc * (width - 1),
    )
    up, left = np.where(up, -1.0, 1.0), np.where(left, -1.0, 1.0)
    return np.stack([left * cc, up * cr, column, left * rc, up * rr, row], axis=1)


def shift_channels(images: np.ndarray, intensity: np.ndarray) -> None:
    """Adds its intensity to each image, within the smallest and largest value that it had; in place."""
    axes = tuple(range(1, images.ndim))
    low, high = images.min(axis=axes, keepdims=True), images.max(axis=axes, keepdims=True)
    images += intensity.astype(images.dtype).reshape(-1, *[1] * len(axes))
    np.clip(images, low, high, out=images)


def change_brightness(images: np.ndarray, factor: np.ndarray) -> None:
    """Multiplies each image by its factor, as images of bytes: whole numbers from 0 to 255; in place.

    An image that goes beyond 0 to 255 is brought there by its extremes, and back afterwards.
    """
    for image, brightness in zip(images, factor, strict=True):
        low, high = image.min(), image.max()
        foreign = low < 0 or high > 255
        if foreign:
            image[...] = (image - low) / (high - low or 1) * 255
        image[...] = np.floor(np.clip(np.floor(image) * np.float32(brightness), 0, 255))
        if foreign:
            image[...] = image / 255 * (high - low) + low
