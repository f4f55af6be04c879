"""What an optimizer remembers from step to step: the number of steps, the learning rate,
and arrays for every variable.

Its order is Keras's: iteration, learning rate, averages of the weights,
collected gradients, the slots of the rule.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynet import initializers, schedules
from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import allocations, config, device
from tinynet.kernels.common import xp
from tinynet.kernels.launches import not_repeatable
from tinynet.ops.placing import move
from tinynet.optimizers.arguments import LearningRate, checked_rate, learning_rate_state


class Rate(float):
    """A learning rate as it was when it was read: a float,
    and `optimizer.learning_rate.assign(x)` sets the next one.
    """

    _optimizer: Any

    def __new__(cls, value: float, optimizer: Any) -> "Rate":
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def __reduce__(self) -> Any:
        return float, (float(self),)  # a copy belongs to no optimizer

    def assign(self, value: Any) -> None:
        """Sets the optimizer's learning rate."""
        self._optimizer.learning_rate = value

    def numpy(self) -> np.ndarray:
        """An array of shape ()."""
        return np.array(float(self))

    @property
    def value(self) -> Tensor:
        """A Tensor of shape (), as the variable that it is in Keras has it."""
        return Tensor(np.array(float(self), np.float32), name="learning_rate")


class OptimizerState:
    """Base of `Optimizer`: variables, slots, learning rate; how they are read, restored and copied."""

    name: str

    def __init__(self, learning_rate: LearningRate | None) -> None:
        self._iterations = np.array(0)
        self._learning_rate = learning_rate_state(type(self).__name__, learning_rate)
        self._trainable_variables: list[Parameter] = []
        self._slots_by_id: dict[int, list[Any]] = {}  # id of a variable: its slots
        self._weight_averages: list[Any] = []  # of the variables, one each; empty if they are not kept
        self._accumulated_gradients: list[Any] = []  # of their gradients, likewise
        self._state_variables: list[Tensor] = []  # all of these arrays, in the order they were added
        self._sweeps_by_key: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: the slots variable by variable,
        since a copy's variables have other ids; no sweeps.
        """
        return {
            **vars(self),
            "_slots_by_id": [self._slots_by_id[id(variable)] for variable in self._trainable_variables],
            "_sweeps_by_key": {},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        slots = [id(variable) for variable in state["_trainable_variables"]], state["_slots_by_id"]
        vars(self).update({**state, "_slots_by_id": dict(zip(*slots, strict=True))})

    # ---- learning rate

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next update, a float that has `assign`; or assign the attribute itself.

        A schedule cannot be assigned a number, only another schedule or function: TypeError.
        """
        not_repeatable("reads the learning rate, which may be another at each step")
        return Rate(self._next_rate(), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._learning_rate = value
        elif callable(self._learning_rate):
            raise TypeError(
                f"{self.name}: the learning rate is a schedule ({type(self._learning_rate).__name__}) "
                "and cannot be set to "
                f"{value!r}; assign another schedule, or create the optimizer with a float"
            )
        else:
            number = as_raw(value)
            number = number if hasattr(number, "dtype") else np.asarray(number)
            if number.ndim or number.dtype.kind not in "iuf":
                raise ValueError(f"{self.name}: the learning rate must be a number, got {value!r}")
            self._learning_rate[...] = checked_rate(self.name, float(device.to_host(number)))

    lr = property(
        lambda self: self.learning_rate,
        lambda self, value: setattr(self, "learning_rate", value),
        doc="The same as `learning_rate`, to read and to assign.",
    )

    def _next_rate(self) -> float:
        """Schedules count every call of `apply`, also those that only collect gradients."""
        rate = self._learning_rate
        if isinstance(rate, schedules.LearningRateSchedule):
            return float(rate(int(self._iterations)))
        return float(rate() if callable(rate) else rate)

    # ---- arrays

    @property
    def built(self) -> bool:
        """Whether the variables, and with them the slots, are known."""
        return bool(self._trainable_variables)

    def build(self, variables: Iterable[Parameter]) -> None:
        """Sets the variables, once; rules make their slots here. The first `apply` calls it."""
        self._trainable_variables = list(variables)
        if len({id(variable) for variable in self._trainable_variables}) < len(self._trainable_variables):
            raise ValueError(
                f"{self.name}: a variable is given more than once; add its gradients up and give it once"
            )
        self._slots_by_id = {id(variable): [] for variable in self._trainable_variables}
        self._state_variables = []
        self._sweeps_by_key = {}

    def _add_slots(self, *names: str, start: float = 0.0) -> None:
        """Gives every variable one more array per name, of its shape and dtype, filled with `start`."""
        for variable in self._trainable_variables:
            self._slots_by_id[id(variable)] += [self._new_array(variable, name, start) for name in names]

    def _new_array(self, variable: Parameter, name: str, start: float = 0.0) -> Any:
        allocations.array(variable.shape)
        array = xp(variable.data).full_like(variable.data, start)
        self._state_variables.append(Parameter(array, trainable=False, name=f"{variable.name}_{name}"))
        return array

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Tensor:
        """A new variable `name` of this shape and dtype (None: `config.floatx()`) that the optimizer keeps.

        initializer   what it begins as;  aggregation, layout   say nothing on one machine
        """
        make: Any = initializers.get(initializer)
        value = allocations.weight(make, tuple(shape), np.dtype(dtype or config.floatx()))
        self._state_variables.append(Parameter(as_raw(value), trainable=False, name=name or "variable"))
        return self._state_variables[-1]

    def add_variable_from_reference(
        self, reference_variable: Parameter, name: str | None = None, initializer: Any = "zeros"
    ) -> Tensor:
        """A new variable `name` of the shape and dtype of reference_variable,
        which begins as `initializer` says.
        """
        array = self._new_array(reference_variable, name or "var")
        if initializer != "zeros":
            start: Any = initializers.get(initializer)
            array[...] = as_raw(start(array.shape, dtype=array.dtype))
        return self._state_variables[-1]

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Parameter], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """A list of such variables, one for each of trainable_variables;
        with several names (and initializers), as many lists.

        initializer   what they begin as, one for all or one for each name
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, list | tuple) else [initializer] * len(names)
        lists: list[list[Tensor]] = [[] for _ in names]
        for variable in trainable_variables:
            for one, start, into in zip(names, starts, lists, strict=True):
                into.append(self.add_variable_from_reference(variable, one, start))
        return lists[0] if isinstance(name, str) else lists

    def assign(self, variable: Tensor, value: Any) -> None:
        """variable <- value; with `assign_add` and `assign_sub`,
        for an `update_step` written as Keras's are.
        """
        variable.assign(value)

    def assign_add(self, variable: Tensor, value: Any) -> None:
        """variable <- variable + value"""
        variable.assign(variable.data + as_raw(value))

    def assign_sub(self, variable: Tensor, value: Any) -> None:
        """variable <- variable - value"""
        variable.assign(variable.data - as_raw(value))

    def _get_variable_index(self, variable: Parameter) -> int:
        return [id(one) for one in self._trainable_variables].index(id(variable))

    def _slots_of(self, variable: Parameter) -> list[Any]:
        """The arrays kept for `variable`, in the order they were added."""
        return self._slots_by_id[id(variable)]

    def to_device(self, name: str) -> None:
        """Moves the arrays that belong to the variables to the device `name`. The numbers of a step, which
        are in attributes too, stay on the host: that is where it computes them.
        """
        numbers = {id(value) for value in vars(self).values() if isinstance(value, np.ndarray)}
        moved = move([one for one in self._state_variables if id(one._data) not in numbers], name)

        def there(arrays: list[Any]) -> list[Any]:
            return [moved.get(id(array), (array,))[0] for array in arrays]

        self._slots_by_id = {key: there(slots) for key, slots in self._slots_by_id.items()}
        self._weight_averages = there(self._weight_averages)
        self._accumulated_gradients = there(self._accumulated_gradients)
        self._sweeps_by_key = {}

    @property
    def variables(self) -> list[Tensor]:
        """The state in Keras's order: iteration, learning rate (unless it is a schedule), then the arrays."""
        numbers: list[Tensor] = [Parameter(self._iterations, trainable=False, name="iteration")]
        if not callable(self._learning_rate):
            numbers.append(Parameter(self._learning_rate, trainable=False, name="learning_rate"))
        return numbers + self._state_variables

    def get_weights(self) -> list[np.ndarray]:
        """Copies of `variables`."""
        return [np.array(device.to_host(variable.data)) for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Restores `weights`, what `get_weights` returned;
        raises ValueError where number or shapes differ.
        """
        variables = self.variables
        if len(weights) != len(variables):
            hint = "" if self.built else "; call optimizer.build(variables) first, so that its slots exist"
            raise ValueError(f"{self.name}: expected {len(variables)} arrays, got {len(weights)}{hint}")
        values = [device.beside(as_raw(weight), v.data) for v, weight in zip(variables, weights, strict=True)]
        for variable, value in zip(variables, values, strict=True):
            if value.shape != variable.shape:
                raise ValueError(
                    f"{self.name}: {variable.name!r} has shape {variable.shape}, got {value.shape}"
                )
        for variable, value in zip(variables, values, strict=True):
            variable.data[...] = value
