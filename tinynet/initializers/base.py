"""The base class of initializers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet.backend import config, device, random
from tinynet.ops.settings import integers
from tinynet.random import SeedGenerator, generator_of
from tinynet.signature import Configured


class Initializer(Configured):
    """Makes the first value of a variable: called with a shape, returns an array on the device in use.

    Subclasses define `__call__(shape, dtype=None)`;
    tinynet's own `_draw_values(shape)`, a NumPy array of any dtype.

    >>> class Ramp(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.linspace(0, 1, int(np.prod(shape))).reshape(shape).astype(dtype or "float32")
    >>> layers.Dense(1, kernel_initializer=Ramp())(np.ones((1, 3))).numpy()
    array([[1.5]], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = integers(type(self).__name__, "shape", shape, least=0)
        return device.to_device(np.require(self._draw_values(shape), dtype or config.floatx(), ["C", "W"]))

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        """The value, as a NumPy array."""
        raise TypeError(f"{type(self).__name__} must define _draw_values(self, shape)")

    def clone(self) -> "Initializer":
        """Another one made from the same arguments; without a seed it draws other values."""
        return type(self).from_config(self.get_config())


class RandomInitializer(Initializer):
    """Base of those that draw numbers, always on the host,
    so that a seed means the same weights on every device.

    An initializer is stateless: one instance returns the same values at every call. With `seed=None` the
    instance takes a key of its own at construction, so two layers made alike start different; with an int
    seed they start equal. One whose seed is a `random.SeedGenerator` draws the next of its numbers at every
    call.
    Raises ValueError for another seed.

    >>> initializers.RandomNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        # as a configuration describes it
        if isinstance(seed, Mapping) and seed.get("class_name") == "SeedGenerator":
            seed = SeedGenerator.from_config(seed["config"])
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0
        if not whole and not isinstance(seed, SeedGenerator | None):
            raise ValueError(
                f"{type(self).__name__}: seed must be None, an integer >= 0 or a random.SeedGenerator, "
                f"got {seed!r}"
            )
        self.seed = seed
        self._key: Any = None
        if not isinstance(seed, SeedGenerator):
            self._key = random.next_key() if seed is None else random.key_from_seed(seed)

    def generator(self) -> np.random.Generator:
        """A generator at the start of this initializer's stream, or of its seeds' next draw."""
        if isinstance(self.seed, SeedGenerator):
            return generator_of(self.seed)
        return random.host_generator(self._key)
