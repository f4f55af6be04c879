"""GaussianNoise and GaussianDropout: normal noise, added or multiplied, in training alone."""

import math
from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.layers.seeded import Seeded
from tinynet.layers.static_types import LayerArguments


class GaussianNoise(Seeded):
    """In training y = x + z, with z normal of mean 0 and standard deviation `stddev` (0 to 1); else y = x.

    seed   None: a key of its own, drawn from the global seed

    >>> GaussianNoise(0.1)(np.ones((1, 2))).numpy()  # outside of training y = x
    array([[1., 1.]], dtype=float32)
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(seed=seed, **kwargs)
        if not isinstance(stddev, int | float | np.number) or not 0 <= stddev <= 1:
            raise ValueError(f"{self}: stddev must be a number between 0 and 1, got {stddev!r}")
        self.stddev = float(stddev)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return x
        return x + ops.normal_like(x, self.next_words()) * self.stddev


class GaussianDropout(Seeded):
    """In training y = x z, with z normal of mean 1 and variance rate / (1 - rate), Dropout's; else y = x.

    seed   None: a key of its own, drawn from the global seed

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15, 2014, section 10.

    >>> GaussianDropout(0.2)(np.ones((1, 2))).numpy()  # outside of training y = x
    array([[1., 1.]], dtype=float32)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(seed=seed, **kwargs)
        if not isinstance(rate, int | float | np.number) or not 0 <= rate < 1:
            raise ValueError(
                f"{self}: rate must be at least 0 and below 1, where the variance is infinite, got {rate!r}"
            )
        self.rate = float(rate)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return x
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        noise = ops.normal_like(x, self.next_words()) * stddev
        return x * (noise + 1.0)
