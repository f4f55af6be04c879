"""RReLU: a leaky relu with random slopes."""

from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.layers.seeded import Seeded
from tinynet.layers.static_types import LayerArguments


class RReLU(Seeded):
    """y = x for x >= 0, a x below: in training a is drawn from U[lower, upper] for each element,
    else a = (lower + upper) / 2.

    Not a layer of Keras. The paper divides by a number from U[3, 8];
    its slopes lie between 1/8 and 1/3, as here.

    seed   None: a key of its own, drawn from the global seed

    B. Xu, N. Wang, T. Chen, M. Li, "Empirical evaluation of rectified activations in convolutional network",
    2015 (arXiv 1505.00853), section 2.4.

    >>> RReLU(0.1, 0.3)(np.array([[-10.0, 2.0]])).numpy()
    array([[-2.,  2.]], dtype=float32)
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        if (
            not all(isinstance(slope, int | float | np.number) for slope in (lower, upper))
            or not 0 <= lower <= upper
        ):
            raise ValueError(
                f"{self}: expected slopes 0 <= lower <= upper, got lower={lower!r}, upper={upper!r}"
            )
        self.lower, self.upper = float(lower), float(upper)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.lower == self.upper:
            return ops.leaky_relu(x, negative_slope=(self.lower + self.upper) / 2)
        slope = ops.uniform_like(x, self.next_words()) * (self.upper - self.lower) + self.lower
        return ops.where(x > 0, x, x * slope)
