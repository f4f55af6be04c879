"""Activation functions with Keras's names and signatures, and their lookup.
The mathematics is in `tinynet.ops`.

At its kink, relu (and what is built on it) has the derivative on the left;
at a bound, what is clipped has the one inside.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import missing_names, ops, registry
from tinynet.autograd import composition
from tinynet.ops.settings import existing, floats, number

missing_names.namespace(__name__)


def linear(x: Any) -> Any:
    """x: what no activation means."""
    return x


# Piecewise linear


@composition
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0), or in general x above `threshold`, negative_slope (x - threshold) below it,
    and at most `max_value`.

    >>> activations.relu([-2.0, 0.5, 9.0], negative_slope=0.1, max_value=6.0)
    array([-0.2,  0.5,  6. ], dtype=float32)
    """
    if max_value is None and threshold == 0:
        return ops.leaky_relu(x, negative_slope=negative_slope) if negative_slope else ops.relu(x)
    y = ops.where(x > threshold, x, 0.0) if threshold else ops.relu(x)
    if max_value is not None:
        y = ops.clip(y, x_min=0.0, x_max=float(max_value))
    if not negative_slope:
        return y
    return y - negative_slope * ops.relu(threshold - x)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return relu(x, max_value=6.0)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """max(x, negative_slope x); the layer LeakyReLU has another default, 0.3."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


@composition
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2 within 0 .. 1 (Keras 2 had the slope 1/5)."""
    return ops.clip(x / 6.0 + 0.5, x_min=0.0, x_max=1.0)


@composition
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 within 0 .. 1: the sigmoid that belongs to sparsemax."""
    return ops.clip(x * 0.5 + 0.5, x_min=0.0, x_max=1.0)


def hard_tanh(x: Any) -> Any:
    """x within -1 .. 1."""
    return ops.clip(x, x_min=-1.0, x_max=1.0)


@composition
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| > threshold, else 0."""
    (x,) = floats(x)
    return ops.where(ops.abs(x) > threshold, x, 0.0)


@composition
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x drawn towards 0 by `threshold`, and 0 where |x| is no larger than that.

    >>> activations.soft_shrink([-0.25, 0.75])
    array([0.  , 0.25], dtype=float32)
    """
    threshold = number("soft_shrink", "threshold", threshold)
    return x - ops.clip(x, x_min=-threshold, x_max=threshold)


@composition
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where x > threshold, else default_value."""
    return ops.where(x > threshold, x, default_value)


# Smooth


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x >= 0, else alpha (e^x - 1), alpha >= 0."""
    return ops.elu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return ops.selu(x)


@composition
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x >= 0, else alpha (e^(x / alpha) - 1), alpha > 0:
    an elu with a continuous derivative (Barron, 2017).
    """
    return ops.elu(x / alpha) * alpha


def exponential(x: Any) -> Any:
    """e^x."""
    return ops.exp(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return ops.sigmoid(x)


@composition
def log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + e^-x)) = -softplus(-x)."""
    (x,) = floats(x)
    return -ops.softplus(-x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent of x."""
    return ops.tanh(x)


@composition
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return x - ops.tanh(x)


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return ops.softplus(x)


@composition
def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)^2 / 4 up to 1, x from there on: the integral of sparse_sigmoid."""
    return ops.where(x < 1.0, ops.square(sparse_sigmoid(x)), x)


@composition
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2: with b = 0 it is relu."""
    (x,) = floats(x)
    return (x + ops.sqrt(ops.square(x) + b)) * 0.5


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return ops.softsign(x)


# The input times a step


def gelu(x: Any, approximate: bool = False) -> Any:
    """x Phi(x), Phi the normal distribution function;
    `approximate` writes it with tanh (Hendrycks & Gimpel, 2016).
    """
    return ops.gelu(x, approximate=approximate)


def silu(x: Any) -> Any:
    """x sigmoid(x), also called swish."""
    return ops.silu(x)


@composition
def hard_silu(x: Any) -> Any:
    """x hard_sigmoid(x), also called hard_swish."""
    return _bounded(x) * hard_sigmoid(x)


@composition
def mish(x: Any) -> Any:
    """x tanh(softplus(x)) (Misra, 2019)."""
    return _bounded(x) * ops.tanh(ops.softplus(x))


def _bounded(x: Any) -> Any:
    """x from where a step still is 0: minus infinity times 0 would be no number."""
    return ops.clip(x, x_min=-1e4, x_max=float("inf"))


@composition
def glu(x: Any, axis: int = -1) -> Any:
    """a sigmoid(b), with a and b the two halves of x along `axis` (Dauphin et al., 2016);
    ValueError for an odd size.

    >>> activations.glu(np.array([2.0, 3.0, 0.0, 0.0]))
    array([1. , 1.5])
    """
    (x,) = floats(x)
    if x.shape[existing("glu", axis, x)] % 2:
        raise ValueError(
            f"glu: the axis {axis} is split into halves, its size must be even, "
            f"got an input of shape {x.shape}"
        )
    a, b = ops.split(x, 2, axis=axis)
    return a * ops.sigmoid(b)


# Along an axis


def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """e^x / sum e^x along `axis` (over several, if it is a tuple), shifted by the maximum of each row.

    >>> activations.softmax([[1.0, 1.0, -1000.0]])
    array([[0.5, 0.5, 0. ]], dtype=float32)
    """
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """x - log sum e^x along `axis`, or over several."""
    return ops.log_softmax(x, axis=axis)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point nearest to x whose elements along `axis` are not negative and
    have sum 1 (Martins & Astudillo, 2016).
    """
    return ops.sparsemax(x, axis=axis)


swish, hard_swish = silu, hard_silu

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        linear, relu, relu6, leaky_relu, hard_sigmoid, sparse_sigmoid, hard_tanh, hard_shrink, soft_shrink,
        threshold, elu, selu, celu, exponential, sigmoid, log_sigmoid, tanh, tanh_shrink, softplus,
        sparse_plus, squareplus, softsign, gelu, silu, hard_silu, mish, glu, softmax, log_softmax, sparsemax,
    )
}  # fmt: skip
_NAMES = {**_FUNCTIONS, "swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Callable[..., Any]:
    """The function meant by `identifier`: a name, a configuration, a callable (as it is) or None (`linear`);
    else ValueError.

    >>> activations.get("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        identifier = registry.find(identifier, _NAMES, "activation")
        return identifier() if isinstance(identifier, type) else identifier
    if isinstance(identifier, Mapping):
        return registry.from_config(identifier, _NAMES, "activation")
    if callable(identifier):
        return identifier
    raise registry.unknown(identifier, "activation")


def serialize(activation: Callable[..., Any]) -> Any:
    """What `get` finds an activation by: the name of one of tinynet's, the configuration of a registered
    function or of an object that has one; raises ValueError for other functions.

    >>> activations.serialize(activations.relu)
    'relu'
    """
    name = getattr(activation, "__name__", repr(activation))
    if _FUNCTIONS.get(name) is activation:
        return name
    described = registry.describe(activation)
    if isinstance(described, Mapping):
        return described
    raise ValueError(
        f"activation {name!r} is not one of tinynet's and cannot be stored by name; decorate it with "
        "register_keras_serializable()"
    )


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The activation that `serialize` described by `config`; `custom_objects`: {name: object} of one's own.

    >>> activations.deserialize("relu") is activations.relu
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
