"""Dropout: noise that keeps units from relying on one another."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.layers import arguments
from tinynet.layers.seeded import Seeded
from tinynet.layers.static_types import LayerArguments


class Dropout(Seeded):
    """In training, each element is set to 0 with probability `rate` and divided by 1 - rate otherwise;
    else y = x.

    noise_shape  shape of the mask, with 1 along axes that share it and None for the input's size
    seed         None: a key of its own, drawn from the global seed

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    >>> Dropout(0.5)(np.ones((1, 3))).numpy()  # outside of training y = x
    array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        if not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:
            raise ValueError(f"{self}: rate is the fraction to drop, between 0 and 1, got {rate!r}")
        self.rate = float(rate)
        self.noise_shape = arguments.noise_shape(noise_shape, f"{self}: noise_shape")

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return x
        return ops.dropout(x, rate=self.rate, words=self.next_words(), noise_shape=self.noise_shape)
