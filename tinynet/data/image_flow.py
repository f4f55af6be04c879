"""ImageFlow: augmented batches of a data set without end, the same for the same seed,
and resumable anywhere.
"""

import threading
from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import Any

import numpy as np

from tinynet.backend import check_stored, device, random
from tinynet.data import image_transforms as transforms
from tinynet.data.arrays import NOWHERE, Batch, Places
from tinynet.data.columns import targets
from tinynet.data.weights import weights_from_classes

CHUNK = 4096  # samples whose transformations are drawn together


class ImageFlow:
    """Batches (x, y, sample_weight), or as much of it as was given to `ImageDataGenerator.flow`;
    `next` never ends.

    An epoch has every sample once, in an order of its own if `shuffle`; its last batch may be smaller. What
    is in a batch follows from the key, the epoch and the place in it alone. flow[i] is batch i of the present
    epoch, without moving on.
    """

    def __init__(
        self,
        generator: Any,
        x: np.ndarray,
        y: np.ndarray | None,
        sample_weight: np.ndarray | None,
        *,
        batch_size: int,
        shuffle: bool,
        key: random.Key,
    ) -> None:
        self.generator, self.x, self.y, self.sample_weight = generator, x, y, sample_weight
        self.n, self.batch_size, self.shuffle, self.key = len(x), batch_size, bool(shuffle), key
        self._epoch = self._batch = 0  # where the next batch comes from
        self._order: tuple[int, np.ndarray] = (-1, np.arange(self.n))  # of an epoch
        self._drawn: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}  # the last chunks
        self._lock = threading.RLock()  # a signal handler may take a batch while its thread does

    def __repr__(self) -> str:
        of = f"x {self.x.shape}" if self.y is None else f"x {self.x.shape}, y {np.shape(self.y)}"
        return (
            f"{type(self).__name__}({self.n} samples in {len(self)} batches of {self.batch_size}, "
            f"{of}, {self.generator})"
        )

    def __len__(self) -> int:
        """Batches of an epoch."""
        return -(-self.n // self.batch_size)

    def __iter__(self) -> "ImageFlow":
        return self

    def __next__(self) -> Any:
        return self._plain(*self.advance())

    def __getitem__(self, number: int) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(
                f"batch {number} of {len(self)}: an epoch of this flow has batches 0 to {len(self) - 1}"
            )
        return self._plain(self._epoch, number)

    def reset(self) -> None:
        """Leaves the epoch under way: the next batch is the first one of another."""
        if self._batch:
            self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Goes to the first batch of the next epoch."""
        with self._lock:
            self._epoch, self._batch = self._epoch + 1, 0

    def training_state(self) -> dict[str, Any]:
        """Where the flow is, for `restore_training_state` of a flow over the same data,
        in another process perhaps.
        """
        settings = {"n": self.n, "batch_size": self.batch_size, "shuffle": self.shuffle}
        return {"key": list(self.key), "epoch": self._epoch, "batch": self._batch, **settings}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        """Goes on with the batch that was next when `training_state` was taken;
        ValueError if that was another kind of flow.
        """
        check_stored.entries(
            state, {"key", "epoch", "batch", "n", "batch_size", "shuffle"}, "the state of an ImageFlow"
        )
        key = check_stored.key(state["key"], "the key of an ImageFlow")
        epoch, batch = (
            check_stored.count(state["epoch"], "the epoch"),
            check_stored.count(state["batch"], "the batch"),
        )
        for name in ("n", "batch_size", "shuffle"):
            if state[name] != getattr(self, name):
                raise ValueError(
                    f"the state is of a flow with {name}={state[name]!r}, "
                    f"this one has {getattr(self, name)!r}"
                )
        with self._lock:
            self.key, self._epoch, self._batch = key, epoch, batch
            self._order = (-1, self._order[1])
            self._drawn.clear()

    def as_batches(
        self, dtype: Any, class_weight: Mapping[int, float] | None = None, endless: bool = False
    ) -> "FlowBatches":
        """The batches as `fit` takes them: those of an epoch at a time, or in one pass without end."""
        return FlowBatches(self, dtype, class_weight, endless)

    # A batch

    def advance(self) -> tuple[int, int]:
        """(epoch, batch) of what is next, which is then behind."""
        with self._lock:
            here = self._epoch, self._batch
            self._batch += 1
            if self._batch == len(self):
                self._epoch, self._batch = self._epoch + 1, 0
        return here

    def samples(self, epoch: int, batch: int) -> np.ndarray:
        """Numbers of the samples in a batch."""
        number, order = self._order
        if self.shuffle and number != epoch:
            order = random.host_generator(self.key, epoch).permutation(self.n)
            self._order = epoch, order
        return order[batch * self.batch_size : (batch + 1) * self.batch_size]

    def images(self, epoch: int, batch: int, dtype: Any, out: np.ndarray | None = None) -> np.ndarray:
        """The images of a batch in batch-last memory, in `out` if that is an array for them."""
        index, first = self.samples(epoch, batch), batch * self.batch_size
        pieces = []
        for chunk in range(first // CHUNK, (first + len(index) - 1) // CHUNK + 1):
            part = slice(max(first - chunk * CHUNK, 0), min(first + len(index) - chunk * CHUNK, CHUNK))
            pieces.append([array[part] for array in self._transformations(epoch, chunk)])
        maps, pixels = (
            pieces[0]
            if len(pieces) == 1
            else (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        )
        fits = type(out) is np.ndarray and out.shape == (len(index), *self.x.shape[1:]) and out.dtype == dtype
        return self.generator.images(self.x, index, maps, pixels, np.dtype(dtype), out if fits else None)

    def _transformations(self, epoch: int, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        """(maps, [channel shift, brightness]) of the samples at the places chunk * CHUNK, ... of an epoch."""
        drawn = self._drawn.get((epoch, chunk))
        if drawn is None:
            # The orders of the epochs are drawn where the third word is 0.
            philox = np.random.Philox(key=list(self.key), counter=[0, 0, 1 + chunk, epoch])
            count = min(CHUNK, self.n - chunk * CHUNK)
            drawn = self.generator.transformations(
                np.random.Generator(philox).random((count, transforms.DRAWS)), self.x.shape
            )
            while len(self._drawn) > 1:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[epoch, chunk] = drawn
        return drawn

    def _plain(self, epoch: int, batch: int) -> Any:
        """A batch in arrays of the usual memory order."""
        index = self.samples(epoch, batch)
        x = np.ascontiguousarray(self.images(epoch, batch, self.generator.dtype))
        if self.y is None:
            return x
        return (
            (x, self.y[index])
            if self.sample_weight is None
            else (x, self.y[index], self.sample_weight[index])
        )


class FlowBatches:
    """A flow as `fit`, `evaluate` and `predict` see it: `steps` batches a pass,
    from wherever it is; None: without end.
    """

    shuffle = False

    def __init__(
        self, flow: ImageFlow, dtype: Any, class_weight: Mapping[int, float] | None, endless: bool
    ) -> None:
        self.flow, self.dtype, self.steps = flow, np.dtype(dtype), None if endless else len(flow)
        weight = flow.sample_weight
        if class_weight is not None and flow.y is not None:
            if weight is not None:
                raise ValueError(
                    "the flow has sample weights: give either class_weight or sample_weight, not both"
                )
            weight = weights_from_classes(flow.y, class_weight, dtype)
        self.columns = [None if array is None else targets(array, dtype) for array in (flow.y, weight)]

    def epoch(self, places: Places | None = None, skip: int = 0) -> Iterator[Batch]:
        """The batches of a pass of which `skip` are done; see ArrayBatches."""
        for _ in repeat(None) if self.steps is None else range(self.steps - skip):
            here = self.flow.advance()
            index = self.flow.samples(*here)
            outs = NOWHERE if places is None else places(len(index)) or NOWHERE
            x = device.to_device(self.flow.images(*here, self.dtype, outs[0]))
            y, weight = (
                None if c is None else c.take(index, out)
                for c, out in zip(self.columns, outs[1:], strict=True)
            )
            yield x, y, weight

    def training_state(self, begun: bool) -> dict[str, Any]:
        """Where the flow is."""
        return self.flow.training_state()

    def restore_training_state(self, state: Any) -> None:
        """Goes on where `training_state` was taken."""
        self.flow.restore_training_state(state)
