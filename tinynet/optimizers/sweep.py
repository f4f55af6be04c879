"""The parts of a step (step.py) for all variables at once: a few launches, however many variables there are.

What differs from step to step is computed in Python and written into an array, `numbers`, in a launch: a step
that is repeated takes the learning rate of the day. Variables on a GPU get a copy of it there.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.by_value import sent
from tinynet.kernels.common import is_on_gpu, xp
from tinynet.kernels.constants import settled
from tinynet.kernels.launches import launch
from tinynet.optimizers.step import Step

CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")
NUMBERS = 14  # of a rule at most; before them stand the clipping limit and the rate of the decay
MOST = 8  # sweeps kept, for optimizers that are given other variables from step to step


class Part(NamedTuple):
    """The variables of one learning rate, which is the optimizer's times `factor`: one launch of the rule."""

    factor: float
    places: Sequence[int]  # of the variables in the step
    segments: kernels.Segments
    coefficients: slice  # where in `numbers` those of the rule stand


class Sweep(Step):
    """The step of certain variables. It holds every array that its tables point at, also for a step
    that is repeated."""

    def __init__(self, optimizer: Any, variables: Sequence[Parameter]) -> None:
        super().__init__(optimizer, variables)
        self.weights = [variable.data for variable in variables]
        self.formula = kernels.rules[optimizer._update_kernel]
        self.parts, self.numbers = self._parted()
        self.used: Any = self.numbers  # what the loops read
        decays = optimizer.weight_decay is not None
        decayed = [
            (variable.data,) for variable in variables if decays and not optimizer._is_excluded(variable)
        ]
        self.decayed = kernels.Segments(decayed) if decayed else None
        self.clips = next((name for name in CLIPS if getattr(optimizer, name) is not None), None)
        collects = (
            optimizer.loss_scale_factor is not None or optimizer.gradient_accumulation_steps is not None
        )
        self.collecting = Collecting(optimizer, variables) if collects else None
        self.clipped = [] if self.clips is None else [_new_like(w) for w in self.weights]
        self.clipping = kernels.Segments([(copy,) for copy in self.clipped]) if self.clipped else None

    def _parted(self) -> tuple[list[Part], np.ndarray]:
        """The variables by their rates, and the numbers of a step: limit, rate, those of each part."""
        factors = [self.optimizer._multiplier_of(variable) for variable in self.variables]
        distinct = list(dict.fromkeys(factors))
        numbers, parts = np.zeros(2 + NUMBERS * len(distinct), self.weights[0].dtype), []
        for start, factor in zip(range(2, numbers.size, NUMBERS), distinct, strict=True):
            places = [i for i, its in enumerate(factors) if its == factor]
            rows = [(self.weights[i], *self._slots_of(self.variables[i])) for i in places]
            parts.append(Part(factor, places, kernels.Segments(rows), slice(start, start + NUMBERS)))
        return parts, numbers

    def _slots_of(self, variable: Parameter) -> Sequence[Any]:
        """The slots as the rule takes them, or TypeError: the loop would read arrays that are not there."""
        rule, made = self.optimizer._update_kernel, self.optimizer._kernel_arrays(variable)
        build = f"{type(self.optimizer).__name__}.build (self._add_slots) made for {variable.name!r}:"
        kernels.check_slots(rule, variable.data, made, build)
        return made

    def __reduce__(self) -> Any:
        return type(None), ()  # a copy of an optimizer has arrays of its own, elsewhere, and sweeps those

    def __call__(self, gradients: Sequence[Any]) -> None:
        self.in_order(*[kernels.dense(g, w) for g, w in zip(gradients, self.weights, strict=True)])

    def begin(self, updates: bool) -> None:
        """Counts the call too, since all that asks for the count is done: one launch less."""
        launch(self._compute if updates else self._count, self.numbers)
        if updates and is_on_gpu(self.weights[0]):
            self.used = sent(self.numbers, self.weights[0])

    def _compute(self, numbers: np.ndarray) -> None:
        """The numbers of this step: computed in double precision, rounded to the variables' dtype."""
        optimizer = self.optimizer
        learning_rate = optimizer._next_rate()
        optimizer._begin_update()
        limit = 0.0 if self.clips is None else getattr(optimizer, self.clips)
        rate = 0.0 if self.decayed is None else optimizer.weight_decay * learning_rate
        numbers[:2] = limit, rate
        for part in self.parts:
            scalars = optimizer._kernel_scalars(learning_rate * part.factor)
            values = self.formula.numbers(**scalars)
            numbers[part.coefficients][: len(values)] = values
        self._count(numbers)

    def _count(self, numbers: np.ndarray) -> None:
        self.optimizer._iterations += 1

    def collect(self, gradients: Sequence[Any], updates: bool) -> Sequence[Any]:
        return gradients if self.collecting is None else self.collecting(gradients, updates)

    def clip(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.clipping is None:
            return gradients
        table, limit = self.clipping.table(gradients), self.used[:1]
        if self.clips == "clipvalue":
            kernels.clip_by_value(self.clipping, table, limit)
        else:
            kernels.clip_by_norm(self.clipping, table, limit, self.clips == "global_clipnorm")
        return self.clipped

    def decay(self) -> None:
        if self.decayed is not None:
            self.decayed.launch(kernels.decay_sweep, self.decayed.table(), self.used[1:2])

    def rule(self, gradients: Sequence[Any]) -> None:
        for part in self.parts:
            table = part.segments.table([gradients[place] for place in part.places])
            part.segments.launch(self.formula.loop, table, self.used[part.coefficients])

    def end(self, updates: bool) -> None:
        if updates and self.collecting is not None:
            self.collecting.clear()


class Collecting:
    """Gradients divided by the scale of the loss and, over several calls, added up."""

    def __init__(self, optimizer: Any, variables: Sequence[Parameter]) -> None:
        scale, steps = optimizer.loss_scale_factor or 1, optimizer.gradient_accumulation_steps
        self.adds = steps is not None
        self.totals = (
            optimizer._accumulators_of(variables) if self.adds else [_new_like(v.data) for v in variables]
        )
        self.segments = kernels.Segments([(total,) for total in self.totals])
        mean = np.array((scale, steps or 1, self.adds), self.segments.dtype)  # see kernels.collect_sweep
        sums = np.array((scale, 1, self.adds), self.segments.dtype)
        self.mean, self.sum = (settled(self.totals[0], numbers) for numbers in (mean, sums))

    def __call__(self, gradients: Sequence[Any], updates: bool) -> list[Any]:
        """The sum so far; the mean in a call that updates."""
        table = self.segments.table(gradients)
        self.segments.launch(kernels.collect_sweep, table, self.mean if updates else self.sum)
        return self.totals

    def clear(self) -> None:
        """The next sum starts from 0."""
        if self.adds:
            self.segments.launch(kernels.clear_sweep, self.segments.table(), self.sum)


def _new_like(w: Any) -> Any:
    return xp(w).empty_like(w)


def find(optimizer: Any, variables: Sequence[Parameter], sweeps: dict[Any, Sweep]) -> Sweep | None:
    """The sweep of these variables, made if need be; None if they must be updated one by one.

    So must whatever the compiled implementation does not get, variables that are not dense arrays of one
    dtype, each in memory of its own, and those of a rule that is not one of tinynet's kernels.
    """
    arrays = [variable.data for variable in variables]
    if optimizer._update_kernel not in kernels.rules or not kernels.in_one_sweep(arrays[0]):
        return None
    clips = [getattr(optimizer, name) is None for name in CLIPS]
    collects = optimizer.loss_scale_factor, optimizer.gradient_accumulation_steps
    rates = tuple((optimizer.learning_rate_multipliers or {}).items())
    settings = optimizer.weight_decay is None, *clips, *collects, *rates
    key = (optimizer._update_kernel, *settings, *map(id, arrays))
    if (sweep := sweeps.get(key)) is None:
        if not kernels.fit_together(arrays):
            return None
        if len(sweeps) >= MOST:
            sweeps.clear()
        sweep = sweeps[key] = Sweep(optimizer, variables)
    return sweep
