"""Batches that someone else makes: generators, lists of batches, loaders with a length."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinynet.data.arrays import Batch, Places, check_lengths
from tinynet.data.columns import as_arrays, inputs, targets
from tinynet.data.py_dataset import PyDataset
from tinynet.data.weights import weights_from_classes
from tinynet.tree import mapped


def is_iterable_of_batches(x: Any) -> bool:
    """Whether `x` yields batches, rather than being an array or a list of samples.

    >>> is_iterable_of_batches([(np.ones(2), np.ones(2))]), is_iterable_of_batches(np.ones(2))
    (True, False)
    """
    if hasattr(x, "dtype") or hasattr(x, "__array__") or isinstance(x, str | bytes | dict):
        return False
    if isinstance(x, list | tuple):
        return bool(x) and isinstance(x[0], tuple) and all(hasattr(part, "dtype") for part in x[0])
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


class IterableBatches:
    """Batches (x,), (x, y) or (x, y, sample_weight) from `source`, any iterable, in the order it yields them.

    An iterator goes on in the next epoch where it stopped; anything else starts anew. If it has a length,
    that is the number of steps; an `on_epoch_end` method is called after each epoch. `dtype` and `integers`
    are as in ArrayBatches, `class_weight`, {class: weight}, makes weights of samples. `state` is what
    `training_state` returned.

    >>> batches = IterableBatches([(np.ones((2, 3)), np.zeros(2))])
    >>> [x.shape for x, y, sample_weight in batches.epoch()]
    [(2, 3)]
    """

    shuffle = False

    def __init__(
        self,
        source: Any,
        dtype: Any = "float32",
        class_weight: Mapping[int, float] | None = None,
        integers: bool = False,
    ) -> None:
        self.source, self.dtype, self.class_weight, self.integers = source, dtype, class_weight, integers
        self.steps: int | None = _length(source)
        self._positioned = False  # whether the source itself knows which batches are done

    def epoch(self, places: Places | None = None, skip: int = 0) -> Iterator[Batch]:
        """The batches of one epoch without the first `skip`, in new arrays and not in `places`:
        what will come is not known.
        """
        skip, self._positioned = 0 if self._positioned else skip, False
        for i, item in enumerate(_iterate(self.source)):
            if i >= skip:
                yield self._batch(item)
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def training_state(self, begun: bool) -> Any:
        """Where the source is, if it can tell (`begun` or not);
        otherwise batches that are done are skipped on resuming.
        """
        return self.source.training_state() if hasattr(self.source, "training_state") else None

    def restore_training_state(self, state: Any) -> None:
        """Takes the source to where `training_state` was taken."""
        if state is not None:
            self.source.restore_training_state(state)
            self._positioned = True

    def _batch(self, item: Any) -> Batch:
        parts = tuple(item) if isinstance(item, list | tuple) else (item,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"a batch must be (x,), (x, y) or (x, y, sample_weight), got {len(parts)} entries"
            )
        names = ("x", "y", "sample_weight")[: len(parts)]
        if parts[0] is None:
            raise ValueError(
                "a batch must have an x: (x,), (x, y) or (x, y, sample_weight); its first entry is None"
            )
        given = {name: part for name, part in zip(names, parts, strict=True) if part is not None}
        arrays = {name: as_arrays(part, f"{name} of a batch") for name, part in given.items()}
        samples = np.arange(check_lengths(arrays))
        if self.class_weight is not None and "sample_weight" in arrays:
            raise ValueError(
                "class_weight was given, but the batches have weights of samples: (x, y, sample_weight)"
            )
        if self.class_weight is not None and "y" in arrays:
            arrays["sample_weight"] = weights_from_classes(arrays["y"], self.class_weight, self.dtype)
        x = mapped(lambda array: inputs(array, self.dtype, self.integers).take(samples), arrays["x"])
        y, weight = (mapped(self._targets(samples), arrays.get(name)) for name in ("y", "sample_weight"))
        return x, y, weight

    def _targets(self, samples: np.ndarray) -> Callable[[Any], Any]:
        return lambda array: None if array is None else targets(array, self.dtype).take(samples)


def _length(source: Any) -> int | None:
    """The number of batches, where it is known and there is an end."""
    if isinstance(source, PyDataset):
        return source.num_batches
    return len(source) if hasattr(source, "__len__") else None


def _iterate(source: Any) -> Iterable[Any]:
    return source if hasattr(source, "__iter__") else (source[i] for i in range(len(source)))
