"""The base class of schedules."""

from tinynet.signature import Configured


class LearningRateSchedule(Configured):
    """Base class: a schedule is called with the step and returns the learning rate of that step.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** (step // 100)
    >>> Halving()(250)
    0.025
    """

    def __call__(self, step: int) -> float:
        raise TypeError(
            f"{type(self).__name__} must define __call__(self, step), which returns that step's learning rate"
        )


def check_positive(kind: str, name: str, value: float) -> None:
    """Raises ValueError for a number of steps that is not positive."""
    if not value > 0:
        raise ValueError(f"{kind}: {name} must be positive, got {value}")
