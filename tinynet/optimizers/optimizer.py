"""The base class of optimizers: everything but the update rule.

One `apply` does, in Keras's order: drop variables without a gradient, clip, decay the weights, update every variable by
the rule, apply the constraints, count the step.
"""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tinynet import lookup, schedules
from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import device
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.common import xp
from tinynet.optimizers import clipping, sweep
from tinynet.optimizers.arguments import LearningRate, check_clips, learning_rate_state, refuse_unknown


class Optimizer:
    """Base class; a rule is a subclass with, in `build`, its slots (`add_slots`), and either an `update_step` of its own or
    a `kernel` of tinynet.kernels.optimizers and its `scalars`: these update all variables in one sweep (sweep.py).

    learning_rate    a float, a LearningRateSchedule (called with the step), or a function without arguments
    weight_decay     w <- w - w weight_decay learning_rate before each update
    clipnorm         each gradient shortened to this length;  clipvalue: each element cut off;  global_clipnorm: all
                     gradients together shortened to this length (Keras 1's clipnorm); at most one of the three
    """

    kernel: Any = None

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        refuse_unknown(kind, unknown)
        check_clips(kind, clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        self.name = name or lookup.snake_case(kind)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm = global_clipnorm
        self._iterations = np.array(0)
        self._rate = learning_rate_state(kind, learning_rate)
        self._undecayed: tuple[list[Parameter], Any] = ([], None)  # variables, and a pattern of names
        self._trained: list[Parameter] = []
        self._slots: dict[int, list[Any]] = {}  # id of a variable: its slots
        self._state: list[Tensor] = []  # all slots, in the order they were added
        self._sweeps: dict[Any, sweep.Sweep] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: the slots variable by variable, since a copy's variables have other ids; no sweeps."""
        return {**vars(self), "_slots": [self._slots[id(variable)] for variable in self._trained], "_sweeps": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        slots = [id(variable) for variable in state["_trained"]], state["_slots"]
        vars(self).update({**state, "_slots": dict(zip(*slots, strict=True))})

    @property
    def iterations(self) -> int:
        """Number of updates done."""
        return int(self._iterations)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update; it can be assigned at any time, unless it is a schedule."""
        rate = self._rate
        if isinstance(rate, schedules.LearningRateSchedule):
            return float(rate(self.iterations))
        return float(rate() if callable(rate) else rate)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._rate = value
        elif callable(self._rate):
            raise TypeError(
                f"{self.name}: the learning rate is a schedule ({type(self._rate).__name__}) and cannot be set to "
                f"{value!r}; assign another schedule, or create the optimizer with a float"
            )
        else:
            number = as_raw(value)
            if getattr(number, "ndim", 0) or getattr(number, "dtype", np.dtype(type(number))).kind not in "iuf":
                raise ValueError(f"{self.name}: the learning rate must be a number, got {value!r}")
            self._rate[...] = device.to_host(number)

    lr = property(
        lambda self: self.learning_rate,
        lambda self, value: setattr(self, "learning_rate", value),
        doc="The same as `learning_rate`, to read and to assign.",
    )

    @property
    def built(self) -> bool:
        """Whether the variables, and with them the slots, are known."""
        return bool(self._trained)

    def build(self, variables: Iterable[Parameter]) -> None:
        """Takes note of the variables, once and for all; rules add their slots here. The first `apply` calls it."""
        self._trained = list(variables)
        if len({id(variable) for variable in self._trained}) < len(self._trained):
            raise ValueError(f"{self.name}: a variable is given more than once; add its gradients up and give it once")
        self._slots = {id(variable): [] for variable in self._trained}
        self._state = []
        self._sweeps = {}

    def add_slots(self, *names: str, start: float = 0.0) -> None:
        """Gives every variable one more array per name, of its shape and dtype, filled with `start`."""
        for variable in self._trained:
            for name in names:
                array = xp(variable.data).full_like(variable.data, start)
                self._slots[id(variable)].append(array)
                self._state.append(Tensor(array, name=f"{variable.name}_{name}"))

    def slots(self, variable: Parameter) -> list[Any]:
        """The arrays kept for `variable`, in the order they were added."""
        return self._slots[id(variable)]

    @property
    def variables(self) -> list[Tensor]:
        """The state in Keras's order: iteration, learning rate (unless it is a schedule), then the slots."""
        numbers = [Tensor(self._iterations, name="iteration")]
        if not callable(self._rate):
            numbers.append(Tensor(self._rate, name="learning_rate"))
        return numbers + self._state

    def get_weights(self) -> list[np.ndarray]:
        """Copies of `variables`."""
        return [np.array(device.to_host(variable.data)) for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Restores what `get_weights` returned; raises ValueError where number or shapes differ."""
        variables = self.variables
        if len(weights) != len(variables):
            hint = "" if self.built else "; call optimizer.build(variables) first, so that its slots exist"
            raise ValueError(f"{self.name}: expected {len(variables)} arrays, got {len(weights)}{hint}")
        for variable, weight in zip(variables, weights, strict=True):
            value = xp(variable.data).asarray(as_raw(weight))
            if value.shape != variable.shape:
                raise ValueError(f"{self.name}: {variable.name!r} has shape {variable.shape}, got {value.shape}")
            variable.data[...] = value

    def exclude_from_weight_decay(
        self, var_list: Sequence[Parameter] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Weight decay leaves out `var_list` and variables whose name contains a match of a pattern in `var_names`."""
        if self.built:
            raise ValueError(f"{self.name}: exclude_from_weight_decay must be called before the optimizer is built")
        self._undecayed = (list(var_list or ()), re.compile("|".join(var_names)) if var_names else None)

    def excluded(self, variable: Parameter) -> bool:
        """Whether weight decay leaves `variable` out."""
        listed, pattern = self._undecayed
        return any(variable is one for one in listed) or bool(pattern and pattern.search(variable.name or ""))

    # ---- one step

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Parameter] | None = None) -> None:
        """Updates the variables in place by their gradients (arrays or Tensors; None: the variable is left alone).

        Raises ValueError if every gradient is None, or for a variable that was not there when the optimizer was built.
        """
        variables = self._trained if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: got {len(grads)} gradients for {len(variables)} variables")
        if not grads:
            return
        if not self.built:
            self.build(variables)
        gradients, updated = self._present(grads, variables)
        own_rule = getattr(self.update_step, "__func__", None) is not Optimizer.update_step
        if not own_rule and (update := sweep.find(self, updated, self._sweeps)) is not None:
            update(gradients)
        else:
            self._update_each(gradients, updated)
        for variable in updated:
            variable.touch()
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.data))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Parameter]]) -> int:
        """`apply` for (gradient, variable) pairs; returns the number of steps done."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.iterations

    def begin_step(self) -> None:
        """Hook for what changes once per step, before the first variable."""

    def arrays(self, variable: Parameter) -> list[Any]:
        """The slots of `variable` as `kernel` takes them: None for one that it does without."""
        return self.slots(variable)

    def scalars(self, learning_rate: float) -> dict[str, float]:
        """The numbers of this step as `kernel` takes them; `iterations` steps were done before it."""
        raise TypeError(f"{type(self).__name__} must define scalars(self, learning_rate)")

    def update_step(self, gradient: Any, variable: Parameter, learning_rate: float) -> None:
        """The rule: changes `variable.data` and `self.slots(variable)` in place; `gradient` is an array."""
        if self.kernel is None:
            raise TypeError(f"{type(self).__name__} must define update_step(self, gradient, variable, learning_rate)")
        self.kernel(variable.data, gradient, *self.arrays(variable), **self.scalars(learning_rate))

    def _update_each(self, gradients: list[Any], variables: list[Parameter]) -> None:
        """Clips, decays and updates one variable after the other: any array module, any memory order, any rule."""
        rate = self.learning_rate
        gradients = clipping.clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        if self.weight_decay is not None:
            for variable in variables:
                if not self.excluded(variable):
                    kernels.decay(variable.data, rate=self.weight_decay * rate)
        self.begin_step()
        for g, variable in zip(gradients, variables, strict=True):
            self.update_step(g, variable, rate)
        self._iterations += 1

    def _present(self, grads: Sequence[Any], variables: Sequence[Parameter]) -> tuple[list[Any], list[Parameter]]:
        """Raw gradients and their variables, checked, without those that have no gradient."""
        present, updated, missing = [], [], []
        for g, variable in zip(grads, variables, strict=True):
            if id(variable) not in self._slots:
                raise ValueError(
                    f"Unknown variable {variable.name!r}: {self.name} was built for other variables. After layers were "
                    "added or unfrozen, compile again or create a new optimizer"
                )
            g = np.asarray(g, variable.dtype) if isinstance(g, list | tuple) else as_raw(g)
            if g is None:
                missing.append(variable.name)
            elif g.shape != variable.shape:
                raise ValueError(f"{self.name}: {variable.name!r} has shape {variable.shape}, its gradient {g.shape}")
            else:
                present.append(g)
                updated.append(variable)
        if not present:
            raise ValueError(f"No gradients provided for any variable: {missing}; does the loss depend on them?")
        if missing:
            warnings.warn(f"{self.name}: no gradient for {missing}; they are left as they are", stacklevel=3)
        return present, updated

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; subclasses add their own."""
        rate = self._rate
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = schedules.serialize(rate)
        return {
            "name": self.name,
            "learning_rate": float(rate) if isinstance(rate, np.ndarray) else rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Optimizer":
        """The optimizer that `get_config` described, without its state."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), Mapping):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return cls(**config)
