"""Dropout: noise that keeps units from relying on one another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import ops
from tinynet.backend import random
from tinynet.kernels import common
from tinynet.kernels.philox import LOW
from tinynet.layers.base import Elementwise


class Dropout(Elementwise):
    """In training, each element is set to 0 with probability `rate` and divided by 1 - rate otherwise; else y = x.

    noise_shape  shape of the mask, with 1 along axes that share it and None for the input's size
    seed         None: a key of its own, drawn from the global seed

    The mask is a function of the layer's key and of `calls`, the number of masks it has drawn: a copy of both (as in a
    checkpoint) continues the same sequence.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:
            raise ValueError(f"{self}: rate is the fraction to drop, between 0 and 1, got {rate!r}")
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.key = random.next_key() if seed is None else random.key_from_seed(seed)
        self.calls = 0

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return x
        words = np.array([*self.key, 0], np.uint32)
        common.launch(self._next_words, words)
        return ops.dropout(x, rate=self.rate, words=words, noise_shape=self.noise_shape)

    def _next_words(self, words: np.ndarray) -> None:
        """The number of the next mask. A launch, so that a recorded step draws a new mask each time it is repeated."""
        words[2] = self.calls & LOW
        self.calls += 1
