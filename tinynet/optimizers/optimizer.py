"""The base class of optimizers: everything but the update rule. What one `apply` does, in which order:
step.py."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from tinynet import missing_names, registry, schedules, signature
from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.launches import lasting, listener, numbers_read
from tinynet.optimizers import arguments, check_gradients, sweep
from tinynet.optimizers.arguments import LearningRate
from tinynet.optimizers.state import OptimizerState
from tinynet.optimizers.step import Step


class Optimizer(OptimizerState):
    """Base class; a rule is a subclass with, in `build`, variables of its own
    (`add_variable_from_reference`), and an `update_step`. tinynet's own have slots and an `_update_kernel` of
    tinynet.kernels.optimizers, which updates all variables in one sweep (sweep.py).

    learning_rate    a float, a LearningRateSchedule (called with the number of calls before), or a function
                     without arguments; None: the rule's `_default_rate`, if it has one
    weight_decay     w <- w - w weight_decay learning_rate before each update
    clipnorm         each gradient shortened to this length;  clipvalue: each element cut off;
                     global_clipnorm: all gradients together shortened to this length (Keras 1's clipnorm); at
                     most one of the three
    use_ema          keep a <- ema_momentum a + (1 - ema_momentum) w, from a = w at the first update; `fit`
                     ends with w <- a. ema_overwrite_frequency: w <- a also after every so many updates
    loss_scale_factor             the gradients are those of the loss times this number (`scale_loss`),
                                  and are divided by it
    gradient_accumulation_steps   update at every n-th call alone, by the mean of the n gradients
    name             None: the class in snake case
    learning_rate_multipliers     {pattern: factor}: the rate of the rule, not that of the weight decay, is
                                  multiplied for variables whose name contains a match; the first one counts

    Raises ValueError for an argument that is out of range or does not exist

    >>> class Sign(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.data[...] -= learning_rate * np.sign(gradient)
    >>> w = tinynet.Parameter([1.0])
    >>> Sign(0.5).apply([np.array([3.0])], [w])
    >>> w.numpy()
    array([0.5], dtype=float32)
    """

    _default_rate: float | None = None  # the learning rate of a rule that has no constructor of its own
    _update_kernel: Any = None

    def __init__(
        self,
        learning_rate: LearningRate | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        learning_rate_multipliers: Mapping[str, float] | None = None,
        **unknown: Never,
    ) -> None:
        kind = type(self).__name__
        arguments.refuse_unknown(type(self), unknown)
        arguments.check_clips(kind, clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        arguments.check_count(kind, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        arguments.check_count(kind, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        arguments.check_range(kind, "ema_momentum", ema_momentum)
        if loss_scale_factor is not None:
            arguments.check_range(kind, "loss_scale_factor", loss_scale_factor, "(0, inf)")
        if weight_decay is not None:
            arguments.check_range(kind, "weight_decay", weight_decay, "(-inf, inf)")
        super().__init__(self._default_rate if learning_rate is None else learning_rate)
        self.name = name or registry.snake_case(kind)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.loss_scale_factor = global_clipnorm, loss_scale_factor
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.learning_rate_multipliers = arguments.check_multipliers(kind, learning_rate_multipliers)
        # variables, and a pattern of names
        self._excluded_from_decay: tuple[list[Parameter], Any] = ([], None)

    @property
    def iterations(self) -> int:
        """Number of updates done: of calls of `apply`, or of every n-th call if it collects n gradients."""
        numbers_read(self._iterations)
        return int(self._iterations) // (self.gradient_accumulation_steps or 1)

    @property
    def _updates_next(self) -> bool:
        """Whether the next call of `apply` updates the variables, rather than only collecting gradients."""
        steps = self.gradient_accumulation_steps
        return steps is None or (int(self._iterations) + 1) % steps == 0

    @property
    def _step_phase(self) -> tuple[str, ...]:
        """Which kind of step comes next, where there are several: they launch different kernels."""
        if self.gradient_accumulation_steps is None:
            return ()
        return ("update",) if self._updates_next else ("accumulate",)

    def build(self, variables: Iterable[Parameter]) -> None:
        """Sets the variables, once; rules make their slots here. The first `apply` calls it."""
        super().build(variables)
        self._weight_averages = (
            [self._new_array(v, "average") for v in self._trainable_variables] if self.use_ema else []
        )
        collects = self.gradient_accumulation_steps is not None
        self._accumulated_gradients = (
            [self._new_array(v, "gradient_accumulator") for v in self._trainable_variables]
            if collects
            else []
        )

    def exclude_from_weight_decay(
        self, var_list: Sequence[Parameter] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Weight decay leaves out `var_list` and variables whose name contains a
        match of a pattern in `var_names`.
        """
        if self.built:
            raise ValueError(
                f"{self.name}: exclude_from_weight_decay must be called before the optimizer is built"
            )
        self._excluded_from_decay = (
            list(var_list or ()),
            re.compile("|".join(var_names)) if var_names else None,
        )

    def _is_excluded(self, variable: Parameter) -> bool:
        """Whether weight decay leaves `variable` out."""
        listed, pattern = self._excluded_from_decay
        return any(variable is one for one in listed) or bool(pattern and pattern.search(variable.name or ""))

    def _multiplier_of(self, variable: Parameter) -> float:
        """What the rule multiplies the learning rate by for `variable`."""
        multipliers = (self.learning_rate_multipliers or {}).items()
        return next((by for pattern, by in multipliers if re.search(pattern, variable.name or "")), 1.0)

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate: times `loss_scale_factor`,
        so that small gradients do not vanish in float16.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Parameter]) -> None:
        """Gives the variables of var_list the values to keep: w <- its average,
        with `use_ema`. `fit` calls it at its end.
        """
        if not self.use_ema or not self.built:
            return
        found = {
            id(variable): average
            for variable, average in zip(self._trainable_variables, self._weight_averages, strict=True)
        }
        check_gradients.check_known(self, var_list)
        for variable in var_list:
            variable.assign(found[id(variable)])

    # ---- one step

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Parameter] | None = None) -> None:
        """Updates `trainable_variables` (None: all known) in place by their gradients `grads` (None:
        left alone).

        Raises ValueError if every gradient is None, or for a variable that was not
        there when the optimizer was built.
        """
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: got {len(grads)} gradients for {len(variables)} variables")
        if not grads:
            return
        if not self.built:
            self.build(variables)
        gradients, updated = check_gradients.pairs(self, grads, variables)
        own_rule = getattr(self.update_step, "__func__", None) is not Optimizer.update_step
        swept = not own_rule and sweep.find(self, updated, self._sweeps_by_key)
        with lasting:
            if (current := listener()) is not None:  # all that the step may change
                for tensor in (*self._trainable_variables, *self.variables):
                    current.on_address(tensor._data)
            (swept or Step(self, updated))(gradients)
        overwrites = self.use_ema and self.ema_overwrite_frequency is not None
        for variable in self._trainable_variables if overwrites else updated:
            variable.touch()
        for variable in updated:
            if variable.constraint is not None:
                check_gradients.constrain(variable)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Parameter]]) -> int:
        """`apply` for the pairs (gradient, variable) of grads_and_vars;
        returns the number of calls so far.
        """
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return int(self._iterations)

    def _begin_update(self) -> None:
        """Hook for what changes once per update, before the first variable."""

    def _kernel_arrays(self, variable: Parameter) -> list[Any]:
        """The slots of `variable` as `_update_kernel` takes them: None for one that it does without."""
        return self._slots_of(variable)

    def _kernel_scalars(self, learning_rate: float) -> dict[str, float]:
        """The numbers of this step as `_update_kernel` takes them, by name: the learning rate, and attributes
        of the optimizer, unless a rule computes them from these; `iterations` updates were done before this
        step."""
        names = kernels.keywords(self._update_kernel)
        return {name: learning_rate if name == "learning_rate" else getattr(self, name) for name in names}

    def update_step(self, gradient: Any, variable: Parameter, learning_rate: float) -> None:
        """The rule, at this `learning_rate`: changes `variable.data` and `self._slots_of(variable)` in place
        by the array `gradient`.
        """
        if self._update_kernel is None:
            raise TypeError(
                f"{type(self).__name__} must define update_step(self, gradient, variable, learning_rate)"
            )
        self._update_kernel(
            variable.data, gradient, *self._kernel_arrays(variable), **self._kernel_scalars(learning_rate)
        )

    def _accumulators_of(self, variables: Sequence[Parameter]) -> list[Any]:
        """The collected gradients of `variables`; none, if every call updates."""
        if not self._accumulated_gradients:
            return []
        found = {
            id(variable): total
            for variable, total in zip(self._trainable_variables, self._accumulated_gradients, strict=True)
        }
        return [found[id(variable)] for variable in variables]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; of a class that defines `get_config` itself, those of its bases
        alone."""
        rate = self._learning_rate
        held = {**vars(self), "learning_rate": float(rate) if isinstance(rate, np.ndarray) else rate}
        taken = signature.accepted(signature.reported(type(self)))
        names = dict.fromkeys(["name", *signature.accepted(Optimizer), *taken])
        if held.get("learning_rate_multipliers") is None:
            names.pop("learning_rate_multipliers", None)  # Keras has no such argument
        return {name: registry.describe(held[name]) for name in names if name in taken and name in held}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Optimizer":
        """The optimizer that `get_config` described by `config`, without its state;
        custom_objects: {name: object} more.
        """
        config = dict(config)
        with registry.custom_object_scope(custom_objects or {}):
            if isinstance(config.get("learning_rate"), Mapping):
                config["learning_rate"] = schedules.deserialize(config["learning_rate"])
            return cls(**config)

    if not TYPE_CHECKING:  # to type checkers an attribute that nothing sets is a mistake

        def __getattr__(self, name: str) -> Any:
            raise missing_names.no_attribute(self, name, "optimizer")

    def __repr__(self) -> str:
        return signature.as_call(self, ("learning_rate",), iterations=self.iterations)
