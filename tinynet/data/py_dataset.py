"""PyDataset: base class for data that make their batches one by one."""

import itertools
from collections.abc import Iterator
from typing import Any

from tinynet import signature


class PyDataset:
    """Subclasses define __getitem__(i), which returns (x, y[, sample_weight]),
    and __len__, the number of batches.

    Instead of __len__ a subclass may define the property `num_batches`; None says that there is no end: fit
    then needs steps_per_epoch. `on_epoch_end` is called after each epoch. Batches are made in the process
    that trains, when they are needed: Keras's `workers`, `use_multiprocessing` and `max_queue_size` are
    accepted and have no effect.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         x = np.random.rand(4, 1)
    ...         return x, x**2
    >>> model.fit(Squares(), epochs=2, verbose=0).epoch
    [0, 1]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = (
            workers,
            use_multiprocessing,
            max_queue_size,
        )

    def __getitem__(self, index: int) -> Any:
        raise TypeError(
            f"{type(self).__name__} must define __getitem__(self, index), "
            "which returns (x, y[, sample_weight])"
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None if there is no end."""
        if not hasattr(type(self), "__len__"):
            raise TypeError(
                f"{type(self).__name__} must define __len__(self), the number of batches, or num_batches"
            )
        return len(self)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch."""
        count = self.num_batches
        return (self[i] for i in (itertools.count() if count is None else range(count)))

    __repr__ = signature.call_repr

    def on_epoch_end(self) -> None:
        """Called after each epoch: to shuffle, for instance."""
