"""Data: arrays and generators turned into batches in the engine's memory order."""

from tinynet.data.adapt import as_batches, split
from tinynet.data.arrays import ArrayBatches
from tinynet.data.epochs import Epochs
from tinynet.data.iterables import IterableBatches, is_iterable_of_batches
from tinynet.data.weights import weights_from_classes

__all__ = [
    "ArrayBatches", "Epochs", "IterableBatches", "as_batches", "is_iterable_of_batches", "split",
    "weights_from_classes",
]  # fmt: skip
