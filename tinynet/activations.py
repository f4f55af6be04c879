"""Activation functions with Keras's names and signatures, and their lookup. The mathematics is in `tinynet.ops`."""

from collections.abc import Callable
from typing import Any

from tinynet import lookup, ops


def linear(x: Any) -> Any:
    """x: what no activation means."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0), or in general x above `threshold`, negative_slope (x - threshold) below it, and at most `max_value`.

    Where a threshold or a maximum is set, the derivative at the kink itself is that of the lower side.
    """
    if max_value is None and threshold == 0:
        return ops.leaky_relu(x, negative_slope=negative_slope) if negative_slope else ops.relu(x)
    y = ops.where(x > threshold, x, 0.0)
    if max_value is not None:
        y = ops.clip(y, low=0.0, high=max_value)
    return y - negative_slope * ops.relu(threshold - x) if negative_slope else y


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """max(x, negative_slope x); the layer LeakyReLU has another default, 0.3."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x >= 0, else alpha (e^x - 1)."""
    return ops.elu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return ops.selu(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return ops.sigmoid(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(x)


def softmax(x: Any, axis: int = -1) -> Any:
    """e^x / sum e^x along `axis`, shifted by the maximum of each row."""
    return ops.softmax(x, axis=axis)


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return ops.softsign(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x Phi(x), Phi the normal distribution function; `approximate` writes it with tanh (Hendrycks & Gimpel, 2016)."""
    return ops.gelu(x, approximate=approximate)


def silu(x: Any) -> Any:
    """x sigmoid(x), also called swish."""
    return ops.silu(x)


swish = silu

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        linear, relu, leaky_relu, elu, selu, sigmoid, tanh, softmax, softplus, softsign, gelu, silu,
    )
}  # fmt: skip
_NAMES = {**_FUNCTIONS, "swish": silu}


def get(identifier: Any) -> Callable[..., Any]:
    """The function meant by a name, a callable (returned as it is) or None (`linear`); ValueError for anything else."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return lookup.find(identifier, _NAMES, "activation")
    if callable(identifier):
        return identifier
    raise lookup.unknown(identifier, "activation")


def serialize(activation: Callable[..., Any]) -> str:
    """The name under which `get` finds an activation; raises ValueError for functions of one's own."""
    name = getattr(activation, "__name__", repr(activation))
    if _FUNCTIONS.get(name) is not activation:
        raise ValueError(f"activation {name!r} is not one of tinynet's and cannot be stored by name")
    return name
