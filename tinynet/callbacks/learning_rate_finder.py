"""LearningRateFinder: a learning rate range test."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet import signature
from tinynet.backend import random
from tinynet.callbacks.callback import Callback, Logs


class LearningRateFinder:
    """Trains a few steps with a rate that grows exponentially from `min_lr` to `max_lr`,
    and notes the loss at each.

        finder = LearningRateFinder()
        finder.find(model, x, y, batch_size=64)
        finder.plot("learning_rates.png")
        model.optimizer.learning_rate = finder.suggestion()

    min_lr, max_lr, steps                the range of rates, and how many
    learning_rates, losses, raw_losses   one each a step; `losses` are a running mean, s <- smoothing
                                         s + (1 - smoothing) l, divided by 1 - smoothing^i
    divergence                           stops once the smoothed loss is so many times its smallest value,
                                         or not finite

    Afterwards model, optimizer and random generators are as they were before. Small rates change nothing,
    good ones make the loss fall, large ones make it shoot up: a constant rate should lie where it falls, the
    bounds of a cycle (OneCycle) where it begins to fall and shortly before it stops. L. N. Smith, "Cyclical
    learning rates for training neural networks", 2017, section 3.3; exponential growth and the smoothed loss
    are usual since.

    >>> finder = LearningRateFinder(steps=20).find(model, x, y)
    >>> len(finder.losses) <= 20, finder.learning_rates[0]
    (True, 1e-07)
    """

    def __init__(
        self,
        min_lr: float = 1e-7,
        max_lr: float = 10.0,
        steps: int = 100,
        smoothing: float = 0.9,
        divergence: float = 4.0,
    ) -> None:
        if not 0 < min_lr < max_lr:
            raise ValueError(f"LearningRateFinder: expected 0 < min_lr < max_lr, got {min_lr} and {max_lr}")
        if steps < 2:
            raise ValueError(f"LearningRateFinder: steps must be at least 2, got {steps}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"LearningRateFinder: smoothing must be in [0, 1), got {smoothing}")
        if not divergence > 1:
            raise ValueError(f"LearningRateFinder: divergence must be larger than 1, got {divergence}")
        self.min_lr, self.max_lr, self.steps = float(min_lr), float(max_lr), int(steps)
        self.smoothing, self.divergence = smoothing, divergence
        self._clear()

    __repr__ = signature.call_repr

    def _clear(self) -> None:
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self.raw_losses: list[float] = []
        self._sum = 0.0

    def find(
        self, model: Any, x: Any, y: Any = None, batch_size: int | None = None, verbose: int = 0, **fit: Any
    ) -> "LearningRateFinder":
        """Runs the test on batches of x, y, over as many epochs as it takes; `fit`:
        other arguments of model.fit.

        `batch_size` and `verbose` are as in model.fit. Raises ValueError unless the model is compiled and
        built. Batches that a generator gave are used up.
        """
        if not getattr(model, "built", False):
            raise ValueError(
                f"LearningRateFinder: {model} must be built, so that its weights can be put back; "
                "give it an Input, or call it on a batch first"
            )
        if model.optimizer is None:
            raise ValueError(f"LearningRateFinder: call compile(optimizer, loss) of {model} first")
        self._clear()
        ramp = _Ramp(self)
        with _put_back(model), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            model.optimizer = _copy(model.optimizer, model)
            model.optimizer.learning_rate = ramp.rate
            model.fit(
                x, y, batch_size=batch_size, epochs=self.steps, verbose=verbose, callbacks=[ramp], **fit
            )
        return self

    def rate(self, step: int) -> float:
        """min_lr (max_lr / min_lr)^(step / (steps - 1))"""
        return self.min_lr * (self.max_lr / self.min_lr) ** (step / (self.steps - 1))

    def add(self, loss: float) -> bool:
        """Notes the loss of the next rate; whether the test goes on."""
        if not np.isfinite(loss):
            return False
        self.learning_rates.append(self.rate(len(self.learning_rates)))
        self.raw_losses.append(loss)
        self._sum = self.smoothing * self._sum + (1 - self.smoothing) * loss
        self.losses.append(self._sum / (1 - self.smoothing ** len(self.learning_rates)))
        grown = self.losses[-1] - min(self.losses) > (self.divergence - 1) * abs(min(self.losses))
        return len(self.learning_rates) < self.steps and not grown

    def suggestion(self) -> float:
        """The learning rate at which the loss falls fastest, per factor in the rate,
        before it is at its smallest.

        The slope is that of a straight line through a fifth of the single losses, half of them on either
        side: smoothed losses come down later than the loss does. Raises ValueError if the loss never fell.
        """
        raw, reach = np.asarray(self.raw_losses), max(len(self.losses) // 10, 1)
        last = int(np.argmin(self.losses)) if self.losses else 0
        if last <= reach:
            raise ValueError(
                f"LearningRateFinder: the loss did not fall at any of {len(raw)} learning "
                f"rates from {self.min_lr:g}; call "
                "find first, and with a smaller min_lr if it grew from the start"
            )
        around = np.arange(-reach, reach + 1)
        centres = np.arange(reach, min(last + 1, len(raw) - reach))
        slopes = np.array([(around * raw[centre + around]).sum() for centre in centres])
        return self.learning_rates[int(centres[slopes.argmin()])]

    def plot(self, path: str | os.PathLike[str] | None = None, title: str | None = None) -> Any:
        """A matplotlib Figure of the loss over the learning rate with the suggestion and this `title`; also
        written to `path`, if given.
        """
        from tinynet.plotting import learning_rate_curve, save

        try:
            suggestion = self.suggestion()
        except ValueError:
            suggestion = None
        figure = learning_rate_curve(
            self.learning_rates, self.losses, raw=self.raw_losses, suggestion=suggestion, title=title
        )
        if path is not None:
            save(figure, path)
        return figure


class _Ramp(Callback):
    """The callback that raises the rate from batch to batch and tells the finder what the loss was."""

    def __init__(self, finder: LearningRateFinder) -> None:
        self.finder = finder

    def rate(self) -> float:
        """What the optimizer takes as its learning rate."""
        return self.finder.rate(len(self.finder.learning_rates))

    def on_train_begin(self, logs: Logs = None) -> None:
        # that it grows beyond all bounds is what is looked for
        self.model._compiled_objective.said.add("loss")

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.model.reset_metrics()  # so that the loss that is logged is this batch's

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self.finder.add((logs or {})["loss"]):
            self.model.stop_training = True


def _copy(optimizer: Any, model: Any) -> Any:
    """An optimizer with a state of its own for the same variables."""
    return copy.deepcopy(optimizer, {id(parameter): parameter for parameter in model.weights})


@contextmanager
def _put_back(model: Any) -> Iterator[None]:
    """Within it a model may be trained: its weights, optimizer,
    history and random numbers come back afterwards.
    """
    attributes = {name: getattr(model, name) for name in ("optimizer", "history", "stop_training")}
    weights, numbers = model.get_weights(), random.state()
    draws = [(layer, layer._draw_count) for layer in model._layers_that_draw()]
    try:
        yield
    finally:
        for name, value in attributes.items():
            setattr(model, name, value)
        model.set_weights(weights)
        model._compiled_objective.said.discard("loss")
        model.reset_metrics()
        random.set_state(numbers)
        for layer, count in draws:
            layer._draw_count = count
