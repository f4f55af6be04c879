"""Thresholds as arguments: numbers in 0 .. 1, and how many of them there are."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np


def checked(kind: str, value: Any, least: int = 1) -> list[float]:
    """One threshold or several as a list; ValueError for what is no number in 0 .. 1,
    or fewer than `least`.
    """
    given = value.tolist() if isinstance(value, np.ndarray) else value
    several = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if len(several) < least or not all(_is_number(one) and 0 <= one <= 1 for one in several):
        raise ValueError(
            f"{kind}: thresholds must lie in 0 .. 1, one number or a list of them, got {value!r}"
        )
    return [float(one) for one in several]


def checked_one(kind: str, value: Any) -> Any:
    """`value` if it is a number; else ValueError."""
    if not _is_number(value):
        raise ValueError(f"{kind}: threshold must be a number, got {value!r}")
    return value


def checked_count(kind: str, value: Any, least: int) -> int:
    """`value` if it is a whole number of at least `least`; else ValueError."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{kind}: num_thresholds must be an integer > {least - 1}, got {value!r}")
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and bool(value == value)  # NaN is not
