"""One cycle: a rate that rises once and falls once, whatever the length of training."""

import math
from itertools import pairwise

from tinynet.schedules.base import LearningRateSchedule, check_positive


class OneCycle(LearningRateSchedule):
    """From max_learning_rate / initial_divisor up to max_learning_rate,
    and down to the initial rate / final_divisor.

    total_steps       steps of the whole training; the last of them, k = total_steps - 1, has the final rate
    warmup_fraction   the share of them that the rise takes: the top is at k = warmup_fraction total_steps - 1
    anneal            "cosine": each piece is half a wave; "linear": a straight line
    three_phase       fall to the initial rate in as many steps as the rise took,
                      then from there to the final rate
    name              without effect. Raises ValueError for numbers out of range, or another anneal

    L. N. Smith, "A disciplined approach to neural network hyper-parameters: part 1", 2018, section 4.1
    ("1cycle"): there the pieces are straight lines, the fall takes as long as the rise, and the last steps go
    several orders of magnitude below the start, which is anneal="linear", three_phase=True with a
    warmup_fraction just below 0.5. The defaults are those that have become usual since: a short rise, one
    long fall, along a cosine.

    >>> schedule = OneCycle(1.0, total_steps=100)
    >>> schedule(0), schedule(29), round(schedule(99), 8)
    (0.04, 1.0, 4e-06)
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
        warmup_fraction: float = 0.3,
        anneal: str = "cosine",
        three_phase: bool = False,
        name: str | None = "OneCycle",
    ) -> None:
        for argument, value in (("initial_divisor", initial_divisor), ("final_divisor", final_divisor)):
            check_positive("OneCycle", argument, value)
        if total_steps < 2:
            raise ValueError(f"OneCycle: total_steps must be at least 2, got {total_steps}")
        if anneal not in ("cosine", "linear"):
            raise ValueError(f"OneCycle: anneal must be 'cosine' or 'linear', got {anneal!r}")
        longest = 0.5 if three_phase else 1.0
        if not 0 <= warmup_fraction <= longest:
            raise ValueError(
                f"OneCycle: warmup_fraction must be between 0 and {longest}, got {warmup_fraction}"
            )
        self.max_learning_rate, self.total_steps = max_learning_rate, total_steps
        self.initial_divisor, self.final_divisor = initial_divisor, final_divisor
        self.warmup_fraction, self.anneal, self.three_phase, self.name = (
            warmup_fraction,
            anneal,
            three_phase,
            name,
        )

    def __call__(self, step: int) -> float:
        start = 0.0
        points = self.points()
        for (_, before), (end, after) in pairwise(points):
            if step <= end:
                share = (step - start) / (end - start) if end > start else 1.0
                if self.anneal == "cosine":
                    share = (1 - math.cos(math.pi * share)) / 2
                return before + (after - before) * share
            start = end
        return points[-1][1]

    def points(self) -> list[tuple[float, float]]:
        """(step, rate) where the pieces meet, the first at step 0."""
        low, last = self.max_learning_rate / self.initial_divisor, self.total_steps - 1.0
        top = max(self.warmup_fraction * self.total_steps - 1, 0.0)
        points = [(0.0, low), (top, self.max_learning_rate)]
        if self.three_phase:
            points.append((2 * top, low))
        return [*points, (last, low / self.final_divisor)]
