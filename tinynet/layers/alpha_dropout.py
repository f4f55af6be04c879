"""AlphaDropout: dropout that leaves mean 0 and variance 1 as they are, for SELU nets."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.layers import arguments
from tinynet.layers.seeded import Seeded
from tinynet.layers.static_types import LayerArguments

# selu's limit for x -> -inf, -scale alpha: what a dropped unit is set to.
SATURATION = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Seeded):
    """In training an element becomes p' = -1.7581 with probability `rate`, all then y = a x + b; else y = x.

    a = ((1 - rate) (1 + rate p'**2))**-1/2,   b = -a rate p':   mean 0 and variance 1 stay

    noise_shape  shape of the mask, with 1 along axes that share it and None for the input's size

    seed   None: a key of its own, drawn from the global seed

    G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017, section "New dropout technique".

    >>> AlphaDropout(0.1)(np.zeros((2, 3))).shape  # outside of training y = x
    (2, 3)
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        if not isinstance(rate, int | float | np.number) or not 0 <= rate < 1:
            raise ValueError(f"{self}: rate is the fraction to drop, at least 0 and below 1, got {rate!r}")
        self.rate = float(rate)
        self.noise_shape = arguments.noise_shape(noise_shape, f"{self}: noise_shape")

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return x
        keep = 1.0 - self.rate
        a = (keep * (1.0 + self.rate * SATURATION**2)) ** -0.5
        b = -a * self.rate * SATURATION
        # With x - p' dropped to 0 instead of x to p'. Dropout divides what it keeps by 1 - rate.
        shifted = x - SATURATION
        dropped = ops.dropout(shifted, rate=self.rate, words=self.next_words(), noise_shape=self.noise_shape)
        return dropped * (a * keep) + (a * SATURATION + b)
