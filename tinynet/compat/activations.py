"""Activations of Keras 1 and 2: those of today, but for the slope of the hard sigmoid."""

from typing import Any

from tinynet import activations, ops
from tinynet.autograd import composition
from tinynet.registry import register_keras_serializable


@register_keras_serializable("keras2", "legacy_hard_sigmoid")
@composition
def hard_sigmoid(x: Any) -> Any:
    """0 below -2.5, 1 above 2.5, 0.2 x + 0.5 between; today the slope is 1/6."""
    return ops.clip(x * 0.2 + 0.5, 0.0, 1.0)


def get(identifier: Any) -> Any:
    """The function meant by a name, a configuration, a function, or None."""
    return hard_sigmoid if identifier == "hard_sigmoid" else activations.get(identifier)
