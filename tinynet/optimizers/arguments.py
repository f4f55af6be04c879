"""Arguments that every optimizer takes, and their checks."""

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import numpy as np

from tinynet.schedules import LearningRateSchedule

LearningRate = float | LearningRateSchedule | Callable[[], float]

_TODAY = {
    "lr": "it is spelled learning_rate",
    "decay": "use learning_rate=InverseTimeDecay(rate, 1, decay), which is what it meant",
    "schedule_decay": "Nadam's momentum schedule is fixed",
}


class Common(TypedDict, total=False):
    """What an optimizer takes after its own arguments; `Optimizer` says what they mean."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    name: str | None


def refuse_unknown(kind: str, unknown: Mapping[str, Any]) -> None:
    """Raises ValueError for arguments that do not exist, with today's spelling of those that once did."""
    if unknown:
        hints = "; ".join(f"{name!r}: {_TODAY[name]}" for name in unknown if name in _TODAY)
        raise ValueError(f"{kind}: Argument(s) not recognized: {sorted(unknown)}" + (f" ({hints})" if hints else ""))


def check_clips(kind: str, **limits: float | None) -> None:
    """Raises ValueError for a limit that is not positive, or for more than one of them."""
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) > 1:
        raise ValueError(f"{kind}: only one of {', '.join(limits)} can be set, got {given}")
    if any(limit <= 0 for limit in given.values()):
        raise ValueError(f"{kind}: a clipping limit must be positive, got {given}")


def learning_rate_state(kind: str, learning_rate: LearningRate) -> Any:
    """A function as it is, a float as an array of one number; ValueError for anything else, integers included."""
    if callable(learning_rate):
        return learning_rate
    if isinstance(learning_rate, float | np.floating):
        return np.array(float(learning_rate))
    raise ValueError(
        f"{kind}: learning_rate must be a float, a LearningRateSchedule or a function, got {learning_rate!r}; "
        "write an integer as a float (1 as 1.0)"
    )
