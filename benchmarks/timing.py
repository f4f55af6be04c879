"""Seconds of a call, and what to say of many measurements."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

SLOW = 0.1  # a call of this many seconds is its own measurement


def sample(call: Callable[[], Any], seconds: float, samples: int = 2) -> list[float]:
    """`samples` measurements of `call`, each the mean over as many calls as fit into `seconds`;
    one call goes before.
    """
    once = _seconds(call, 1)
    if once > SLOW:
        return [once]
    repeats = max(1, int(seconds / max(once, 1e-7)))
    return [_seconds(call, repeats) for _ in range(samples)]


def _seconds(call: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles, minimum and number of the values."""
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else 3 * [values[0]]
    )
    return {"median": middle, "q1": low, "q3": high, "min": min(values), "samples": len(values)}
