"""Image preprocessing: the code is in tinynet/data;
layers/augmentation.py has layers that augment inside a model.
"""

from tinynet import missing_names
from tinynet.data import ImageDataGenerator

__all__ = ["ImageDataGenerator"]

missing_names.namespace(__name__)
