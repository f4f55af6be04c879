"""Regularizers and constraints as functions, with the arguments and defaults of Keras 1 and 2."""

from typing import Any

from tinynet import constraints, regularizers
from tinynet.compat.arguments import by_name
from tinynet.compat.warn import old


def l1(l: float = 0.01) -> Any:  # noqa: E741 - Keras's name
    """l sum |x|."""
    return regularizers.L1(l)


def l2(l: float = 0.01) -> Any:  # noqa: E741 - Keras's name
    """l sum x^2."""
    return regularizers.L2(l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    """l1 sum |x| + l2 sum x^2; today both are 0 unless given."""
    return regularizers.L1L2(l1, l2)


def l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    """Keras 1's name of l1_l2."""
    old("l1l2(...)", f"l1_l2({l1!r}, {l2!r})")
    return regularizers.L1L2(l1, l2)


REGULARIZERS = {
    "L1L2": regularizers.L1L2, "Regularizer": regularizers.Regularizer, "get": regularizers.get, "l1": l1,
    "l1_l2": l1_l2,
    "l2": l2, "serialize": regularizers.serialize, "deserialize": regularizers.deserialize,
}  # fmt: skip
KERAS1_REGULARIZERS = {
    **REGULARIZERS, "L1L2Regularizer": regularizers.L1L2, "activity_l1": l1, "activity_l1l2": l1l2,
    "activity_l2": l2,
    "l1l2": l1l2,
}  # fmt: skip

RENAMED = {"m": "max_value", "low": "min_value", "high": "max_value"}
ORDERS = {
    "MaxNorm": ["max_value", "axis"],
    "MinMaxNorm": ["min_value", "max_value", "rate", "axis"],
    "NonNeg": [],
    "UnitNorm": ["axis"],
}


def constraint(name: str) -> Any:
    """A function that makes the constraint of today's class `name`."""

    def make(*args: Any, **kwargs: Any) -> Any:
        given = {}
        for argument, value in by_name(name, ORDERS[name], args, kwargs).items():
            given[RENAMED.get(argument, argument)] = value
            if argument in RENAMED:
                old(f"{name}({argument}=...)", f"{RENAMED[argument]}={value!r}")
        return getattr(constraints, name)(**given)

    make.__name__ = name
    make.__doc__ = getattr(constraints, name).__doc__
    return make


CONSTRAINTS: dict[str, Any] = {name: constraint(name) for name in ORDERS}
for _then, _today in (
    ("max_norm", "MaxNorm"), ("maxnorm", "MaxNorm"), ("min_max_norm", "MinMaxNorm"), ("non_neg", "NonNeg"),
    ("nonneg", "NonNeg"), ("unit_norm", "UnitNorm"), ("unitnorm", "UnitNorm"),
):  # fmt: skip
    CONSTRAINTS[_then] = CONSTRAINTS[_today]
CONSTRAINTS.update(
    Constraint=constraints.Constraint, get=constraints.get, serialize=constraints.serialize,
    deserialize=constraints.deserialize,
)  # fmt: skip
