"""What studies ask of a net: the size of its weights, whether they have changed, samples of its answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import ops


def size(weights: Sequence[Any]) -> int:
    """The numbers in some weights, such as `model.trainable_weights`."""
    return sum(int(np.prod(weight.shape)) for weight in weights)


def same(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    """Whether all weights are the same, bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def samples(net: Any, x: np.ndarray, count: int) -> np.ndarray:
    """(count, N, K): the answers to x, each time with other units dropped, as in training (Monte Carlo
    dropout; Gal and Ghahramani, 2016).
    """
    return np.stack([ops.convert_to_numpy(net(x, training=True)) for _ in range(count)])
