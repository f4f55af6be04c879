"""Exponential moving averages of the weights: after every call of `apply`,
for all variables of the optimizer.
"""

from typing import Any

import numpy as np

from tinynet.kernels import optimizers as kernels
from tinynet.kernels.by_value import sent
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.launches import launch


class Averages:
    """The averages of all variables in one sweep. It holds every array that its table points at."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        weights = [variable.data for variable in optimizer._trainable_variables]
        self.segments = kernels.Segments(list(zip(optimizer._weight_averages, weights, strict=True)))
        self.numbers = np.zeros(3, self.segments.dtype)

    def __call__(self) -> None:
        launch(self._begin, self.numbers)
        numbers, weight = self.numbers, self.segments.variables[0][0]
        if is_on_gpu(weight):
            numbers = sent(numbers, weight)
        self.segments.launch(kernels.average_sweep, self.segments.table(), numbers)

    def _begin(self, numbers: np.ndarray) -> None:
        """A launch, as in sweep.py: what differs from step to step is no argument of a launch,
        but in an array.
        """
        momentum, overwrite = _settings(self.optimizer)
        numbers[:] = momentum, 1 - momentum, overwrite


def update(optimizer: Any, sweeps: dict[Any, Any]) -> None:
    """a <- mu a + (1-mu) w with mu = 0 until the first update is done,
    so that a starts as w; w <- a where it is due.
    """
    arrays = [variable.data for variable in optimizer._trainable_variables]
    key = ("averages", *map(id, arrays))
    compiled = kernels.in_one_sweep(arrays[0])
    if compiled and key not in sweeps and kernels.fit_together(arrays):
        sweeps[key] = Averages(optimizer)
    if compiled and key in sweeps:
        sweeps[key]()
    else:
        momentum, overwrite = _settings(optimizer)
        for average, array in zip(optimizer._weight_averages, arrays, strict=True):
            kernels.average(average, array, momentum=momentum, overwrite=overwrite)


def _settings(optimizer: Any) -> tuple[float, bool]:
    """mu of the call that is being done and was counted already,
    and whether the weights become their averages.
    """
    # updates before this one
    done = (int(optimizer._iterations) - 1) // (optimizer.gradient_accumulation_steps or 1)
    every = optimizer.ema_overwrite_frequency
    return optimizer.ema_momentum if done else 0.0, every is not None and (done + 1) % every == 0
