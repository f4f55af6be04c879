"""Schedules that fall: exponentially, as 1/k, as a power, in pieces."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from tinynet.schedules.base import LearningRateSchedule, check_positive


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
        check_positive(type(self).__name__, "decay_steps", decay_steps)
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
    """eta(k) = eta_0 r^p, p = k / decay_steps (rounded down if `staircase`).

    initial_learning_rate   eta_0;  decay_rate   r;  name   without effect.
                            Raises ValueError unless decay_steps > 0.

    >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(100)
    0.05
    """

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate * self.decay_rate ** self.progress(step)


class InverseTimeDecay(_Decay):
    """eta(k) = eta_0 / (1 + r p), p = k / decay_steps (rounded down if `staircase`).

    With decay_steps=1 it is what Keras 1 and 2 called `decay=r`.

    initial_learning_rate   eta_0;  decay_rate   r;  name   without effect.
                            Raises ValueError unless decay_steps > 0.

    >>> InverseTimeDecay(0.1, decay_steps=100, decay_rate=1.0)(100)
    0.05
    """

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self.progress(step))


class PolynomialDecay(LearningRateSchedule):
    """eta(k) = (eta_0 - eta_end) (1 - k/S)^power + eta_end up to k = S = decay_steps,
    and eta_end from there on.

    With `cycle` S is the next multiple of decay_steps instead: the rate reaches eta_end there, rises to a
    value below eta_0 at once, and falls again.

    initial_learning_rate   eta_0;  end_learning_rate   eta_end;  name   without effect
    Raises ValueError unless decay_steps > 0.

    >>> PolynomialDecay(0.1, decay_steps=100, end_learning_rate=0.0)(50)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        check_positive("PolynomialDecay", "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: int) -> float:
        whole = self.decay_steps
        if self.cycle:
            whole *= max(math.ceil(step / self.decay_steps), 1)
        left = 1 - min(step, whole) / whole
        return (
            self.initial_learning_rate - self.end_learning_rate
        ) * left**self.power + self.end_learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """eta(k) = values[i] where i boundaries lie strictly below k:
    a boundary still belongs to the piece before it.

    name   without effect. Raises ValueError unless there is one value more than boundaries, which rise.

    >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> schedule(100), schedule(101)
    (0.1, 0.01)
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str | None = "PiecewiseConstant"
    ) -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                "PiecewiseConstantDecay: there must be one value more than boundaries, "
                f"got {len(values)} values and {len(boundaries)} boundaries"
            )
        if any(later <= earlier for earlier, later in pairwise(boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must increase, got {list(boundaries)}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: int) -> float:
        return self.values[bisect_left(self.boundaries, step)]
