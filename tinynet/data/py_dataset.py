"""PyDataset: base class for data that make their batches one by one."""

from typing import Any

from tinynet import signature


class PyDataset:
    """Subclasses define __len__, the number of batches, and __getitem__(i), which returns (x, y[, sample_weight]).

    `on_epoch_end` is called after each epoch. Batches are made in the process that trains, when they are needed: Keras's
    `workers`, `use_multiprocessing` and `max_queue_size` are accepted and have no effect.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} must define __len__(self), the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__} must define __getitem__(self, index), which returns (x, y[, sample_weight])")

    @property
    def num_batches(self) -> int:
        """The number of batches."""
        return len(self)

    __repr__ = signature.as_call

    def on_epoch_end(self) -> None:
        """Called after each epoch: to shuffle, for instance."""
