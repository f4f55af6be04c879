"""A list of callbacks that is called like one of them, and the form in which values are logged."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tinynet import signature
from tinynet.callbacks.callback import Callback
from tinynet.callbacks.history import History
from tinynet.callbacks.progbar_logger import ProgbarLogger


def python_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `logs` as Python floats (several at once as they are), keys in alphabetical order: what
    the hooks are handed.

    >>> python_logs({"loss": np.float32(0.5), "accuracy": np.ones(())})
    {'accuracy': 1.0, 'loss': 0.5}
    """
    return {key: float(logs[key]) if np.ndim(logs[key]) == 0 else logs[key] for key in sorted(logs)}


def _for_each(hook: str) -> Callable[..., None]:
    """The method of CallbackList that calls `hook` of every callback; as in Keras,
    `logs` is a dictionary always.
    """

    def call(self: "CallbackList", logs: Any = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(logs)

    def numbered(self: "CallbackList", number: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(number, logs)

    method = numbered if "batch" in hook or "epoch" in hook else call
    method.__name__ = hook
    return method


def _after_batch(*hooks: str) -> Callable[..., None]:
    """The method of CallbackList for hooks[0], called by callbacks that define one of `hooks`.

    `logs` may be a function that gives the values: they are read only where a callback wants them,
    since that takes time.
    """

    def call(self: "CallbackList", batch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            if any(_defines(callback, hook) for hook in hooks):
                if callable(logs) and callback._wants_values():
                    logs = python_logs(logs())
                getattr(callback, hooks[0])(batch, {} if callable(logs) else logs)

    call.__name__ = hooks[0]
    return call


def _hint(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Callback):
        return f"; write {value.__name__}(...) with its arguments"
    return "; a function is called by LambdaCallback(on_epoch_end=function)" if callable(value) else ""


def _defines(callback: Callback, hook: str) -> bool:
    return getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)


class CallbackList(Callback):
    """Calls each hook of `callbacks` in order: the user's, then a History,
    then the progress bar, then those marked `last`.

    `callbacks` may be one callback, a list, or None. `add_history` and `add_progbar` append those two unless
    the user gave their own. `params` (verbose, epochs, steps) are handed to every callback, as is `model`.
    Raises TypeError for what is no callback. `number` is that of the epoch or the batch.

    >>> hooks = CallbackList([LambdaCallback(on_train_begin=lambda logs: print("go"))])
    >>> hooks.on_train_begin()
    go
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        single = isinstance(callbacks, Callback | str | type) or not isinstance(callbacks, Iterable | None)
        given: list[Any] = [callbacks] if single else list(callbacks or ())  # type: ignore[arg-type]
        for callback in given:
            if not isinstance(callback, Callback):
                raise TypeError(
                    "callbacks: expected instances of Callback, got "
                    f"{signature.text(callback)}{_hint(callback)}"
                )
        self.callbacks: list[Callback] = given
        if add_history and self.history is None:
            self.append(History())
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in given):
            self.append(ProgbarLogger())
        self._arrange()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    @property
    def history(self) -> History | None:
        """The History among the callbacks."""
        return next((callback for callback in self.callbacks if isinstance(callback, History)), None)

    def append(self, callback: Callback) -> None:
        """Add a callback at the end; those that are called last stay behind it."""
        self.callbacks.append(callback)
        self._arrange()

    def _arrange(self) -> None:
        self.callbacks.sort(key=lambda callback: callback._comes_last)  # stable: otherwise the order given
        for callback in self.callbacks:
            if callback._comes_last:
                callback._other_callbacks = [other for other in self.callbacks if other is not callback]

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    on_train_begin = _for_each("on_train_begin")
    on_train_end = _for_each("on_train_end")
    on_epoch_begin = _for_each("on_epoch_begin")
    on_epoch_end = _for_each("on_epoch_end")
    on_train_batch_begin = on_batch_begin = _for_each("on_train_batch_begin")
    on_train_batch_end = on_batch_end = _after_batch("on_train_batch_end", "on_batch_end")
    on_test_begin = _for_each("on_test_begin")
    on_test_end = _for_each("on_test_end")
    on_test_batch_begin = _for_each("on_test_batch_begin")
    on_test_batch_end = _after_batch("on_test_batch_end")
    on_predict_begin = _for_each("on_predict_begin")
    on_predict_end = _for_each("on_predict_end")
    on_predict_batch_begin = _for_each("on_predict_batch_begin")
    on_predict_batch_end = _for_each("on_predict_batch_end")
