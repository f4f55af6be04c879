"""Trainer: compile, fit, evaluate and predict, for anything that maps a batch to predictions (a step is in `steps`)."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinynet import optimizers
from tinynet.callbacks import CallbackList, History, python_logs
from tinynet.data import Epochs, as_batches, is_iterable_of_batches, split
from tinynet.data.columns import as_array
from tinynet.layers.base import Layer
from tinynet.models.objective import Objective
from tinynet.models.replay import Replay
from tinynet.models.spelling import METHODS, refuse
from tinynet.models.steps import predict_epoch, predict_step, test_epoch, test_step, train_epoch, train_step


class Trainer(Layer):
    """Base of models; see `steps` for what happens to a batch."""

    optimizer: Any = None
    objective: Any = None  # an Objective once compiled
    history: History | None = None
    stop_training = False
    run_eagerly = False
    _replay: Replay | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,
        **unknown: Any,
    ) -> None:
        """Says how to train: an optimizer, a loss, and metrics to report, each by name or as an object.

        Names make a new optimizer; an instance keeps its state. Compile again after changing what is trainable.
        With `run_eagerly` every step runs its Python; otherwise repeated steps are replayed, with the same bits.
        """
        refuse("compile", unknown)
        self.optimizer = optimizers.get(optimizer)
        self.objective = Objective(loss, metrics, weighted_metrics)
        self.run_eagerly = bool(run_eagerly)
        self._flags_at_compile = _trainable_flags(self)

    @property
    def replay(self) -> Replay:
        """The steps recorded for this model."""
        if self._replay is None:
            self._replay = Replay(self)
        return self._replay

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            raise AttributeError(f"{name} is an older spelling: use {METHODS[name]}")
        return super().__getattr__(name)

    @property
    def metrics(self) -> list[Any]:
        """The running means that are reported: the loss, then the metrics."""
        return [] if self.objective is None else [self.objective.mean_loss, *self.objective.metrics.metrics]

    # Runs

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        **unknown: Any,
    ) -> History:
        """Trains until `epochs`, counted from `initial_epoch`, and returns the History of losses and metrics.

        x, y are arrays, or x yields batches (x, y[, sample_weight]). Validation runs after each epoch on
        `validation_data`, (x, y[, sample_weight]) or batches, or on the last `validation_split` of the arrays.
        """
        refuse("fit", unknown)
        self._compiled("fit")
        _check_epochs(epochs, initial_epoch, validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split(validation_split, x, y, sample_weight)
        train = Epochs(
            as_batches(
                x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch,
                class_weight=class_weight, dtype=self.dtype,
            ),
            steps_per_epoch,
        )  # fmt: skip
        validation = self._validation(validation_data, validation_batch_size, batch_size, validation_steps)
        hooks = self._hooks(callbacks, verbose, True, epochs=epochs, steps=train.steps)
        self.stop_training = False
        hooks.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            logs = train_epoch(self, train, hooks)
            if validation is not None and _due(epoch, validation_freq):
                values = test_epoch(self, validation, hooks)
                logs = python_logs({**logs, **{f"val_{name}": value for name, value in values.items()}})
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        hooks.on_train_end(logs)
        assert hooks.history is not None
        return hooks.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **unknown: Any,
    ) -> Any:
        """Loss and metrics on x, y in inference mode: the loss, [loss, metric, ...], or a dict of them by name."""
        refuse("evaluate", unknown)
        self._compiled("evaluate")
        epochs = Epochs(as_batches(x, y, sample_weight, batch_size=batch_size, steps=steps, dtype=self.dtype), steps)
        hooks = self._hooks(callbacks, verbose, False, epochs=1, steps=epochs.steps)
        return _reported(test_epoch(self, epochs, hooks), return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **unknown: Any,
    ) -> np.ndarray:
        """Predictions for x as one NumPy array, in the order of the samples, in inference mode."""
        refuse("predict", unknown)
        epochs = Epochs(as_batches(x, batch_size=batch_size, steps=steps, dtype=self.dtype), steps)
        hooks = self._hooks(callbacks, verbose, False, epochs=1, steps=epochs.steps)
        return predict_epoch(self, epochs, hooks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step on one batch; loss and metrics of this batch alone, in the form `evaluate` has."""
        self._compiled("train_on_batch")
        self.objective.reset()
        x, y, weight = self._one_batch(x, y, sample_weight, class_weight)
        train_step(self, x, y, weight)
        return _reported(self.objective.results(), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch in inference mode, in the form `evaluate` has."""
        self._compiled("test_on_batch")
        self.objective.reset()
        test_step(self, *self._one_batch(x, y, sample_weight))
        return _reported(self.objective.results(), return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Predictions for one batch as a NumPy array, in inference mode."""
        return predict_step(self, self._one_batch(x)[0])

    # Preparations

    def _compiled(self, method: str) -> None:
        """Raises ValueError unless `compile` was called; warns if layers were frozen or unfrozen since."""
        if self.objective is None:
            raise ValueError(f"{self}: call compile(optimizer, loss) before {method}")
        if self._flags_at_compile != _trainable_flags(self):
            warnings.warn(
                f"{self}: `trainable` of a layer was changed since compile; compile again, so that the optimizer knows "
                "which parameters it trains",
                stacklevel=3,
            )

    def _one_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Any:
        array = as_array(x, "x")
        batches = as_batches(
            array, y, sample_weight, batch_size=max(len(array), 1), class_weight=class_weight, dtype=self.dtype
        )
        return next(batches.epoch())

    def _validation(
        self, data: Any, batch_size: int | None, fit_batch_size: int | None, steps: int | None
    ) -> Epochs | None:
        if data is None:
            return None
        if isinstance(data, list | tuple) and len(data) in (2, 3) and not is_iterable_of_batches(data):
            size = batch_size or fit_batch_size
            return Epochs(as_batches(*data, batch_size=size, steps=steps, dtype=self.dtype), steps)
        if isinstance(data, tuple) and not is_iterable_of_batches(data):
            raise ValueError(f"validation_data must be (x, y) or (x, y, sample_weight), got {len(data)} entries")
        return Epochs(as_batches(data, batch_size=batch_size, dtype=self.dtype), steps)

    def _hooks(self, callbacks: Any, verbose: int | str, history: bool, **params: Any) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
        verbose = 1 if verbose == "auto" else int(verbose)
        return CallbackList(
            callbacks, add_history=history, add_progbar=verbose != 0, model=self, verbose=verbose, **params
        )


def _trainable_flags(model: Layer) -> list[Any]:
    """What is trainable: the flag of every layer, in order."""
    return [(layer.name, layer.trainable, _trainable_flags(layer)) for layer in model.sublayers()]


def _check_epochs(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    """Raises ValueError, before anything runs, for numbers of epochs that are none."""
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if not hasattr(value, "__index__") or value < 0:
            raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
    listed = isinstance(validation_freq, Sequence) and not isinstance(validation_freq, str)
    if not listed and (not hasattr(validation_freq, "__index__") or validation_freq < 1):
        raise ValueError(f"validation_freq must be an integer >= 1 or a list of epochs, got {validation_freq!r}")


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether to validate after this epoch (from 0): every k-th, or those listed (from 1)."""
    return epoch + 1 in frequency if isinstance(frequency, Sequence) else (epoch + 1) % frequency == 0


def _reported(values: Mapping[str, Any], return_dict: bool) -> Any:
    if return_dict:
        return dict(values)
    return list(values.values()) if len(values) > 1 else values["loss"]
