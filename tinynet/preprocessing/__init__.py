"""Preprocessing, under the name that Keras had for it:
`from tinynet.preprocessing.image import ImageDataGenerator`.
"""

from tinynet import missing_names
from tinynet.preprocessing import image

__all__ = ["image"]

missing_names.namespace(__name__)
