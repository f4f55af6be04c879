"""Activations that an operation applies in its own pass: what layers with an activation share."""

from typing import Any, ClassVar

from tinynet import activations
from tinynet.layers import arguments
from tinynet.layers.base import Layer


class Activated(Layer):
    """A layer y = activation(z), whose operation computes z, and y too where it knows the activation.

    >>> class Sums(Activated):
    ...     _fused_names = ("relu",)
    ...
    ...     def call(self, x):
    ...         z = ops.linear(x, self.kernel, activation=self.fused())
    ...         return self.activated(z)
    """

    _fused_names: ClassVar[tuple[str, ...]] = ()  # of the activations that the operation knows
    _read_when_set: ClassVar = {**Layer._read_when_set, "activation": arguments.activation}
    activation: Any

    def fused(self) -> str | None:
        """The name of the activation, for an operation that applies it in its own pass;
        None if it does not.
        """
        name = getattr(self.activation, "__name__", None)
        return name if name in self._fused_names and self.activation is getattr(activations, name) else None

    def activated(self, z: Any) -> Any:
        """The activation of what the operation gave, or that itself,
        which has been through `fused` already.
        """
        return z if self.activation is activations.linear or self.fused() is not None else self.activation(z)
