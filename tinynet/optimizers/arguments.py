"""Arguments that every optimizer takes, and their checks."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import numpy as np

from tinynet.old_names import OPTIMIZER_ARGUMENTS, unknown_arguments
from tinynet.schedules import LearningRateSchedule
from tinynet.signature import accepted

LearningRate = float | LearningRateSchedule | Callable[[], float]


class Common(TypedDict, total=False):
    """What an optimizer takes after its own arguments; `Optimizer` says what they mean."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None
    learning_rate_multipliers: Mapping[str, float] | None


def refuse_unknown(cls: type, unknown: dict[str, Any]) -> None:
    """Raises ValueError for arguments that do not exist, with today's spelling of those that once did."""
    if unknown:
        words = f"{cls.__name__}: Argument(s) not recognized: {sorted(unknown)}"
        raise ValueError(unknown_arguments(words, sorted(unknown), accepted(cls), OPTIMIZER_ARGUMENTS))


def check_clips(kind: str, **limits: float | None) -> None:
    """Raises ValueError for a limit that is no positive number, or for more than one of them."""
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) > 1:
        raise ValueError(f"{kind}: only one of {', '.join(limits)} can be set, got {given}")
    for name, limit in given.items():
        # without a limit it is None: infinity times a scale of 0 is no number
        check_range(kind, name, limit, "(0, inf)")


def check_range(kind: str, name: str, value: Any, interval: str = "[0, 1]") -> None:
    """Raises ValueError unless `value` is a number in `interval`, such as "[0, 1)" or "(0, inf)"."""
    low, high = map(float, interval[1:-1].split(", "))
    number = (
        isinstance(value, int | float | np.number) and not isinstance(value, bool) and low <= value <= high
    )
    if not number or (interval[0] == "(" and value == low) or (interval[-1] == ")" and value == high):
        raise ValueError(f"{kind}: {name} must be a number in {interval}, got {value!r}")


def check_count(kind: str, name: str, value: Any, least: int) -> None:
    """Raises ValueError unless `value` is None or an integer >= least."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if value is not None and not (whole and value >= least):
        raise ValueError(f"{kind}: {name} must be an integer >= {least} or None, got {value!r}")


def check_multipliers(kind: str, given: Any) -> dict[str, float] | None:
    """{pattern: factor} as floats; raises ValueError for what is no pattern, or no number of at least 0."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{kind}: learning_rate_multipliers must be a dict {{pattern of names: factor}}, got {given!r}"
        )
    for pattern, factor in given.items():
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ValueError(
                f"{kind}: learning_rate_multipliers has {pattern!r}, which is no pattern of names ({error})"
            ) from error
        check_range(kind, f"learning_rate_multipliers[{pattern!r}]", factor, "[0, inf)")
    return {pattern: float(factor) for pattern, factor in given.items()}


def learning_rate_state(kind: str, learning_rate: LearningRate | None) -> Any:
    """A function as it is, a float as an array of one number; ValueError for anything else,
    integers included.
    """
    if callable(learning_rate):
        return learning_rate
    if isinstance(learning_rate, float | np.floating):
        return np.array(checked_rate(kind, float(learning_rate)))
    raise ValueError(
        f"{kind}: learning_rate must be a float, a LearningRateSchedule or a function, "
        f"got {learning_rate!r}; write an integer as a float (1 as 1.0)"
    )


def checked_rate(name: str, rate: float) -> float:
    """`rate`; raises ValueError if it is negative, which would make the loss grow,
    infinite or NaN. 0 changes no weight.
    """
    if not 0 <= rate < float("inf"):
        raise ValueError(f"{name}: the learning rate must be at least 0, and finite, got {rate!r}")
    return rate
