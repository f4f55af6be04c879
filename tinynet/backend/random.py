"""Random keys: one global seed, and a fresh Philox key for everything that draws.

A Philox generator (Salmon et al., 2011) is a function of a key and a counter, so a key is all the state there
is: the same seed gives the same initial weights, shuffles and dropout masks on every device, at any number of
threads.
"""

import os
import secrets
import threading
from typing import Any

import numpy as np

from tinynet import missing_names
from tinynet.backend import check_stored

missing_names.namespace(__name__)
Key = tuple[int, int]

_MASK = 0xFFFFFFFF
_OWN_SEED = _MASK  # second word of keys made from a seed of one's own; the counter below never reaches it
_lock = threading.RLock()  # a signal handler may draw while its thread does
_here = threading.local()
_state = {"seed": secrets.randbits(32), "drawn": 0}


def set_seed(seed: int) -> None:
    """Starts the sequence of keys anew from `seed`; raises ValueError unless it is an integer >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"a seed must be an integer >= 0, got {seed!r}")
    with _lock:
        _state.update(seed=int(seed), drawn=0)


def state() -> dict[str, int]:
    """What the next keys follow from, for training that is resumed."""
    with _lock:
        return dict(_state)


def set_state(state: dict[str, int]) -> None:
    """Goes on with the keys that `state` told of; ValueError, changing nothing, if it is no such state."""
    checked = check_state(state)
    with _lock:
        _state.update(checked)


def check_state(state: Any) -> dict[str, int]:
    """`state` if `set_state` can take it; else ValueError."""
    check_stored.entries(state, {"seed", "drawn"}, "the state of the random keys")
    if type(state["seed"]) is not int or not 0 <= state["seed"] < 1 << 256:
        raise ValueError(
            f"the seed of the random keys must be a whole number, and is {str(state['seed'])[:100]!r}"
        )
    return {"seed": state["seed"], "drawn": check_stored.count(state["drawn"], "the number of keys drawn")}


def next_key() -> Key:
    """A key that was not handed out before: (global seed, number of keys drawn), two 32-bit words."""
    with _lock:
        drawn = _state["drawn"]
        _state["drawn"] = drawn + 1
        _here.drawn = drawn_here() + 1
        return _fold(_state["seed"]), drawn


def drawn_here() -> int:
    """How many keys this thread has drawn."""
    return getattr(_here, "drawn", 0)


def take_back(before: dict[str, int], count: int) -> None:
    """Back to the state `before`, if nothing but the `count` keys that were drawn since has changed it."""
    with _lock:
        if _state == {**before, "drawn": before["drawn"] + count}:
            _state.update(before)


def key_from_seed(seed: int) -> Key:
    """The key of an explicit `seed=` argument: the same for equal seeds, whatever the global seed."""
    return (_fold(int(seed)), _OWN_SEED)


def host_generator(key: Key, call: int = 0) -> np.random.Generator:
    """NumPy generator at the start of the stream (key, call):
    initial weights and shuffles are drawn on the host.
    """
    return np.random.Generator(np.random.Philox(key=[key[0], key[1]], counter=[0, 0, 0, call]))


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _fold(seed: int) -> int:
    return (seed ^ (seed >> 32)) & _MASK
