"""Learning-rate schedules: functions of the step k, which is 0 at the first update.

    optimizer = SGD(ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.5))

Also found at `tinynet.optimizers.schedules`, Keras's address. Values are computed in double precision; an
update rounds them to the dtype of its variable. An optimizer that collects gradients over several calls
counts every call.
"""

from collections.abc import Mapping
from typing import Any

from tinynet import missing_names, registry
from tinynet.schedules.base import LearningRateSchedule
from tinynet.schedules.cosine import CosineDecay, CosineDecayRestarts
from tinynet.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from tinynet.schedules.one_cycle import OneCycle

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

missing_names.namespace(__name__)

_CLASSES = {
    cls.__name__: cls
    for cls in (
        CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, OneCycle,
        PiecewiseConstantDecay, PolynomialDecay
    )
}  # fmt: skip


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The description of a `learning_rate_schedule`: a dictionary with its "class_name" and "config".

    >>> schedules.serialize(ExponentialDecay(0.1, 100, 0.5))["class_name"]
    'ExponentialDecay'
    """
    return registry.to_config(learning_rate_schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """The schedule that `serialize` described by `config`; `custom_objects`: {name: class} of one's own.

    >>> schedules.deserialize({"class_name": "ExponentialDecay", "config": {
    ...     "initial_learning_rate": 0.1, "decay_steps": 100, "decay_rate": 0.5}})(100)
    0.05
    """
    with registry.custom_object_scope(custom_objects or {}):
        return registry.from_config(config, _CLASSES, "schedule")
