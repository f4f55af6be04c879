"""Batches of arrays that are in memory as a whole."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinynet.backend import random
from tinynet.data.columns import Inputs, as_array, targets

Batch = tuple[Any, Any, Any]  # x, y, sample weights; y and the weights may be None
Places = Callable[[int], Batch | None]
NOWHERE: Batch = (None, None, None)


class ArrayBatches:
    """Batches of x (M, ...), y (M, ...) and sample_weight (M, ...); the last one of an epoch may be smaller.

    shuffle  True: a new order for each epoch; "batch": batches stay together and are shuffled within; False: as given.
             The order follows from the global seed alone.
    dtype    of the batches of x, and of those of y that hold floats
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int = 32,
        shuffle: bool | str = False,
        dtype: Any = "float32",
    ) -> None:
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"shuffle must be True, False or 'batch', got {shuffle!r}")
        named = {"x": x, "y": y, "sample_weight": sample_weight}
        arrays = {name: as_array(data, name) for name, data in named.items() if data is not None}
        self.samples = check_lengths(arrays)
        self.batch_size, self.shuffle = check_batch_size(batch_size), shuffle
        self.steps: int | None = -(-self.samples // self.batch_size)
        self.columns: list[Any] = [None, None, None]
        self.columns[0] = Inputs(arrays["x"], dtype)
        for i, name in enumerate(("y", "sample_weight"), 1):
            self.columns[i] = targets(arrays[name], dtype) if name in arrays else None
        self._key = random.next_key() if shuffle else None
        self._epoch = 0

    def epoch(self, places: Places | None = None) -> Iterator[Batch]:
        """The batches of one epoch.

        They are written into the arrays that places(number of samples) returns, or into new ones where it returns None or
        an array does not fit.
        """
        order = self._order()
        x, y, weight = self.columns
        for start in range(0, self.samples, self.batch_size):
            index = order[start : start + self.batch_size]
            x_out, y_out, weight_out = NOWHERE if places is None else places(len(index)) or NOWHERE
            yield (
                x.take(index, x_out),
                None if y is None else y.take(index, y_out),
                None if weight is None else weight.take(index, weight_out),
            )

    def _order(self) -> np.ndarray:
        if self._key is None:
            return np.arange(self.samples)
        generator = random.host_generator(self._key, self._epoch)
        self._epoch += 1
        if self.shuffle != "batch":
            return generator.permutation(self.samples)
        starts = range(0, self.samples, self.batch_size)
        size = self.batch_size
        return np.concatenate([generator.permutation(np.arange(i, min(i + size, self.samples))) for i in starts])


def check_lengths(arrays: dict[str, Any]) -> int:
    """The number of samples, which all arrays must agree on; ValueError if they do not or there are none."""
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"x, y and sample_weight must have the same number of samples: {found}")
    if not lengths["x"]:
        raise ValueError(f"the data are empty: x has shape {tuple(arrays['x'].shape)}")
    return lengths["x"]


def check_batch_size(batch_size: Any) -> int:
    """`batch_size` as an int >= 1."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    return int(batch_size)
