"""Whatever `fit`, `evaluate` and `predict` are given, as batches."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet.data.arrays import ArrayBatches
from tinynet.data.columns import as_arrays
from tinynet.data.iterables import IterableBatches, is_iterable_of_batches
from tinynet.data.weights import weights_from_classes
from tinynet.tree import leaves, mapped


def as_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    steps: int | None = None,
    class_weight: Mapping[int, float] | None = None,
    dtype: Any = "float32",
    integers: bool = False,
) -> ArrayBatches | IterableBatches:
    """Batches of arrays, 32 samples each unless `batch_size` or `steps` says otherwise,
    or those that `x` yields.

    y, sample_weight   arrays as long as x;  shuffle, dtype, integers   as in ArrayBatches;
                       class_weight {class: weight}

    As in Keras, `batch_size` says nothing about batches that `x` yields. Raises ValueError for arguments that
    contradict each other.

    >>> as_batches(np.ones((100, 3))).steps
    4
    """
    if steps is not None and (not hasattr(steps, "__index__") or steps < 1):
        raise ValueError(f"the number of steps must be a positive integer, got {steps!r}")
    if class_weight is not None and sample_weight is not None:
        raise ValueError("give either class_weight or sample_weight, not both")
    if is_iterable_of_batches(x):
        given = {"y": y, "sample_weight": sample_weight}
        if extra := [name for name, value in given.items() if value is not None]:
            raise ValueError(
                f"x is a {type(x).__name__}, which yields whole batches (x, y, sample_weight); "
                f"leave out {', '.join(extra)}, or pass arrays"
            )
        if hasattr(x, "as_batches"):  # a stream of tinynet's, which writes its batches itself
            return x.as_batches(dtype, class_weight, endless=steps is not None)
        return IterableBatches(x, dtype, class_weight, integers)
    x = as_arrays(x, "x")
    if class_weight is not None:
        if y is None:
            raise ValueError("class_weight needs y, the labels")
        sample_weight = weights_from_classes(as_arrays(y, "y"), class_weight, dtype)
    if batch_size is None:
        batch_size = 32 if steps is None else max(-(-len(next(leaves(x))) // steps), 1)
    return ArrayBatches(
        x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, dtype=dtype, integers=integers
    )


def split(fraction: float, x: Any, y: Any, sample_weight: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(training part, validation part) of x, y, sample_weight, arrays or None:
    the second is the last `fraction` of samples.

    Raises ValueError for batches, and where a part would be empty.

    >>> training, validation = data.split(0.25, np.arange(8), None, None)
    >>> training[0], validation[0]
    (array([0, 1, 2, 3, 4, 5]), array([6, 7]))
    """
    if not isinstance(fraction, int | float | np.number) or np.isnan(fraction):
        raise ValueError(f"validation_split must be a fraction between 0 and 1, got {fraction!r}")
    if is_iterable_of_batches(x):
        raise ValueError("validation_split works on arrays only; pass validation_data along with a generator")
    named = (("x", x), ("y", y), ("sample_weight", sample_weight))
    arrays = [None if array is None else as_arrays(array, name) for name, array in named]
    samples = len(next(leaves(arrays[0])))
    at = int(np.floor(samples * (1.0 - fraction)))
    if not 0 < fraction < 1 or at in (0, samples):
        raise ValueError(
            f"validation_split={fraction} leaves {at} of {samples} samples for "
            f"training and {samples - at} for "
            "validation; choose a fraction between 0 and 1 that leaves both some"
        )

    def part(which: slice) -> tuple[Any, ...]:
        return tuple(mapped(lambda array: None if array is None else array[which], value) for value in arrays)

    return part(slice(None, at)), part(slice(at, None))
