"""Trainer: compile, fit, evaluate and predict, for anything that maps a batch
to predictions (a step is in `steps`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Never

import numpy as np

from tinynet.autograd import gradients, set_grad_enabled
from tinynet.backend import device, tracebacks
from tinynet.callbacks import CallbackList, History, python_logs
from tinynet.console import say
from tinynet.data import Epochs, as_batches, is_iterable_of_batches, split
from tinynet.data.columns import as_arrays
from tinynet.layers.call_args import keeps_integers
from tinynet.metrics.metric_list import logged
from tinynet.models import progress, rehearsal
from tinynet.models.customized import Customized
from tinynet.models.means import Means
from tinynet.models.steps import (
    predict_epoch,
    predict_step,
    run_step,
    test_epoch,
    testing_step,
    train_epoch,
    training_step,
)
from tinynet.old_names import refuse
from tinynet.tree import leaves


class Trainer(Customized):
    """Base of models; see `steps` for what happens to a batch."""

    history: History = None  # type: ignore[assignment]  # until `fit`
    _without_effect: ClassVar = {
        "history",
        "stop_training",
        "stop_evaluating",
        "stop_predicting",
        "_fits_by_thread",
    }
    # a callback may set them: the run ends after this batch
    stop_training = stop_evaluating = stop_predicting = False
    # by thread: the `fit` that runs, the innermost one
    _fits_by_thread: dict[int, progress.Progress] | None = None

    # Runs

    @tracebacks.entry
    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None, sample_weight: Any = None, initial_epoch: int = 0,
        steps_per_epoch: int | None = None, validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1, **unknown: Never,
    ) -> History:  # fmt: skip
        """Trains until `epochs`, counted from `initial_epoch`, and returns the History of losses and metrics.

        x, y               arrays (in lists or dictionaries if several),
                           or x yields batches (x, y[, sample_weight])
        batch_size         samples in a batch of arrays; None: 32, or what steps_per_epoch makes of the data
        verbose            1 ("auto"): a bar that moves, where the screen can;
                           2: a line an epoch;  0: nothing
        callbacks          one, or a list of them
        validation_data    (x, y[, sample_weight]) or batches, evaluated after each epoch; None: the last
                           `validation_split`, a fraction (0: no validation), of the arrays, which is not
                           trained on
        shuffle            True: arrays in a new order each epoch;  "batch":
                           within the batches alone;  False: as given
        class_weight       {class: factor of its losses};  sample_weight   an array, a factor for each sample
        steps_per_epoch    batches of an epoch; None: all;  validation_steps   likewise
        validation_batch_size   None: batch_size
        validation_freq    evaluate after every n-th epoch, or after those of a list (counted from 1)

        Raises ValueError without `compile` before it, for data that do not fit each other,
        and numbers out of range.

        >>> model.fit(x, y, batch_size=4, epochs=3, verbose=0).epoch
        [0, 1, 2]
        """
        refuse(self.fit, unknown)
        self._check_compiled("fit")
        _check_epochs(epochs, initial_epoch, validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split(validation_split, x, y, sample_weight)
        train = Epochs(
            self._batches_of_data(
                x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch,
                class_weight=class_weight
            ),
            steps_per_epoch,
        )  # fmt: skip
        validation = self._validation_epochs(
            validation_data, validation_batch_size, batch_size, validation_steps
        )
        rehearsal.compile_kernels(self, train, validation)
        hooks = self._callback_list(callbacks, verbose, True, epochs=epochs, steps=train.steps)
        with progress.running(self, progress.Progress(initial_epoch, train, Means(self))) as at:
            self._train_epochs(at, epochs, validation, validation_freq, hooks)
        assert hooks.history is not None
        return hooks.history

    @tracebacks.entry
    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = "auto",
        sample_weight: Any = None, steps: int | None = None, callbacks: Any = None, return_dict: bool = False,
        **unknown: Never,
    ) -> Any:  # fmt: skip
        """Loss and metrics on x, y in inference mode: the loss,
        or where there are metrics [loss, metric, ...].

        return_dict        {name: value} instead;  steps   batches to look at; None: all
        The others (batch_size, verbose, sample_weight, callbacks) are as in `fit`.
        Raises ValueError as `fit` does.

        >>> model.evaluate(x, model.predict(x, verbose=0), verbose=0)
        0.0
        """
        refuse(self.evaluate, unknown)
        self._check_compiled("evaluate")
        epochs = Epochs(self._batches_of_data(x, y, sample_weight, batch_size=batch_size, steps=steps), steps)
        hooks = self._callback_list(callbacks, verbose, False, epochs=1, steps=epochs.steps)
        return _reported(test_epoch(self, epochs, hooks), return_dict)

    @tracebacks.entry
    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None,
        callbacks: Any = None, **unknown: Never,
    ) -> Any:  # fmt: skip
        """Predictions for x in the order of the samples, in inference mode: a NumPy array,
        or a structure of them.

        batch_size, verbose and callbacks are as in `fit`, steps as in `evaluate`;
        the model need not be compiled.

        >>> model.predict(x, verbose=0).shape
        (8, 1)
        """
        refuse(self.predict, unknown)
        epochs = Epochs(self._batches_of_data(x, batch_size=batch_size, steps=steps), steps)
        hooks = self._callback_list(callbacks, verbose, False, epochs=1, steps=epochs.steps)
        return predict_epoch(self, epochs, hooks)

    @tracebacks.entry
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """One training step on one batch x, y; loss and metrics of this batch alone,
        in the form `evaluate` has.

        sample_weight and class_weight are as in `fit`, return_dict as in `evaluate`.
        """
        self._check_compiled("train_on_batch")
        return self._on_batch(
            training_step(self), self._one_batch(x, y, sample_weight, class_weight), return_dict
        )

    @tracebacks.entry
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch, x, y, sample_weight, in inference mode;
        return_dict as in `evaluate`.
        """
        self._check_compiled("test_on_batch")
        return self._on_batch(testing_step(self), self._one_batch(x, y, sample_weight), return_dict)

    @tracebacks.entry
    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for one batch x as NumPy arrays, in inference mode."""
        return predict_step(self, self._one_batch(x)[0])

    @tracebacks.entry
    def gradients(self, x: Any, y: Any = None, sample_weight: Any = None) -> dict[str, np.ndarray]:
        """{name of a parameter: derivative of the loss on a batch x, y, sample_weight},
        in inference mode; nothing changes.
        """
        self._check_compiled("gradients")
        x, y, weight = self._one_batch(x, y, sample_weight)
        # also for a signal handler that interrupts an evaluation
        with self._step_lock.lock, set_grad_enabled(True):
            loss, _ = self._loss_and_parts(x, y, self(x, training=False), weight, False)
            parameters = self.trainable_weights
            found = gradients(loss, parameters)
        return {
            str(p.name): np.array(device.to_host(g))
            for p, g in zip(parameters, found, strict=True)
            if g is not None
        }

    def reset_metrics(self) -> None:
        """Resets the running means: of the `fit` under way in this thread, or else the metrics."""
        if (run := progress.current(self)) is not None:
            run.means.reset()
        else:
            for metric in self.metrics:
                metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """{name: value} of loss and metrics: of the `fit` under way in this thread, or else as they are."""
        if (run := progress.current(self)) is not None:
            return run.means.results()
        with self._step_lock.lock:  # between two steps
            results = {} if self._compiled_objective is None else self._compiled_objective.results()
            for metric in self._metrics_of_layers():
                results.update(logged(metric.name, metric))
            return results

    def _loss_so_far(self) -> float:
        run = progress.current(self)
        return math.nan if run is None else run.means.loss()

    # Training that another process continues: see progress.py

    def training_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """(arrays, numbers) from which training can be continued, for callbacks of `fit`."""
        with self._step_lock.lock:
            return progress.training_state(self)

    def restore_training_state(
        self, arrays: dict[str, np.ndarray], numbers: dict[str, Any]
    ) -> Callable[[], None]:
        """Continues from (arrays, numbers) of `training_state`; in `on_train_begin`.
        Returns what undoes it.
        """
        with self._step_lock.lock:
            return progress.restore_training_state(self, arrays, numbers)

    def __getstate__(self) -> dict[str, Any]:
        # a copy that a callback makes does not train
        return {**super().__getstate__(), "_fits_by_thread": None}

    def _on_batch(self, step: Any, batch: Any, return_dict: bool) -> Any:
        """Runs a step on one batch; returns its loss and metrics."""
        means, (x, y, weight) = Means(self), batch
        try:
            run_step(self, means, step, x, y, weight, not self._compiled_objective.first_batch_seen)
            return _reported(means.results(), return_dict)
        finally:
            means.release()

    def _train_epochs(
        self, at: Any, epochs: int, validation: Epochs | None, frequency: Any, hooks: CallbackList
    ) -> None:
        """The epochs of `fit`."""
        hooks.on_train_begin()  # a callback may continue an interrupted training
        logs: dict[str, Any] = {}
        start = at.epoch
        for epoch in range(start, epochs):
            hooks.on_epoch_begin(epoch)
            found = train_epoch(self, at.means, at.data, hooks, first=epoch == start)
            if found is None:
                break
            logs = found
            if validation is not None and _due(epoch, frequency):
                values = test_epoch(self, validation, hooks)
                logs = python_logs({**logs, **{f"val_{name}": value for name, value in values.items()}})
            at.epoch = epoch + 1
            hooks.on_epoch_end(epoch, logs)
            if hooks.params.get("verbose") == 1 and (notice := self._notice_of_steps()):
                say(notice)
            if self.stop_training:
                break
        if self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        hooks.on_train_end(logs)

    def _batches_of_data(self, *data: Any, **how: Any) -> Any:
        """Batches of the data as the model takes them."""
        return as_batches(*data, **how, dtype=self.dtype, integers=keeps_integers(self))

    def _one_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Any:
        arrays = as_arrays(x, "x")
        size = max(len(next(leaves(arrays))), 1)
        batches = self._batches_of_data(arrays, y, sample_weight, batch_size=size, class_weight=class_weight)
        return next(batches.epoch())

    def _validation_epochs(
        self, data: Any, batch_size: int | None, fit_batch_size: int | None, steps: int | None
    ) -> Epochs | None:
        if data is None:
            return None
        # ((a, b), y) is no pair of batches
        pairs = isinstance(data, tuple) or not is_iterable_of_batches(data)
        if isinstance(data, list | tuple) and len(data) in (2, 3) and pairs:
            size = batch_size or fit_batch_size
            return Epochs(self._batches_of_data(*data, batch_size=size, steps=steps), steps)
        if isinstance(data, tuple) and not is_iterable_of_batches(data):
            raise ValueError(
                f"validation_data must be (x, y) or (x, y, sample_weight), got {len(data)} entries"
            )
        return Epochs(self._batches_of_data(data, batch_size=batch_size), steps)

    def _callback_list(
        self, callbacks: Any, verbose: int | str, history: bool, **params: Any
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
        verbose = 1 if verbose == "auto" else int(verbose)
        return CallbackList(
            callbacks, add_history=history, add_progbar=verbose != 0, model=self, verbose=verbose, **params
        )


def _check_epochs(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    """Raises ValueError for invalid numbers of epochs, before anything runs."""
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if not hasattr(value, "__index__") or value < 0:
            raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
    listed = isinstance(validation_freq, Sequence) and not isinstance(validation_freq, str)
    if not listed and (not hasattr(validation_freq, "__index__") or validation_freq < 1):
        raise ValueError(
            f"validation_freq must be an integer >= 1 or a list of epochs, got {validation_freq!r}"
        )


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether to validate after this epoch (from 0): every k-th, or those listed (from 1)."""
    return epoch + 1 in frequency if isinstance(frequency, Sequence) else (epoch + 1) % frequency == 0


def _reported(values: Mapping[str, Any], return_dict: bool) -> Any:
    if return_dict:
        return dict(sorted(values.items()))
    return list(values.values()) if len(values) > 1 else next(iter(values.values()), None)
