"""The hooks, the order in which a list calls them, History and LambdaCallback."""

import numpy as np
import pytest

from tinynet import callbacks

from fixtures.callback_scripts import Model, run


class Recorder(callbacks.Callback):
    """Notes every call, and adds an entry to the logs."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def __getattribute__(self, attribute):
        if not attribute.startswith("on_"):
            return super().__getattribute__(attribute)
        return lambda *args: self.calls.append((self.name, attribute, *args))


HOOKS = [name for name in vars(callbacks.Callback) if name.startswith("on_")]


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook not in ("on_batch_begin", "on_batch_end")])
def test_the_list_calls_every_callback_in_order_with_the_same_logs(hook):
    calls, logs = [], {"loss": 1.0}
    args = (3, logs) if "batch" in hook or "epoch" in hook else (logs,)
    getattr(callbacks.CallbackList([Recorder("first", calls), Recorder("second", calls)]), hook)(*args)
    assert [call[:2] for call in calls] == [("first", hook), ("second", hook)]
    assert all(call[-1] is logs for call in calls)


@pytest.mark.parametrize("hook", HOOKS)
def test_logs_are_a_dictionary_always(hook):
    calls = []
    number = (3,) if "batch" in hook or "epoch" in hook else ()
    getattr(callbacks.CallbackList([Recorder("one", calls)]), hook)(*number)
    assert [call[2:] for call in calls] == [(*number, {})]


def test_keras_hooks_exist():
    stages = ["on_train", "on_test", "on_predict", "on_epoch", "on_batch"]
    stages += ["on_train_batch", "on_test_batch", "on_predict_batch"]
    assert set(HOOKS) == {f"{stage}_{end}" for stage in stages for end in ("begin", "end")}


def test_train_batch_hooks_call_the_older_names():
    calls = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            calls.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            calls.append(("end", batch))

    both = callbacks.CallbackList([Old()])
    both.on_train_batch_begin(4)
    both.on_train_batch_end(4, {})
    both.on_batch_end(5)
    assert calls == [("begin", 4), ("end", 4), ("end", 5)]


def test_defaults_come_after_the_users_callbacks_and_see_what_those_add():
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = 7.0

    model = Model()
    both = callbacks.CallbackList(
        Adds(), add_history=True, add_progbar=True, model=model, verbose=0, epochs=2, steps=3
    )
    assert [type(callback) for callback in both.callbacks] == [
        Adds,
        callbacks.History,
        callbacks.ProgbarLogger,
    ]
    assert all(callback.params == {"verbose": 0, "epochs": 2, "steps": 3} for callback in both.callbacks)
    assert all(callback.model is model for callback in both.callbacks)
    both.on_train_begin()
    both.on_epoch_end(0, {"loss": 2.0})
    both.on_epoch_end(1, {"loss": 1.0})
    assert model.history is both.history
    assert both.history.history == {"loss": [2.0, 1.0], "extra": [7.0, 7.0]}
    assert both.history.epoch == [0, 1]


def test_own_history_and_progress_bar_are_not_doubled():
    own = [callbacks.History(), callbacks.ProgbarLogger()]
    both = callbacks.CallbackList(own, add_history=True, add_progbar=True, verbose=0, epochs=1, steps=1)
    assert both.callbacks == own
    assert both.history is own[0]


def test_a_callback_that_is_none_is_refused():
    with pytest.raises(TypeError, match="expected instances of Callback"):
        callbacks.CallbackList([callbacks.History])


def test_python_logs_are_sorted_floats():
    logs = callbacks.python_logs({"loss": np.float32(0.5), "val_loss": 1, "accuracy": np.array(0.25)})
    assert list(logs.items()) == [("accuracy", 0.25), ("loss", 0.5), ("val_loss", 1.0)]
    assert all(type(value) is float for value in logs.values())


def test_history_epochs_start_anew_at_each_fit():
    history = callbacks.History()
    run(Model(), history, [3.0, 2.0])
    run(Model(), history, [1.0])
    assert history.epoch == [0]
    assert history.history == {"val_loss": [3.0, 2.0, 1.0]}


def test_lambda_callback_calls_its_functions():
    calls = []
    callback = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append((epoch, logs)),
        on_train_begin=lambda logs: calls.append("begin"),
        on_test_end=lambda logs: calls.append("test"),
        note=5,
    )
    callback.on_train_begin(None)
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0, {"loss": 1})
    callback.on_test_end({})
    assert calls == ["begin", (0, {"loss": 1}), "test"]
    assert callback.note == 5
