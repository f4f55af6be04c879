"""Epochs: how many batches make one, and what happens when they run out."""

from collections.abc import Iterator
from typing import Any

from tinynet.backend import check_stored, tracebacks
from tinynet.data.arrays import Batch, Places


class Epochs:
    """`batches`, given out an epoch at a time.

    Without `steps_per_epoch` an epoch is one pass over the data. With it, it is that many batches, and the
    next epoch goes on where this one stopped; data that run out in between are started anew in the next
    epoch, after a warning. `state` is what `training_state` returned.

    >>> epochs = Epochs(ArrayBatches(np.arange(10), batch_size=4), steps_per_epoch=2)
    >>> [step for step, batch in epochs.epoch()]
    [0, 1]
    """

    def __init__(self, batches: Any, steps_per_epoch: int | None = None) -> None:
        if steps_per_epoch is not None and steps_per_epoch < 1:
            raise ValueError(f"the number of steps must be positive, got {steps_per_epoch}")
        self.batches, self.steps_per_epoch = batches, steps_per_epoch
        # None: not known before the first epoch ends
        self.steps: int | None = steps_per_epoch or batches.steps
        self.step = 0  # steps of the epoch done
        self.given = 0  # batches given out in the pass over the data that is under way
        self._open: Iterator[Batch] | None = None

    def epoch(self, places: Places | None = None) -> Iterator[tuple[int, Batch]]:
        """(step, batch) for the steps of the next epoch;
        `places` may say which arrays a batch is written into.
        """
        if self.steps_per_epoch is None:
            self.given = self.step  # 0, unless training is resumed within an epoch
            for batch in self.batches.epoch(places, self.step):
                self.step = self.given = self.step + 1
                yield self.step - 1, batch
            self.steps = self.step
            self.given = 0
        else:
            yield from self._some(self.steps_per_epoch, places)
        self.step = 0

    def _some(self, wanted: int, places: Places | None) -> Iterator[tuple[int, Batch]]:
        if self._open is None:
            self._open = self.batches.epoch(places, self.given)
        while self.step < wanted:
            batch = next(self._open, None)
            if batch is None:
                self._open, self.given = None, 0
                tracebacks.warn(
                    f"the data ran out after {self.step} of {wanted} steps; "
                    "they must yield steps_per_epoch * epochs batches, or use a generator that never ends"
                )
                return
            self.step, self.given = self.step + 1, self.given + 1
            yield self.step - 1, batch
        if self.given == self.batches.steps:
            self._open, self.given = None, 0  # a pass that ended with the epoch is not a shortage

    def restart(self) -> None:
        """The next epoch begins with the first batch, as every validation does; only an iterator goes on."""
        self.step, self.given, self._open = 0, 0, None

    def training_state(self) -> dict[str, Any]:
        """Where in the data training is."""
        return {
            "step": self.step,
            "given": self.given,
            "batches": self.batches.training_state(self.given > 0),
        }

    def restore_training_state(self, state: dict[str, Any]) -> None:
        """Goes on where `training_state` was taken."""
        check_stored.entries(state, {"step", "given", "batches"}, "the place in the data")
        step = check_stored.count(state["step"], "the step")
        given = check_stored.count(state["given"], "the number of batches given")
        self.batches.restore_training_state(state["batches"])
        self.step, self.given, self._open = step, given, None
