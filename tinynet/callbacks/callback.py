"""The base class of callbacks: every hook, doing nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tinynet import signature
from tinynet.callbacks import schema

Logs = dict[str, Any] | None


class Callback:
    """Override the hooks you need; `self.model` is the model that runs,
    `self.params` = {verbose, epochs, steps}.

    `epoch` and `batch` count from 0. `logs` is the dictionary of the event's values (loss, metrics); all
    callbacks get the same one, in order, so an entry one of them adds is seen by those after it. Setting
    `self.model.stop_training` to True ends training after the current batch. `state` is what a callback's
    `training_state` returned.

    >>> class Batches(Callback):
    ...     def on_train_batch_end(self, batch, logs=None):
    ...         print(batch, list(logs))
    >>> history = model.fit(x, y, batch_size=4, verbose=0, callbacks=[Batches()])
    0 ['loss']
    1 ['loss']
    """

    model: Any = None
    params: Any = None
    _comes_last = False  # whether it is called after all others, the History and the progress bar included
    # Of the entries of its state; None: it checks them itself.
    _state_kinds: ClassVar[Mapping[str, schema.Kind] | None] = None
    # given to those that are called last: the other callbacks of the run
    _other_callbacks: Sequence["Callback"] = ()
    __repr__ = signature.call_repr

    def set_model(self, model: Any) -> None:
        """Called once before the run with the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once before the run with params, {verbose, epochs, steps}."""
        self.params = params

    def _wants_values(self) -> bool:
        """Whether the hooks called after a batch need the values of loss and metrics now."""
        return True

    def training_state(self) -> dict[str, Any] | None:
        """What a run that was killed needs to go on: numbers, strings, None, arrays,
        and lists and dictionaries of those.

        BackupAndRestore saves it, after every hook of the same event, and hands it to
        `restore_training_state`. None: nothing.
        """
        return None

    def check_training_state(self, state: Any) -> None:
        """Raises ValueError for what `restore_training_state` cannot take up;
        called before anything of a backup is.
        """
        if self._state_kinds is not None:
            schema.check(state, self._state_kinds, type(self).__name__)

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `training_state` returned; called after on_train_begin of every callback."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch of `fit`; logs are those of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch of `fit`."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch of `fit` and its validation (entries `val_...`)."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The older name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The older name of on_train_batch_end."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training batch; logs are running means since the start of the epoch."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate`, or before the validation of an epoch."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate`, or after the validation of an epoch."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `evaluate` or of validation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `predict`; logs = {"outputs": predictions}."""
