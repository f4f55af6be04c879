"""The table of optimizers: one line for every class, and one more for every form of its rule.

    case(optimizers.Lion, lion, beta_1=0.8)         settings under which every part of the formula shows

A formula is the published one, written down again in float64: formula(w, g, s, t, rate, **settings) is the
next w, where s holds the slots by names of its own, each 0 in the beginning, t counts updates from 1, and
rate is the learning rate of the day.

Every case is run by test_cases.py (values with all settings that optimizers share, dtypes, shapes, replay,
configuration, resuming) and by test_mutation.py, which plants wrong updates and expects test_cases.py to
notice. An optimizer without a line here fails the suite, and so does a rule of tinynet.kernels.optimizers
that no case runs.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinynet import kernels, optimizers
from tinynet.autograd import Parameter
from tinynet.schedules import InverseTimeDecay

Shapes = list[tuple[int, ...]]


class Case(NamedTuple):
    """An optimizer, its formula and its settings."""

    cls: type[optimizers.Optimizer]
    formula: Callable[..., Any]
    settings: dict[str, Any]

    def __str__(self) -> str:
        return "-".join([self.cls.__name__, *self.settings])

    def make(self, rate: Any = 0.1, **common: Any) -> optimizers.Optimizer:
        return self.cls(rate, **{**self.settings, **common})


CASES: list[Case] = []


def case(cls: type[optimizers.Optimizer], formula: Callable[..., Any], **settings: Any) -> None:
    CASES.append(Case(cls, formula, settings))


def sgd(w, g, s, t, rate, momentum=0.0, nesterov=False):
    s["m"] = momentum * s["m"] - rate * g
    return w + (momentum * s["m"] - rate * g if nesterov else s["m"])


def adagrad(w, g, s, t, rate, initial_accumulator_value, epsilon):
    s["sum"] = s["sum"] + g**2
    return w - rate * g / np.sqrt(s["sum"] + initial_accumulator_value + epsilon)


def rmsprop(w, g, s, t, rate, rho, epsilon, momentum=0.0, centered=False):
    s["v"] = rho * s["v"] + (1 - rho) * g**2
    s["mean"] = rho * s["mean"] + (1 - rho) * g
    s["m"] = momentum * s["m"] + rate * g / np.sqrt(s["v"] - centered * s["mean"] ** 2 + epsilon)
    return w - s["m"]


def adadelta(w, g, s, t, rate, rho, epsilon):
    s["g2"] = rho * s["g2"] + (1 - rho) * g**2
    u = np.sqrt(s["u2"] + epsilon) / np.sqrt(s["g2"] + epsilon) * g
    s["u2"] = rho * s["u2"] + (1 - rho) * u**2
    return w - rate * u


def adam(w, g, s, t, rate, beta_1, beta_2, epsilon, amsgrad=False):
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["v"] = beta_2 * s["v"] + (1 - beta_2) * g**2
    s["peak"] = np.maximum(s["peak"], s["v"])
    alpha = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - alpha * s["m"] / (np.sqrt(s["peak"] if amsgrad else s["v"]) + epsilon)


def adamax(w, g, s, t, rate, beta_1, beta_2, epsilon):
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["u"] = np.maximum(beta_2 * s["u"], np.abs(g))
    return w - rate / (1 - beta_1**t) * s["m"] / (s["u"] + epsilon)


def nadam(w, g, s, t, rate, beta_1, beta_2, epsilon):
    mu = [beta_1 * (1 - 0.5 * 0.96**k) for k in range(1, t + 2)]  # of steps 1 ... t + 1
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["v"] = beta_2 * s["v"] + (1 - beta_2) * g**2
    m = mu[t] * s["m"] / (1 - np.prod(mu)) + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
    return w - rate * m / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)


def lion(w, g, s, t, rate, beta_1, beta_2):
    direction = np.sign(beta_1 * s["m"] + (1 - beta_1) * g)
    s["m"] = beta_2 * s["m"] + (1 - beta_2) * g
    return w - rate * direction


BETAS = {"beta_1": 0.8, "beta_2": 0.7}
MOMENTS = {**BETAS, "epsilon": 0.01}
RMS = {"rho": 0.8, "epsilon": 0.01}

# fmt: off
case(optimizers.SGD, sgd)
case(optimizers.SGD, sgd, momentum=0.8)
case(optimizers.SGD, sgd, momentum=0.8, nesterov=True)
case(optimizers.Adadelta, adadelta, **RMS)
case(optimizers.Adagrad, adagrad, initial_accumulator_value=0.2, epsilon=0.01)
case(optimizers.Adam, adam, **MOMENTS)
case(optimizers.Adam, adam, **MOMENTS, amsgrad=True)
case(optimizers.AdamW, adam, **MOMENTS)
case(optimizers.Adamax, adamax, **MOMENTS)
case(optimizers.Lion, lion, **BETAS)
case(optimizers.Nadam, nadam, **MOMENTS)
case(optimizers.RMSprop, rmsprop, **RMS)
case(optimizers.RMSprop, rmsprop, **RMS, momentum=0.7)
case(optimizers.RMSprop, rmsprop, **RMS, centered=True)
case(optimizers.RMSprop, rmsprop, **RMS, momentum=0.7, centered=True)
# fmt: on

# What all optimizers share: each alone, then together.
DAILY = InverseTimeDecay(0.1, 1, 0.5)
COMMON: dict[str, dict[str, Any]] = {
    "plain": {},
    "schedule": {"rate": DAILY},
    "decay": {"weight_decay": 0.3},
    "clipvalue": {"clipvalue": 0.5},
    "clipnorm": {"clipnorm": 0.7},
    "global clipnorm": {"global_clipnorm": 0.9},
    "averages": {"use_ema": True, "ema_momentum": 0.7},
    "averages that overwrite": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
    "collected": {"gradient_accumulation_steps": 2},
    "scaled": {"loss_scale_factor": 3.0},
    "multiplied": {"learning_rate_multipliers": {"w[15]": 2.0, "5": 9.0, "0": 0.0}, "weight_decay": 0.3},
    "everything": {
        "rate": DAILY, "weight_decay": 0.2, "clipnorm": 0.8,
        "use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2,
        "gradient_accumulation_steps": 3, "loss_scale_factor": 2.0,
        "learning_rate_multipliers": {"w[15]": 0.5},
    },
}  # fmt: skip

FEW = [(3, 2), (), (0, 2), (1,)]
SHAPES = [*FEW, (2, 3, 1, 2), (101, 90)]  # the last one is cut into several rows
WAYS = ("sweep", "one by one", "reference")


def numbers(shapes: Shapes, seed: int = 3) -> tuple[list[Any], list[list[Any]]]:
    """The first values of variables, and gradients for every call: of sizes that grow and shrink, one element
    always 0."""
    rng = np.random.default_rng(seed)
    sizes = [1.0, 2.0, 0.1, 0.5, 1.5, 0.2, 1.0]
    start = [rng.normal(size=shape) for shape in shapes]
    gradients = [[np.asarray(rng.normal(size=shape) * size) for shape in shapes] for size in sizes]
    for first, *_ in gradients:
        first.flat[1] = 0
    return start, gradients


def run(case: Case, way: str, dtype: str, shapes: Shapes = SHAPES, **common: Any) -> list[list[Any]]:
    """The weights after every call of `apply`, as tinynet computes them in one of the WAYS."""
    start, gradients = numbers(shapes)
    variables = [Parameter(np.array(w, dtype), name=f"w{i}") for i, w in enumerate(start)]
    made = case._replace(cls=by_itself(case.cls)) if way == "one by one" else case
    optimizer, seen = made.make(**common), []
    with kernels.use("optimizers", "numpy" if way == "reference" else "numba"):
        for gs in gradients:
            optimizer.apply([np.array(g, dtype) for g in gs], variables)
            seen.append([variable.numpy() for variable in variables])
    optimizer.finalize_variable_values(variables)
    return [*seen, [variable.numpy() for variable in variables]]


def by_itself(cls: type[optimizers.Optimizer]) -> Any:
    """A subclass that is asked variable by variable."""

    def update_step(self, gradient, variable, learning_rate):
        cls.update_step(self, gradient, variable, learning_rate)

    return type(cls.__name__, (cls,), {"update_step": update_step})


def expected(
    case: Case, shapes: Shapes = SHAPES, *, rate: Any = 0.1, weight_decay: float | None = None,
    clipvalue: float | None = None, clipnorm: float | None = None, global_clipnorm: float | None = None,
    use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
    gradient_accumulation_steps: int = 1,
    loss_scale_factor: float = 1.0, learning_rate_multipliers: Any = None,
) -> list[list[Any]]:  # fmt: skip
    """The same by the formula, in float64 and in Keras's order, and with `finalize_variable_values` at the
    end."""
    weights, gradients = numbers(shapes)
    if weight_decay is None:
        weight_decay = 0.004 if case.cls is optimizers.AdamW else 0.0
    slots: list[dict[str, Any]] = [defaultdict(float) for _ in weights]
    factors = [multiplier(f"w{i}", learning_rate_multipliers or {}) for i in range(len(weights))]
    means, sums, seen, n = list(weights), [0.0 * w for w in weights], [], gradient_accumulation_steps
    for call, gs in enumerate(gradients):
        eta = rate if isinstance(rate, float) else rate(call)
        sums = [total + g / loss_scale_factor for total, g in zip(sums, gs, strict=True)]
        if (call + 1) % n == 0:
            clipped = shortened([total / n for total in sums], clipvalue, clipnorm, global_clipnorm)
            weights = [w * (1 - eta * weight_decay) for w in weights]
            t, steps = (call + 1) // n, zip(weights, clipped, slots, factors, strict=True)
            weights = [
                np.asarray(case.formula(w, g, s, t, eta * by, **case.settings)) for w, g, s, by in steps
            ]
            sums = [0.0 * w for w in weights]
        if use_ema:
            mu = ema_momentum if call // n else 0.0
            means = [mu * mean + (1 - mu) * w for mean, w in zip(means, weights, strict=True)]
            if ema_overwrite_frequency and (call // n + 1) % ema_overwrite_frequency == 0:
                weights = means
        seen.append(weights)
    return [*seen, means if use_ema else weights]


def multiplier(name, given):
    """The factor of the first of the characters in brackets, or of the character, that the name has."""
    return next((by for pattern, by in given.items() if set(pattern.strip("w[]")) & set(name)), 1.0)


def shortened(gs, clipvalue, clipnorm, global_clipnorm):
    """Gradients as the one limit that is set leaves them."""
    if clipvalue:
        return [np.clip(g, -clipvalue, clipvalue) for g in gs]
    squares = [np.square(g).sum() for g in gs]
    if clipnorm:
        pairs = zip(gs, np.sqrt(squares), strict=True)
        return [g if length <= clipnorm else g * clipnorm / length for g, length in pairs]
    if global_clipnorm and sum(squares) > global_clipnorm**2:
        return [g * global_clipnorm / np.sqrt(sum(squares)) for g in gs]
    return gs


def check(case: Case, way: str, dtype: str = "float64", shapes: Shapes = SHAPES, **common: Any) -> None:
    """Raises AssertionError where tinynet's weights are not those of the formula."""
    tolerance = 1e-10 if dtype == "float64" else 2e-5
    found, wanted = run(case, way, dtype, shapes, **common), expected(case, shapes, **common)
    for call, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == dtype
            message = f"{case}, {way}, after call {call + 1}"
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=message)
