"""Batches of arrays that are in memory as a whole.

x, y and the weights may be lists, tuples or dictionaries of arrays,
for models with several inputs or outputs.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinynet.backend import check_stored, device, random
from tinynet.data.columns import Index, as_arrays, inputs, targets
from tinynet.tree import leaves, mapped

Batch = tuple[Any, Any, Any]  # x, y, sample weights; y and the weights may be None
Places = Callable[[int], Batch | None]
NOWHERE: Batch = (None, None, None)


class ArrayBatches:
    """Batches of x (M, ...), y (M, ...) and sample_weight (M, ...); the last one of an epoch may be smaller.

    batch_size  samples of a batch, at least 1
    shuffle  True: a new order for each epoch; "batch": batches stay together and are shuffled within; False:
             as given. The order follows from the global seed alone.
    dtype    of the batches of x, and of those of y that hold floats
    integers  whether those of x that hold integers or booleans stay what they are

    Raises ValueError for arrays of different lengths, or without samples.

    >>> batches = ArrayBatches(np.arange(10), batch_size=4)
    >>> [len(x) for x, y, sample_weight in batches.epoch()]
    [4, 4, 2]
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
        integers: bool = False,
    ) -> None:
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"shuffle must be True, False or 'batch', got {shuffle!r}")
        named = {"x": x, "y": y, "sample_weight": sample_weight}
        arrays = {name: as_arrays(data, name) for name, data in named.items() if data is not None}
        self.samples = check_lengths(arrays)
        self.batch_size, self.shuffle = check_batch_size(batch_size), shuffle
        self.steps: int | None = -(-self.samples // self.batch_size)
        self.columns: list[Any] = [
            mapped(lambda array: inputs(array, dtype, integers), arrays["x"]),
            None,
            None,
        ]
        for i, name in enumerate(("y", "sample_weight"), 1):
            if name in arrays:
                self.columns[i] = mapped(
                    lambda array: None if array is None else targets(array, dtype), arrays[name]
                )
        self._key = random.next_key() if shuffle else None
        self._epoch = 0

    def epoch(self, places: Places | None = None, skip: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, without the first `skip`.

        They are written into the arrays that places(number of samples) returns, or into new ones where it
        returns None or an array does not fit.
        """
        order: Any = self._order()
        if device.get_device() != "cpu":
            order = Index(order)  # copied there once
        for start in range(skip * self.batch_size, self.samples, self.batch_size):
            index = order[start : start + self.batch_size]
            outs = NOWHERE if places is None else places(len(index)) or NOWHERE
            x, y, weight = self.columns
            yield _take(x, index, outs[0]), _take(y, index, outs[1]), _take(weight, index, outs[2])

    def training_state(self, begun: bool) -> dict[str, Any]:
        """What the orders of the epochs follow from, to go on with the one that was `begun`,
        or with the next.
        """
        return {"key": self._key, "epochs": self._epoch - (begun and self._key is not None)}

    def restore_training_state(self, state: dict[str, Any]) -> None:
        """Goes on with the orders that `state` told of."""
        check_stored.entries(state, {"key", "epochs"}, "the state of the data")
        key = None if state["key"] is None else check_stored.key(state["key"], "the key of the data's orders")
        self._epoch, self._key = check_stored.count(state["epochs"], "the number of orders drawn", -1), key

    def _order(self) -> np.ndarray:
        if self._key is None:
            return np.arange(self.samples)
        generator = random.host_generator(self._key, self._epoch)
        self._epoch += 1
        if self.shuffle != "batch":
            return generator.permutation(self.samples)
        starts = range(0, self.samples, self.batch_size)
        size = self.batch_size
        return np.concatenate(
            [generator.permutation(np.arange(i, min(i + size, self.samples))) for i in starts]
        )


def _take(column: Any, index: Any, out: Any) -> Any:
    """The batch of a column, or of each in a structure of columns."""
    if isinstance(column, list | tuple | dict):
        return mapped(lambda one: _take(one, index, None), column)
    return None if column is None else column.take(index, out)


def check_lengths(given: dict[str, Any]) -> int:
    """The number of samples, which all arrays must agree on; ValueError if they do not or there are none."""
    arrays: dict[str, Any] = {}
    for name, value in given.items():
        several = [array for array in leaves(value) if array is not None]
        one = len(several) == 1 and several[0] is value
        arrays.update({name if one else f"{name}[{i}]": array for i, array in enumerate(several)})
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        _refuse_list_of_samples(given)
        found = [f"{name} has {length}" for name, length in lengths.items()]
        found = found if len(found) <= 6 else [*found[:5], f"and {len(found) - 5} more"]
        raise ValueError(f"x, y and sample_weight must have the same number of samples: {', '.join(found)}")
    name, array = next(iter(arrays.items()))
    if not len(array):
        raise ValueError(f"the data are empty: {name} has shape {tuple(array.shape)}")
    return len(array)


def _refuse_list_of_samples(given: dict[str, Any]) -> None:
    """Raises ValueError for x = [image, image, ...], which reads as several inputs,
    beside as many targets.
    """
    x, y = given["x"], given.get("y")
    if (
        isinstance(x, list)
        and isinstance(y, np.ndarray)
        and len(x) == len(y)
        and len({np.shape(one) for one in x}) == 1
    ):
        raise ValueError(
            f"x is a list of {len(x)} arrays of shape {np.shape(x[0])}, "
            f"which is taken for {len(x)} inputs of a model; np.stack(x) makes one array of samples"
        )


def check_batch_size(batch_size: Any) -> int:
    """`batch_size` as an int >= 1."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    return int(batch_size)
