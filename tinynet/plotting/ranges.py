"""The part of an axis on which differences at the end of a training can be read."""

from typing import NamedTuple

import numpy as np

from tinynet.plotting.bands import Band
from tinynet.plotting.histories import is_share, shown

RISE = 1.0  # what is shown before the end of the runs, in heights of the end
GAIN = 2  # what leaving something out must bring, in height, to be done
FAILED = 8  # and what leaving out a whole run must


class Range(NamedTuple):
    low: float
    high: float
    outside: list[str]  # what is not shown, in words


def readable_range(bands: list[Band], metric: str, references: list[float]) -> Range | None:
    """From the worst value of the second halves to the best of all, and as much again of the way there; None
    where no value is finite.

    Worst is lowest for shares, highest for losses; of other metrics everything is shown. A run whose second
    half is so far away that without it the others are eight times as high is left out as well.
    """
    values = np.concatenate([references, *(one.low for one in bands), *(one.high for one in bands)])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = full = float(values.min()), float(values.max())
    if is_share(metric):
        worst = _floor([_finite(one.low[len(one.low) // 2 :]).min(initial=high) for one in bands], high)
        low = max(low, min([worst - RISE * (high - worst), *references]))
    elif "loss" in metric:
        worst = -_floor([-_finite(one.high[len(one.high) // 2 :]).max(initial=low) for one in bands], -low)
        high = min(high, max([worst + RISE * (worst - low), *references]))
    if full[1] - full[0] < GAIN * (high - low):
        low, high = full
    margin = 0.05 * (high - low) or (0.005 if is_share(metric) else 0.5)
    return Range(low - margin, high + margin, _outside(bands, metric, low - margin, high + margin))


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _floor(floors: list[float], top: float) -> float:
    """The lowest of the floors, or a higher one that at least two runs reach,
    if `FAILED` times less is above it.
    """
    lowest, *others = sorted(floors)
    for floor in others[:-1]:
        if (top - floor) * FAILED < top - lowest:
            return floor
    return lowest


def _outside(bands: list[Band], metric: str, low: float, high: float) -> list[str]:
    """Which runs lie outside, and how far the values of the others go."""
    parts = []
    for sign, most, beyond in (("▼ lowest", min, lambda y: y < low), ("▲ highest", max, lambda y: y > high)):
        whole = [one for one in bands if beyond(one.mean).all()]
        parts += [f"{sign[0]} {one.label} {shown(metric, one.mean[-1])}" for one in whole]
        rest = [y for one in bands if one not in whole for y in (*one.low, *one.high) if beyond(y)]
        if rest:
            others = " of the others" if whole else ""
            parts.append(f"{sign}{others} {shown(metric, most(rest))}")
    return parts
