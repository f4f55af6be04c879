"""Preprocessing, under the name that Keras had for it: `from tinynet.preprocessing.image import ImageDataGenerator`."""

from tinynet.preprocessing import image

__all__ = ["image"]
