"""A mean of differences, and how far it may be off."""

import math
import statistics
from collections.abc import Sequence

# Student's t: 95 % of it lie within +-T_95[d - 1], for d = 1, 2, ... 20 degrees of freedom.
T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
FEWEST = 3  # seeds from which a verdict is given


def interval(differences: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): the 95 % confidence interval of the mean, mean +- t s / sqrt(n).

    Raises ValueError for fewer than two numbers: one says nothing about their spread.
    """
    n = len(differences)
    if n < 2:
        raise ValueError(f"interval: expected two differences at least, got {n}")
    mean = statistics.fmean(differences)
    half = T_95[min(n - 1, len(T_95)) - 1] * statistics.stdev(differences) / math.sqrt(n)
    return mean, mean - half, mean + half


def better(differences: Sequence[float]) -> str:
    """Is one better than the other, by its gain in accuracy for each seed? No verdict on few seeds, and none
    where the interval has 0 in it.
    """
    n, ahead = len(differences), sum(difference > 0 for difference in differences)
    said = f"{statistics.fmean(differences):+.2%} of accuracy, ahead in {ahead} of {n} seed{'s' * (n > 1)}"
    if n < FEWEST:
        return f"{said}: too few to tell"
    _, low, high = interval(differences)
    verdict = "yes" if low > 0 else "no" if high < 0 else "not shown"
    return f"{verdict}: {said}, 95 % interval {low:+.2%} to {high:+.2%}"
