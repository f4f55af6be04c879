"""The base class of initializers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import lookup, signature
from tinynet.backend import config, device, random


class Initializer:
    """Makes the first value of a variable: called with a shape, returns an array on the device in use.

    Subclasses define `__call__(shape, dtype=None)`; tinynet's own `_draw_values(shape)`, a NumPy array of any dtype.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = tuple(int(size) for size in shape)
        return device.to_device(np.require(self._draw_values(shape), dtype or config.floatx(), ["C", "W"]))

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        """The value, as a NumPy array."""
        raise TypeError(f"{type(self).__name__} must define _draw_values(self, shape)")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: lookup.describe(value) for name, value in vars(self).items() if not name.startswith("_")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> "Initializer":
        """The initializer that `get_config` described."""
        with lookup.custom_object_scope(custom_objects or {}):
            return cls(**config)

    def clone(self) -> "Initializer":
        """Another one made from the same arguments; without a seed it draws other values."""
        return type(self).from_config(self.get_config())

    __repr__ = signature.call_repr


class RandomInitializer(Initializer):
    """Base of those that draw numbers, always on the host, so that a seed means the same weights on every device.

    An initializer is stateless: one instance returns the same values at every call. With `seed=None` the instance takes
    a key of its own at construction, so two layers made alike start different; with an int seed they start equal.
    """

    def __init__(self, seed: int | None = None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer | None) or (seed is not None and seed < 0):
            raise ValueError(f"{type(self).__name__}: seed must be None or an integer >= 0, got {seed!r}")
        self.seed = seed
        self._key = random.next_key() if seed is None else random.key_from_seed(seed)

    def generator(self) -> np.random.Generator:
        """A generator at the start of this initializer's stream."""
        return random.host_generator(self._key)
