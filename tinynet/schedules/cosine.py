"""Schedules along a cosine: I. Loshchilov, F. Hutter, "SGDR:
stochastic gradient descent with warm restarts", ICLR 2017.
"""

import math

from tinynet.schedules.base import LearningRateSchedule, check_positive


class CosineDecay(LearningRateSchedule):
    """eta(k) = eta_0 ((1 - alpha) (1 + cos(pi k/S)) / 2 + alpha) up to k = S = decay_steps,
    and alpha eta_0 from there on.

    With a `warmup_target` T the rate first rises in a straight line from eta_0 to T within W = warmup_steps
    (Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2); then it falls from T, as above with T
    for eta_0 and k - W for k. eta_0 is initial_learning_rate; `name` has no effect. Raises ValueError unless
    decay_steps > 0.

    >>> schedule = CosineDecay(0.1, decay_steps=100)
    >>> schedule(0), schedule(50), schedule(100)
    (0.1, 0.05, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        check_positive("CosineDecay", "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate,
            decay_steps,
            alpha,
            name,
        )
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: int) -> float:
        start, k = self.initial_learning_rate, float(step)
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, k = self.warmup_target, step - self.warmup_steps
        cosine = (1 + math.cos(math.pi * min(k, self.decay_steps) / self.decay_steps)) / 2
        return start * ((1 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """eta(k) = eta_0 ((1 - alpha) m^i (1 + cos(pi c)) / 2 + alpha) in period i = 0,
    1, ..., of which the share c has passed.

    Period i takes first_decay_steps t_mul^i steps: it starts m_mul^i times as high as the first, and ends at
    alpha eta_0. eta_0 is initial_learning_rate; `name` has no effect. Equation 5 of the paper.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=100)
    >>> schedule(0), round(schedule(50), 4), schedule(100)
    (0.1, 0.05, 0.1)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        check_positive("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
        check_positive("CosineDecayRestarts", "t_mul", t_mul)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: int) -> float:
        period, share = self.period(step)
        cosine = self.m_mul**period * (1 + math.cos(math.pi * share)) / 2
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def period(self, step: int) -> tuple[int, float]:
        """(i, c): the number of periods before `step`, and the share of its own that has passed.

        The periods before the i-th take (t^i - 1) / (t - 1) times as long as the first. The logarithm that
        solves this for i may miss a restart by rounding: it is put right where c says so, hence a restart is
        where it should be.
        """
        t, passed = self.t_mul, step / self.first_decay_steps
        if t == 1:
            return math.floor(passed), passed - math.floor(passed)
        if 1 - passed * (1 - t) <= 0:  # t < 1: all periods together take 1 / (1 - t) times the first
            raise ValueError(
                f"CosineDecayRestarts: with t_mul={t} the periods are over before step {step}; use t_mul >= 1"
            )
        i = math.floor(math.log(1 - passed * (1 - t)) / math.log(t))
        start = (1 - t**i) / (1 - t)
        if passed >= start + t**i:
            i, start = i + 1, start + t**i
        return i, (passed - start) / t**i
