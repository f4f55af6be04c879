"""The base class of schedules."""

from collections.abc import Mapping
from typing import Any

from tinynet import lookup, signature


class LearningRateSchedule:
    """Base class: a schedule is called with the step and returns the learning rate of that step."""

    def __call__(self, step: int) -> float:
        raise TypeError(f"{type(self).__name__} must define __call__(self, step), which returns that step's learning rate")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> "LearningRateSchedule":
        """The schedule that `get_config` described."""
        with lookup.custom_object_scope(custom_objects or {}):
            return cls(**config)

    __repr__ = signature.call_repr


def check_positive(kind: str, name: str, value: float) -> None:
    """Raises ValueError for a number of steps that is not positive."""
    if not value > 0:
        raise ValueError(f"{kind}: {name} must be positive, got {value}")
