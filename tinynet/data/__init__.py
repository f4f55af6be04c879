"""Data: arrays and generators turned into batches in the engine's memory order."""

from tinynet import missing_names
from tinynet.data.adapt import as_batches, split
from tinynet.data.arrays import ArrayBatches
from tinynet.data.epochs import Epochs
from tinynet.data.image_generator import ImageDataGenerator
from tinynet.data.iterables import IterableBatches, is_iterable_of_batches
from tinynet.data.py_dataset import PyDataset
from tinynet.data.weights import weights_from_classes

__all__ = [
    "ArrayBatches", "Epochs", "ImageDataGenerator", "IterableBatches", "PyDataset", "as_batches",
    "is_iterable_of_batches", "split", "weights_from_classes",
]  # fmt: skip

missing_names.namespace(__name__)
