"""Seeded: base of the layers that draw random numbers."""

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

import numpy as np

from tinynet.autograd import Tensor
from tinynet.backend import random, undo
from tinynet.kernels.launches import launch
from tinynet.kernels.philox import LOW
from tinynet.layers.base import Elementwise
from tinynet.layers.static_types import LayerArguments


class Seeded(Elementwise):
    """Layer with random numbers of its own: a function of its key and the number of draws so far.

    seed   an integer >= 0: the same sequence for the same seed; None: a key of its own,
           drawn from the global seed

    A copy of both (as in a checkpoint) continues the same sequence.
    """

    _without_effect: ClassVar = {"_draw_count"}

    def __init__(self, *, seed: int | None = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if seed is not None and (
            isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0
        ):
            raise ValueError(f"{self}: seed must be an integer >= 0 or None, got {seed!r}")
        self.seed = seed
        self._draw_key = random.next_key() if seed is None else random.key_from_seed(seed)
        # how many there were, counted on the host: the words go to a GPU with the other numbers of a step
        self._draws = Tensor(np.zeros((), np.int64), name=f"{self.name}/draws")

    @property
    def _draw_count(self) -> int:
        return int(self._draws.data)

    @_draw_count.setter
    def _draw_count(self, value: int) -> None:
        self._draws.data[...] = value

    def next_words(self) -> Any:
        """(3,) uint32: two words of the key and the number of this draw,
        which determine all that it gives.
        """
        words = _first_words(self._draw_key)
        self._launch_draw(self._next_words, words)
        return words

    def _launch_draw(self, function: Callable[..., None], out: np.ndarray, *settings: Any) -> None:
        """function(out, number of draws so far, *settings) as a launch,
        so that a step draws anew each time it is repeated.

        The function counts the draw.
        """
        undo.array(self._draws)
        launch(function, out, self._draws.data, *settings)
        self._draws.touch()

    def _own_tensors(self) -> list[Tensor]:
        return [tensor for tensor in super()._own_tensors() if tensor is not self._draws]

    def _next_words(self, words: np.ndarray, draws: np.ndarray) -> None:
        words[2] = int(draws) & LOW
        draws += 1


def _first_words(key: tuple[int, int]) -> np.ndarray:
    return np.array([*key, 0], np.uint32)


def layers_that_draw(model: Any) -> list[Seeded]:
    """The layers with random numbers of their own in a layer or model, itself among them."""
    return [layer for layer in model._with_all_within() if isinstance(layer, Seeded)]
