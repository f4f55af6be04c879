"""Learning-rate schedules: functions of the step k, which is 0 at the first update.

    optimizer = SGD(ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.5))

Also found at `tinynet.optimizers.schedules`, Keras's address. Values are computed in double precision; an update rounds
them to the dtype of its variable.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tinynet import lookup


class LearningRateSchedule:
    """Base class: a schedule is called with the step and returns the learning rate of that step."""

    def __call__(self, step: int) -> float:
        raise TypeError(
            f"{type(self).__name__} must define __call__(self, step), which returns that step's learning rate"
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "LearningRateSchedule":
        """The schedule that `get_config` described."""
        return cls(**config)


class _Decay(LearningRateSchedule):
    """What the two decays share: p = k / decay_steps, rounded down if `staircase`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        if decay_steps <= 0:
            raise ValueError(f"{type(self).__name__}: decay_steps must be positive, got {decay_steps}")
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name or type(self).__name__

    def progress(self, step: int) -> float:
        """p: the number of decay periods that have passed."""
        p = step / self.decay_steps
        return math.floor(p) if self.staircase else p


class ExponentialDecay(_Decay):
    """eta(k) = eta_0 r^p, p = k / decay_steps (rounded down if `staircase`)."""

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate * self.decay_rate ** self.progress(step)


class InverseTimeDecay(_Decay):
    """eta(k) = eta_0 / (1 + r p), p = k / decay_steps (rounded down if `staircase`).

    With decay_steps=1 it is what Keras 1 and 2 called `decay=r`.
    """

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self.progress(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """eta(k) = values[i] where i boundaries lie strictly below k: a boundary still belongs to the piece before it."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = None) -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                "PiecewiseConstantDecay: there must be one value more than boundaries, "
                f"got {len(values)} values and {len(boundaries)} boundaries"
            )
        if any(later <= earlier for earlier, later in pairwise(boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must increase, got {list(boundaries)}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name or "PiecewiseConstant"

    def __call__(self, step: int) -> float:
        return self.values[bisect_left(self.boundaries, step)]


_CLASSES = {cls.__name__: cls for cls in (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay)}


def serialize(schedule: LearningRateSchedule) -> dict[str, Any]:
    """{"class_name", "config"} of a schedule."""
    return {"class_name": type(schedule).__name__, "config": schedule.get_config()}


def deserialize(config: Mapping[str, Any]) -> LearningRateSchedule:
    """The schedule that `serialize` described."""
    return lookup.from_config(config, _CLASSES, "schedule")
