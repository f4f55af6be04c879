"""Random tensors at Keras's address (keras.random), for layers and data of one's own.

    noise = tinynet.random.normal(x.shape, stddev=0.1, seed=self.seed_generator)

Numbers follow from a key and a count of draws (see `backend/random.py`): an integer seed gives the same
numbers at every call, a SeedGenerator others at each, and no seed takes a fresh key that follows from
`set_random_seed`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinynet import missing_names, ops  # noqa: F401  (gives Tensor its methods)
from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import config, deviates, device, undo
from tinynet.backend import random as keys
from tinynet.kernels.launches import aligned, launch, not_repeatable, numbers_read
from tinynet.signature import Configured

missing_names.namespace(__name__)

Seed = Any  # None, an integer, or a SeedGenerator


class SeedGenerator(Configured):
    """A sequence of draws: each takes the next number. `state`, (seed, number of draws so far),
    is all that it remembers.

    seed   an integer, or None: one that follows from `set_random_seed`;  name   that of its state

    >>> numbers = SeedGenerator(7)
    >>> bool((random.normal((2,), seed=numbers) == random.normal((2,), seed=numbers)).numpy().any())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
            raise ValueError(f"SeedGenerator: seed must be an integer or None, got {seed!r}")
        self._initial_seed, self.name = seed, name or "seed_generator"
        first = (
            keys.host_generator(keys.next_key()).integers(1, 10**9)
            if seed is None
            else keys.key_from_seed(seed)[0]
        )
        self.state = Parameter(
            np.array([first, 0], np.uint32), trainable=False, name=f"{self.name}/seed_generator_state"
        )

    def next(self, ordered: bool = True) -> Tensor:
        """The state of this draw, (2,); the next one has another. `ordered` is Keras's,
        and says nothing here.
        """
        now = aligned((2,), np.uint32)
        undo.array(self.state)
        launch(_advance, now, self.state.data)
        self.state.touch()
        return Tensor(now)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments: a generator made from them starts anew."""
        return {"seed": self._initial_seed, "name": self.name}


def normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Normal deviates of this `mean` and standard deviation `stddev`, a Tensor of this `shape`.

    dtype   None: `config.floatx()`;  seed   an integer, a SeedGenerator,
            or None for a fresh key; else ValueError

    >>> random.normal((2, 3), seed=0).shape
    (2, 3)
    """
    return _drawn(
        shape, dtype, seed, lambda random, out: deviates.normal(random, out.shape, out.dtype, mean, stddev)
    )


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Normal deviates, drawn again where they are further than 2 `stddev` from the mean;
    shape, dtype, seed as in `normal`.

    >>> bool(ops.max(ops.abs(random.truncated_normal((1000,), seed=0))) < 2)
    True
    """
    return _drawn(
        shape,
        dtype,
        seed,
        lambda random, out: deviates.truncated_normal(random, out.shape, out.dtype, mean, stddev),
    )


def uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Numbers from minval up to maxval, all equally likely; shape, dtype, seed as in `normal`.

    >>> x = random.uniform((1000,), 1.0, 2.0, seed=0)
    >>> bool(ops.min(x) >= 1 and ops.max(x) < 2)
    True
    """
    return _drawn(
        shape, dtype, seed, lambda random, out: deviates.uniform(random, out.shape, out.dtype, minval, maxval)
    )


def randint(
    shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Integers from minval to maxval - 1; shape, dtype, seed as in `normal`.

    >>> int(random.randint((100,), 0, 3, seed=0).numpy().max())
    2
    """
    return _drawn(shape, dtype, seed, lambda random, out: random.integers(minval, maxval, out.shape))


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Tensor:
    """x with its parts along `axis` in another order, which `seed` says, as in `normal`.

    >>> sorted(random.shuffle([1, 2, 3], seed=0).numpy().tolist())
    [1, 2, 3]
    """
    raw = device.to_host(as_raw(x)) if hasattr(x, "dtype") else np.asarray(x)
    return _drawn(
        raw.shape,
        raw.dtype,
        seed,
        lambda random, out: np.take(raw, random.permutation(raw.shape[axis]), axis),
    )


def generator_of(seeds: SeedGenerator) -> np.random.Generator:
    """NumPy's generator for the next draw of `seeds`."""
    now = seeds.next().data
    numbers_read(now)
    word, draw = map(int, now)
    return keys.host_generator(keys.key_from_seed(word), draw)


def _generator(seed: Seed) -> np.random.Generator:
    if isinstance(seed, SeedGenerator):
        return generator_of(seed)
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
        raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}")
    if seed is None:
        not_repeatable(
            "draws random numbers without a seed, which are others at each step; give a SeedGenerator"
        )
    if seed is None and undo.under_way():
        seed = 0  # numbers that nobody will see: the global sequence goes on as if there had been no trial
    return keys.host_generator(keys.next_key() if seed is None else keys.key_from_seed(int(seed)))


def _drawn(
    shape: Any, dtype: Any, seed: Seed, draw: Callable[[np.random.Generator, np.ndarray], Any]
) -> Tensor:
    """What draw(generator, array like the result) gives; of a SeedGenerator in a launch,
    which draws anew when repeated.
    """
    out = aligned(tuple(shape), dtype or config.floatx())
    if isinstance(seed, SeedGenerator):
        undo.array(seed.state)
        launch(partial(_next, draw), out, seed.state.data)
        seed.state.touch()
    else:
        out[...] = draw(_generator(seed), out)
    return Tensor(device.to_device(out))


def _next(draw: Callable[[np.random.Generator, np.ndarray], Any], out: np.ndarray, state: np.ndarray) -> None:
    word, count = map(int, state)
    state[1] += 1
    out[...] = draw(keys.host_generator(keys.key_from_seed(word), count), out)


def _advance(now: np.ndarray, state: np.ndarray) -> None:
    now[...] = state
    state[1] += 1
