"""Constraints: what a weight is put back to after every update.

    Dense(10, kernel_constraint=MaxNorm(2.0))   # the incoming weights of every unit have at most this length

A constraint is a function w -> w. The norms n are those along `axis`: 0 for Dense's kernel (one norm for each
unit), [0, 1, 2] for Conv2D's (one for each filter). As in Keras the division is by n + 1e-7.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinynet import missing_names, ops, registry, signature
from tinynet.backend import config
from tinynet.backend.changes import Counted

missing_names.namespace(__name__)


class Constraint(signature.Configured, Counted):
    """Base class; subclasses define __call__(self, w), which returns the weights to go on with.

    >>> class Rounded(Constraint):
    ...     def __call__(self, w):
    ...         return ops.round(w, 1)
    >>> Rounded()(np.array([0.26]))
    array([0.3])
    """

    def __call__(self, w: Any) -> Any:
        raise TypeError(
            f"{type(self).__name__} must define __call__(self, w), which returns an array of w's shape"
        )


class NonNeg(Constraint):
    """max(w, 0).

    >>> NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: Any) -> Any:
        return ops.relu(w)


class UnitNorm(Constraint):
    """w / n, n along `axis` (an axis, or several in a list).

    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(4)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = _axis(axis)

    def __call__(self, w: Any) -> Any:
        return w / (_norm(w, self.axis) + config.epsilon())


class MaxNorm(Constraint):
    """w min(n, max_value) / n, n along `axis` (an axis, or several in a list).

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15, 2014, section 5.1.

    >>> MaxNorm(1.0, axis=0)(np.array([[3.0, 0.5], [4.0, 0.0]])).round(4)
    array([[0.6, 0.5],
           [0.8, 0. ]])
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value, self.axis = max_value, _axis(axis)

    def __call__(self, w: Any) -> Any:
        n = _norm(w, self.axis)
        return w * (ops.clip(n, x_min=0.0, x_max=float(self.max_value)) / (n + config.epsilon()))


class MinMaxNorm(Constraint):
    """w (rate clip(n, min_value, max_value) + (1 - rate) n) / n:
    with rate < 1 the norm only moves towards the range.

    axis   that of the norms n, or several in a list

    >>> MinMaxNorm(1.0, 2.0)(np.array([[0.0], [0.5]])).round(4)
    array([[0.],
           [1.]])
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, _axis(axis)

    def __call__(self, w: Any) -> Any:
        n = _norm(w, self.axis)
        wanted = (
            self.rate * ops.clip(n, x_min=float(self.min_value), x_max=float(self.max_value))
            + (1 - self.rate) * n
        )
        return w * (wanted / (n + config.epsilon()))


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, Sequence) else axis


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm  # Keras's second names

_NAMES: dict[str, Callable[..., Any]] = {
    "MaxNorm": MaxNorm, "MinMaxNorm": MinMaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "max_norm": MaxNorm,
    "maxnorm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg, "nonneg": NonNeg,
    "unit_norm": UnitNorm,
    "unitnorm": UnitNorm,
}  # fmt: skip


def get(identifier: Any) -> Callable[..., Any] | None:
    """The constraint meant by `identifier`: a name, a config, a class,
    an instance, a function w -> w, or None.

    Raises ValueError for anything else.

    >>> constraints.get("non_neg")
    NonNeg()
    """
    return registry.resolve(identifier, _NAMES, "constraint")


def serialize(constraint: Constraint) -> dict[str, Any]:
    """The description of a `constraint`: a dictionary with its "class_name" and "config".

    >>> constraints.serialize(MaxNorm(3))["config"]
    {'max_value': 3, 'axis': 0}
    """
    return registry.to_config(constraint)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Constraint:
    """The constraint that `serialize` described by `config`; `custom_objects`: {name: class} of one's own.

    >>> constraints.deserialize({"class_name": "MaxNorm", "config": {"max_value": 3}})
    MaxNorm(max_value=3)
    """
    with registry.custom_object_scope(custom_objects or {}):
        return registry.from_config(config, _NAMES, "constraint")
