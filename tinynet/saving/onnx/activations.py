"""Activations in ONNX: the operators of the standard where it has them, its arithmetic otherwise."""

from typing import Any

from tinynet import activations
from tinynet.layers.base import Layer
from tinynet.saving.onnx.graph import Graph, Value, converts

SIMPLE = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "softsign": "Softsign",
    "exponential": "Exp",
}  # fmt: skip


def activated(g: Graph, layer: Layer, x: str) -> str:
    """The activation function of a layer."""
    function = getattr(layer, "activation", None)
    if function is None or function is activations.linear:
        return x
    name = getattr(function, "__name__", None)
    if name is None or getattr(activations, name, None) is not function:
        raise ValueError(
            f"{layer}: the function {function!r} has no counterpart in ONNX; only tinynet.activations have"
        )
    if name in SIMPLE:
        return g(SIMPLE[name], x)
    if name not in FORMULAS:
        raise ValueError(f"{layer}: the activation {name} has no counterpart in ONNX")
    return FORMULAS[name](g, x)


def clipped(g: Graph, x: str, low: float | None, high: float | None) -> str:
    return g("Clip", x, None if low is None else float(low), None if high is None else float(high))


def _hard_sigmoid(g: Graph, x: str) -> str:
    return clipped(g, g("Add", g("Div", x, 6.0), 0.5), 0.0, 1.0)


def _gelu(g: Graph, x: str) -> str:
    """x (1 + erf(x / sqrt 2)) / 2"""
    return g("Mul", g("Mul", x, 0.5), g("Add", g("Erf", g("Div", x, 2.0**0.5)), 1.0))


def _mish(g: Graph, x: str) -> str:
    return g("Mul", x, g("Tanh", g("Softplus", x)))


FORMULAS: dict[str, Any] = {
    "celu": lambda g, x: g("Celu", x, alpha=1.0),
    "elu": lambda g, x: g("Elu", x, alpha=1.0),
    "gelu": _gelu,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda g, x: g("Mul", x, _hard_sigmoid(g, x)),
    "hard_tanh": lambda g, x: clipped(g, x, -1.0, 1.0),
    "leaky_relu": lambda g, x: g("LeakyRelu", x, alpha=0.2),
    "log_sigmoid": lambda g, x: g("Neg", g("Softplus", g("Neg", x))),
    "log_softmax": lambda g, x: g("LogSoftmax", x, axis=-1),
    "mish": _mish,
    "relu6": lambda g, x: clipped(g, x, 0.0, 6.0),
    "selu": lambda g, x: g("Selu", x),
    "silu": lambda g, x: g("Mul", x, g("Sigmoid", x)),
    "softmax": lambda g, x: g("Softmax", x, axis=-1),
    "tanh_shrink": lambda g, x: g("Sub", x, g("Tanh", x)),
}


@converts("Activation")
def _(g: Graph, layer: Any, x: Value) -> str:
    return activated(g, layer, x.name)


@converts("ReLU")
def _relu(g: Graph, layer: Any, x: Value) -> str:
    """x above the threshold, slope (x - threshold) below, and at most the maximum."""
    slope, threshold, most = float(layer.negative_slope), float(layer.threshold), layer.max_value
    if threshold == 0:
        y = g("LeakyRelu", x.name, alpha=slope) if slope else g("Relu", x.name)
    else:
        low = g("Mul", g("Sub", x.name, threshold), slope) if slope else 0.0
        y = g("Where", g("Greater", x.name, threshold), x.name, low)
    return y if most is None else clipped(g, y, None, most)


@converts("LeakyReLU")
def _leaky(g: Graph, layer: Any, x: Value) -> str:
    return g("LeakyRelu", x.name, alpha=layer.negative_slope)


@converts("RReLU")
def _rrelu(g: Graph, layer: Any, x: Value) -> str:
    """At inference, the mean slope."""
    return g("LeakyRelu", x.name, alpha=(layer.lower + layer.upper) / 2)


@converts("PReLU")
def _prelu(g: Graph, layer: Any, x: Value) -> str:
    return g("PRelu", x.name, g.weight(layer.alpha))


@converts("ELU")
def _elu(g: Graph, layer: Any, x: Value) -> str:
    return g("Elu", x.name, alpha=layer.alpha)


@converts("Softmax")
def _softmax(g: Graph, layer: Any, x: Value) -> str:
    """Over several axes: e^(x - max) over their sum."""
    if isinstance(layer.axis, int):
        return g("Softmax", x.name, axis=layer.axis)
    axes = list(layer.axis)
    e = g("Exp", g("Sub", x.name, g("ReduceMax", x.name, axes, keepdims=1)))
    return g("Div", e, g("ReduceSum", e, axes, keepdims=1))
