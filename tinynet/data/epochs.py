"""Epochs: how many batches make one, and what happens when they run out."""

import warnings
from collections.abc import Iterator
from typing import Any

from tinynet.data.arrays import Batch, Places


class Epochs:
    """`batches`, given out an epoch at a time.

    Without `steps_per_epoch` an epoch is one pass over the data. With it, it is that many batches, and the next epoch
    goes on where this one stopped; data that run out in between are started anew in the next epoch, after a warning.
    """

    def __init__(self, batches: Any, steps_per_epoch: int | None = None) -> None:
        if steps_per_epoch is not None and steps_per_epoch < 1:
            raise ValueError(f"the number of steps must be positive, got {steps_per_epoch}")
        self.batches, self.steps_per_epoch = batches, steps_per_epoch
        self.steps: int | None = steps_per_epoch or batches.steps  # None: not known before the first epoch ends
        self._open: Iterator[Batch] | None = None
        self._left: int | None = None  # batches still in the open pass, where that is known

    def epoch(self, places: Places | None = None) -> Iterator[tuple[int, Batch]]:
        """(step, batch) for the steps of the next epoch; `places` may say which arrays a batch is written into."""
        if self.steps_per_epoch is None:
            count = -1
            for count, batch in enumerate(self.batches.epoch(places)):
                yield count, batch
            self.steps = count + 1
        else:
            yield from self._some(self.steps_per_epoch, places)

    def _some(self, wanted: int, places: Places | None) -> Iterator[tuple[int, Batch]]:
        if self._open is None:
            self._open, self._left = self.batches.epoch(places), self.batches.steps
        for step in range(wanted):
            batch = next(self._open, None)
            if batch is None:
                self._open = None
                warnings.warn(
                    f"the data ran out after {step} of {wanted} steps; they must yield steps_per_epoch * epochs "
                    "batches, or use a generator that never ends",
                    stacklevel=4,
                )
                return
            if self._left is not None:
                self._left -= 1
            yield step, batch
        if self._left == 0:
            self._open = None  # a pass that ended with the epoch is not a shortage
