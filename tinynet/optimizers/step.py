"""One call of `apply`, in Keras's order, which stands here and nowhere else: `Step.in_order`.

Its parts are done here for one variable after the other, in plain Python, which serves any array module, any
memory order and any rule. A subclass does them for all variables at once, in a few launches (sweep.py).
"""

from collections.abc import Sequence
from typing import Any

from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.launches import launch, not_repeatable
from tinynet.optimizers import averages, clipping


class Step:
    """What `apply` does with the gradients of certain variables, but for constraints: see `Optimizer.apply`.

    All of it is one launch: Python that changes arrays in place. When a step is repeated this Python runs
    again, and reads the settings and the learning rate of that moment. A CUDA graph cannot repeat Python.
    """

    def __init__(self, optimizer: Any, variables: Sequence[Parameter]) -> None:
        self.optimizer, self.variables = optimizer, variables

    def __call__(self, gradients: Sequence[Any]) -> None:
        """Updates the variables in place, and counts the call."""
        if is_on_gpu(gradients[0]):
            not_repeatable("updates variables on a GPU one by one, in Python")
        launch(self.in_order, *gradients)

    def in_order(self, *gradients: Any) -> None:
        """All parts of the step."""
        updates = self.optimizer._updates_next  # or is it a call that only collects gradients?
        self.begin(updates)
        collected = self.collect(gradients, updates)
        if updates:
            clipped = self.clip(collected)
            self.decay()
            self.rule(clipped)
        self.end(updates)
        if self.optimizer.use_ema:
            averages.update(self.optimizer, self.optimizer._sweeps_by_key)

    def begin(self, updates: bool) -> None:
        """The learning rate of this step, and what else differs from step to step."""
        self.rate = self.optimizer._next_rate()
        if updates:
            self.optimizer._begin_update()

    def collect(self, gradients: Sequence[Any], updates: bool) -> Sequence[Any]:
        """The gradients of the loss: divided by its scale and, over several calls, added up; their mean if it
        `updates`."""
        scale, steps = self.optimizer.loss_scale_factor or 1, self.optimizer.gradient_accumulation_steps
        self.totals = self.optimizer._accumulators_of(self.variables)
        if steps is None:
            return gradients if scale == 1 else [g / scale for g in gradients]
        for total, g in zip(self.totals, gradients, strict=True):
            kernels.collect(total, g, scale=scale, steps=steps if updates else 1)
        return self.totals

    def clip(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """The gradients, shortened or cut off by the one limit that is set."""
        limits = [getattr(self.optimizer, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")]
        return clipping.clip(list(gradients), *limits)

    def decay(self) -> None:
        """w <- w - rate w, but for the variables that are excluded."""
        if self.optimizer.weight_decay is not None:
            for variable in self.variables:
                if not self.optimizer._is_excluded(variable):
                    kernels.decay(variable.data, rate=self.optimizer.weight_decay * self.rate)

    def rule(self, gradients: Sequence[Any]) -> None:
        """The optimizer's formula, for every variable."""
        for g, variable in zip(gradients, self.variables, strict=True):
            self.optimizer.update_step(g, variable, self.rate * self.optimizer._multiplier_of(variable))

    def end(self, updates: bool) -> None:
        """The next sum of gradients starts from 0 after an update, and the call is counted."""
        if updates:
            for total in self.totals:
                total[...] = 0
        self.optimizer._iterations += 1
