"""Formulas: operations and updates of a line or two, as text. The page shows them, computes with them
(web/formula.js) and hands them out as Python. Names are those of inputs and settings; g is the gradient of y.
"""

import re
from collections.abc import Mapping
from typing import Any

from tinynet.kernels.activations.rectifiers import SELU_ALPHA, SELU_SCALE

# {operation: (y, the derivative by the first input, by the second, ...)}
FORMULAS: dict[str, tuple[str, ...]] = {
    "add": ("x1 + x2", "g", "g"),
    "subtract": ("x1 - x2", "g", "-g"),
    "multiply": ("x1 * x2", "g * x2", "g * x1"),
    "divide": ("x1 / x2", "g / x2", "-g * x1 / x2 ** 2"),
    "power": ("x1 ** x2", "g * x2 * x1 ** (x2 - 1)"),
    "maximum": ("maximum(x1, x2)",),
    "minimum": ("minimum(x1, x2)",),
    "negative": ("-x", "-g"),
    "cast": ("x", "g"),
    "copy": ("x", "g"),
    "abs": ("abs(x)", "g * sign(x)"),
    "square": ("x * x", "g * 2 * x"),
    "sqrt": ("sqrt(x)", "g / (2 * y)"),
    "exp": ("exp(x)", "g * y"),
    "log": ("log(x)", "g / x"),
    "clip": ("minimum(maximum(x, x_min), x_max)", "where((x > x_max) + (x_min > x), 0, g)"),
    "relu": ("maximum(x, 0)", "g * (y > 0)"),
    "leaky_relu": (
        "where(x > 0, x, negative_slope * x)",
        "g * where(x > 0, 1, negative_slope)",
    ),
    "elu": ("where(x > 0, x, alpha * (exp(x) - 1))", "g * where(y > 0, 1, y + alpha)"),
    "selu": (
        f"{SELU_SCALE} * where(x > 0, x, {SELU_ALPHA} * (exp(x) - 1))",
        f"g * where(y > 0, {SELU_SCALE}, y + {SELU_SCALE * SELU_ALPHA})",
    ),
    "sigmoid": ("1 / (1 + exp(-x))", "g * y * (1 - y)"),
    "tanh": ("tanh(x)", "g * (1 - y * y)"),
    "silu": ("x / (1 + exp(-x))", "g / (1 + exp(-x)) * (1 + x / (1 + exp(x)))"),
    "softplus": ("log(1 + exp(x))", "g / (1 + exp(-x))"),
    "softsign": ("x / (1 + abs(x))", "g / (1 + abs(x)) ** 2"),
}
IDENTITY = ("x", "g")

MEAN = "m = m + (1 - beta_1) * (g - m)"
MEAN_OF_SQUARES = "v = v + (1 - beta_2) * (g * g - v)"
RATE = "alpha = learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)"
MOVED = "m = momentum * m - learning_rate * g"

# {rule of an optimizer: (lines, the new weight, the new slots in the rule's order)}
UPDATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sgd": ((), ("w - learning_rate * g",)),
    "sgd_momentum": ((MOVED,), ("w + m", "m")),
    "nesterov": ((MOVED,), ("w + momentum * m - learning_rate * g", "m")),
    "adam": ((RATE, MEAN, MEAN_OF_SQUARES), ("w - alpha * m / (sqrt(v) + epsilon)", "m", "v")),
    "adamax": (
        ("alpha = learning_rate / (1 - beta_1 ** t)", MEAN, "u = maximum(beta_2 * u, abs(g))"),
        ("w - alpha * m / (u + epsilon)", "m", "u"),
    ),
    "nadam": (
        (MEAN, MEAN_OF_SQUARES),
        ("w - alpha * (g + ahead * m) / (sqrt(v_scale * v) + epsilon)", "m", "v"),
    ),
    "lion": (
        ("step = sign(beta_1 * m + (1 - beta_1) * g)",),
        ("w - learning_rate * step", "beta_2 * m + (1 - beta_2) * g"),
    ),
    "adagrad": (("s = s + g * g",), ("w - learning_rate * g / sqrt(s + epsilon)", "s")),
    "rmsprop": (
        ("v = rho * v + (1 - rho) * g * g",),
        ("w - learning_rate * g / sqrt(v + epsilon)", "v"),
    ),
}
# With these a rule is not all that is done to a weight.
HINDRANCES = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor",
    "gradient_accumulation_steps", "constraint",
)  # fmt: skip


def formulas_of(name: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of an operation; of a dense layer or convolution those of what it makes of its sum x."""
    if name == "rectified_convolution":
        return FORMULAS["relu"]
    if name in ("convolution", "dense"):
        activation = settings.get("activation")
        return IDENTITY if activation is None else FORMULAS.get(activation, ())
    return FORMULAS.get(name, ())


def update_of(
    name: str, inputs: list[str], settings: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(lines, new weight and slots) of an update; nothing where these are not all that was done."""
    lines, results = UPDATES.get("nesterov" if settings.get("nesterov") else name, ((), ()))
    said = re.findall(r"\w+", " ".join([*lines, *results]))
    if any(settings.get(one) for one in HINDRANCES) or len(inputs) != len(results) + 1:
        return (), ()
    return (lines, results) if set(inputs) <= set(said) else ((), ())
