"""The base class of metrics. Metrics work on plain arrays and record nothing.

class Positives(Metric):                    # a metric of one's own, as one writes it for Keras
    def __init__(self, name="positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add((y_pred > 0.5).sum())

    def result(self):
        return self.count
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinynet import initializers, registry, signature
from tinynet.autograd import as_raw
from tinynet.backend import allocations, config, device
from tinynet.metrics import launched
from tinynet.metrics.variable import Variable


class Metric:
    """Base class: `update_state` takes in a batch, `result` gives the value so far,
    `reset_state` starts anew.

    dtype   of the numbers that it keeps; None: `config.floatx()`
    name    what it is reported under; None: the class in snake case

    `_direction` is "up" where more is better, "down" where less is, None where it is not known. What is kept
    between batches is in variables (`add_variable`), which `reset_state` sets to 0 and `training_state`
    reads; a subclass that keeps it elsewhere defines these two and `restore_training_state`.

    >>> class Positives(Metric):
    ...     def __init__(self, name="positives", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.count = self.add_weight(name="count")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.count.assign_add((y_pred > 0.5).sum())
    ...     def result(self):
    ...         return float(self.count)
    >>> Positives()(np.array([0, 1]), np.array([0.2, 0.7]))
    1.0
    """

    _direction: str | None = None
    _in_logs = True  # whether `fit` and `evaluate` report it; a matrix is read with `result`

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, made in (
            ("update_state", launched.changes),
            ("reset_state", launched.changes),
            ("result", launched.reads),
        ):
            if name in vars(cls):
                setattr(cls, name, made(vars(cls)[name]))

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.name = name or registry.snake_case(type(self).__name__)
        self.dtype = str(np.dtype(dtype or config.floatx()))
        self._variables: dict[str, Variable] = {}
        self._waiting_values: dict[str, Any] = {}  # values of variables that are not made yet

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes in a batch."""
        raise TypeError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """The value over all batches since the last `reset_state`."""
        raise TypeError(f"{type(self).__name__} must define result")

    @launched.changes
    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in self._own_variables().values():
            variable._clear()
        for _, metric in self._inner_metrics():
            metric.reset_state()
        self._waiting_values = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes in a batch and returns the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    _trial_state = property(launched.MetricState, doc="What it holds, to take and to put back.")

    # Variables

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable `name` of this shape and dtype (None:
        the metric's) that belongs to the metric's state.

        initializer   what it begins as; `reset_state` sets it to 0;
                      aggregation   says nothing on one machine
        """
        own, name = self._own_variables(), name or "variable"
        unique = next(n for i in range(len(own) + 1) if (n := f"{name}_{i}" if i else name) not in own)
        allocations.array(tuple(shape))
        made = initializers.get("zeros" if initializer is None else initializer)
        variable = Variable(as_raw(made(tuple(shape), dtype=dtype or self.dtype)), name=unique)  # type: ignore[misc]
        own[unique] = variable
        if unique in self._waiting_values:
            variable.assign(self._waiting_values.pop(unique))
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """`add_variable(shape, initializer, dtype, name=name)`,
        for a single number unless a shape is given.
        """
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of this metric and of those it holds."""
        inner = [variable for _, metric in self._inner_metrics() for variable in metric.variables]
        return [*self._own_variables().values(), *inner]

    def training_state(self) -> dict[str, Any]:
        """What was taken in so far, numbers and NumPy arrays:
        an equal metric's `restore_training_state` goes on from it.
        """
        own = {name: device.to_host(variable.data).copy() for name, variable in self._own_variables().items()}
        return own | {
            f"{place}/{key}": value
            for place, metric in self._inner_metrics()
            for key, value in metric.training_state().items()
        }

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        """Continues from `state`, what `training_state` returned."""
        own, rest = self._own_variables(), dict(state)
        for place, metric in self._inner_metrics():
            metric.restore_training_state(
                {key.removeprefix(f"{place}/"): rest.pop(key) for key in state if key.startswith(f"{place}/")}
            )
        for name in own.keys() & rest.keys():
            own[name].assign(rest.pop(name))
        self._waiting_values = rest  # variables that are made at the first batch, when its shape is known

    def _own_variables(self) -> dict[str, Variable]:
        if "_variables" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}.__init__ must call super().__init__(name=...) first")
        return self._variables

    def _inner_metrics(self) -> Iterator[tuple[str, "Metric"]]:
        """The metrics in the attributes of this one, or in lists and dictionaries there,
        each with the name of its place.
        """
        for name, value in list(vars(self).items()):
            if isinstance(value, Metric):
                yield name, value
            elif isinstance(value, list | tuple | dict) and value and name != "_variables":
                items = value.items() if isinstance(value, dict) else enumerate(value)
                yield from ((f"{name}/{key}", item) for key, item in items if isinstance(item, Metric))

    # Description

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Metric":
        """The metric that `get_config` described by `config`, without its state;
        custom_objects: {name: object} more.
        """
        with registry.custom_object_scope(custom_objects or {}):
            return cls(**config)

    __repr__ = signature.call_repr
