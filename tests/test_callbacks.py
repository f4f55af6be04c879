"""Callbacks: hooks and their order, EarlyStopping against Keras's decisions, the printed lines against Keras's."""

import io
import math

import numpy as np
import pytest

from tinynet import callbacks
from tinynet.callbacks import progbar_logger

NAN = math.nan


class Model:
    """What callbacks touch of a model; its weights are the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.epoch = self.restored = self.history = None
        self.optimizer = Optimizer()
        self.metrics = []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.restored = int(weights[0])


class Optimizer:
    learning_rate = 0.5


class Recorder(callbacks.Callback):
    """Notes every call, and adds an entry to the logs."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def __getattribute__(self, attribute):
        if not attribute.startswith("on_"):
            return super().__getattribute__(attribute)
        return lambda *args: self.calls.append((self.name, attribute, *args))


HOOKS = [name for name in vars(callbacks.Callback) if name.startswith("on_")]


def run(model, callback, values, name="val_loss"):
    """Run the epochs that `fit` would run; returns their number."""
    ran = 0
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value})
        ran += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return ran


# -- the base class and the list


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook not in ("on_batch_begin", "on_batch_end")])
def test_the_list_calls_every_callback_in_order_with_the_same_logs(hook):
    calls, logs = [], {"loss": 1.0}
    args = (3, logs) if "batch" in hook or "epoch" in hook else (logs,)
    getattr(callbacks.CallbackList([Recorder("first", calls), Recorder("second", calls)]), hook)(*args)
    assert [call[:2] for call in calls] == [("first", hook), ("second", hook)]
    assert all(call[-1] is logs for call in calls)


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
    both = callbacks.CallbackList(Adds(), add_history=True, add_progbar=True, model=model, verbose=0, epochs=2, steps=3)
    assert [type(callback) for callback in both.callbacks] == [Adds, callbacks.History, callbacks.ProgbarLogger]
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


# -- LearningRateScheduler


def test_schedule_of_one_and_of_two_arguments(capsys):
    model = Model()
    one, two = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)), None
    run(model, one, [1.0, 1.0])
    assert model.optimizer.learning_rate == 0.05
    two = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    run(model, two, [1.0, 1.0])
    assert model.optimizer.learning_rate == 0.0125
    assert capsys.readouterr().out == (
        "\nEpoch 1: LearningRateScheduler setting learning rate to 0.025.\n"
        "\nEpoch 2: LearningRateScheduler setting learning rate to 0.0125.\n"
    )


def test_the_learning_rate_is_logged_last():
    model, logs = Model(), {"accuracy": 1.0, "loss": 0.0}
    scheduler = callbacks.LearningRateScheduler(lambda epoch: np.float32(0.25))
    scheduler.set_model(model)
    scheduler.on_epoch_begin(0)
    scheduler.on_epoch_end(0, logs)
    assert list(logs) == ["accuracy", "loss", "learning_rate"]
    assert logs["learning_rate"] == 0.25


@pytest.mark.parametrize("rate", [1, "0.1", None, np.array([0.1])])
def test_a_schedule_must_return_a_float(rate):
    with pytest.raises(ValueError, match="expected `schedule` to return a float"):
        run(Model(), callbacks.LearningRateScheduler(lambda epoch: rate), [1.0])


def test_a_type_error_inside_the_schedule_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        run(Model(), callbacks.LearningRateScheduler(lambda epoch, rate: rate + "x"), [1.0])


def test_scheduler_without_optimizer_says_what_to_do():
    model = Model()
    model.optimizer = None
    with pytest.raises(ValueError, match="compile the model first"):
        run(model, callbacks.LearningRateScheduler(lambda epoch: 0.1), [1.0])


# -- EarlyStopping: (epochs run, stopped_epoch, best_epoch, epoch of the restored weights) as Keras 3.15 gives them

FALLING = [3.0, 2.0, 2.5, 1.9, 1.95, 1.8, 1.85, 1.9, 2.0, 2.1]
RESTORE = {"restore_best_weights": True}


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        (FALLING, {}, (3, 2, 1, None)),
        (FALLING, {"patience": 1}, (3, 2, 1, None)),
        (FALLING, {"patience": 2}, (8, 7, 5, None)),
        (FALLING, {"patience": 3}, (9, 8, 5, None)),
        (FALLING, {"patience": 2, **RESTORE}, (8, 7, 5, 5)),
        (FALLING, {"patience": 20, **RESTORE}, (10, 0, 5, 5)),
        (FALLING, {"patience": 2, "min_delta": 0.3}, (4, 3, 1, None)),
        (FALLING, {"patience": 2, "min_delta": -0.3, **RESTORE}, (4, 3, 1, 1)),
        (FALLING, {"patience": 2, "baseline": 1.85, **RESTORE}, (3, 2, 1, 1)),
        (FALLING, {"patience": 2, "baseline": 1.0, **RESTORE}, (3, 2, 1, 1)),
        (FALLING, {"patience": 3, "baseline": 2.2}, (9, 8, 5, None)),
        (FALLING, {"patience": 0, "start_from_epoch": 4, **RESTORE}, (7, 6, 5, 5)),
        (FALLING, {"patience": 1, "start_from_epoch": 3, **RESTORE}, (5, 4, 3, 3)),
        (FALLING, {"patience": 1, "mode": "max", **RESTORE}, (2, 1, 0, 0)),
        ([1.0, 1.0, 1.0], {"patience": 0}, (2, 1, 0, None)),
        ([1.0, 1.0, 1.0], {"patience": 2, **RESTORE}, (3, 2, 0, 0)),
        ([NAN] * 4, {"patience": 2, **RESTORE}, (3, 2, 0, 0)),
        ([2.0, NAN, 1.0, NAN, NAN], {"patience": 2, **RESTORE}, (5, 4, 2, 2)),
        ([5.0], {"patience": 0, **RESTORE}, (1, 0, 0, 0)),
        ([1.0, 2.0], {"patience": 0, **RESTORE}, (2, 1, 0, 0)),
        ([3.0, 2.0, 1.0, 1.5], {"patience": 1, "start_from_epoch": 10, **RESTORE}, (4, 0, 0, None)),
    ],
)
def test_early_stopping_decides_as_keras(values, options, expected):
    model, stopping = Model(), callbacks.EarlyStopping(**options)
    ran = run(model, stopping, values)
    assert (ran, stopping.stopped_epoch, stopping.best_epoch, model.restored) == expected


def test_early_stopping_messages(capsys):
    run(Model(), callbacks.EarlyStopping(verbose=1, restore_best_weights=True), [2.0, 1.0, 3.0])
    assert capsys.readouterr().out == (
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


@pytest.mark.parametrize("monitor", ["accuracy", "val_accuracy", "acc", "val_top_k_categorical_accuracy"])
def test_accuracies_should_rise(monitor):
    assert run(Model(), callbacks.EarlyStopping(monitor), [0.1, 0.2, 0.3, 0.2, 0.4], monitor) == 4


@pytest.mark.parametrize(("direction", "epochs"), [("up", 2), ("down", 3)])
def test_the_models_metric_tells_the_direction(direction, epochs):
    model = Model()
    model.metrics = [type("Metric", (), {"name": "score", "direction": direction})()]
    assert run(model, callbacks.EarlyStopping("val_score"), [3.0, 2.0, 2.5], "val_score") == epochs


def test_an_unknown_direction_is_refused():
    model = Model()
    model.metrics = [type("Metric", (), {"name": "score", "direction": None})()]
    with pytest.raises(ValueError, match="mode='max' or mode='min'"):
        run(model, callbacks.EarlyStopping("val_score"), [1.0, 2.0], "val_score")


def test_a_missing_value_warns_and_an_unknown_mode_too():
    with pytest.warns(UserWarning, match="`val_loss` is not logged; available are: loss"):
        run(Model(), callbacks.EarlyStopping(), [1.0], "loss")
    with pytest.warns(UserWarning, match="'auto' is used instead"):
        callbacks.EarlyStopping(mode="lowest")


def test_early_stopping_can_be_used_twice():
    stopping = callbacks.EarlyStopping(restore_best_weights=True)
    run(Model(), stopping, [1.0, 2.0])
    model = Model()
    assert run(model, stopping, [9.0, 8.0, 8.5]) == 3
    assert model.restored == 1


# -- ProgbarLogger


class Clock:
    now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progbar_logger, "time", clock)
    return clock


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def epoch_of(steps, seconds, logs, clock, verbose, known=True):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"verbose": verbose, "epochs": 1, "steps": steps if known else None})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    for step in range(steps):
        clock.now += seconds
        bar.on_train_batch_end(step, {"loss": 0.5})
    bar.on_epoch_end(0, logs)


LOGS = {"accuracy": 0.93761, "loss": 0.20104, "val_accuracy": 0.97, "val_loss": 0.1}


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
@pytest.mark.parametrize(
    ("steps", "seconds", "logs", "line"),  # lines printed by Keras 3.15
    [
        (469, 0.0078, LOGS,
         "469/469 - 4s - 8ms/step - accuracy: 0.9376 - loss: 0.2010 - val_accuracy: 0.9700 - val_loss: 0.1000\n"),
        (3, 2.6, {"loss": 12.5}, "3/3 - 8s - 3s/step - loss: 12.5000\n"),
        (1, 0.5, {"loss": 0.0009}, "1/1 - 0s - 500ms/step - loss: 9.0000e-04\n"),
        (10, 0.00025, {"learning_rate": 1e-3, "loss": 1e-7},
         "10/10 - 0s - 250us/step - learning_rate: 1.0000e-03 - loss: 1.0000e-07\n"),
        (12, 0.1, {}, "12/12 - 1s - 100ms/step\n"),
    ],
)  # fmt: skip
def test_lines_are_keras_lines(clock, capsys, verbose, steps, seconds, logs, line):
    epoch_of(steps, seconds, logs, clock, verbose)  # captured output is no terminal: verbose 1 prints the same line
    assert capsys.readouterr().out == line


def test_verbose_0_prints_nothing(clock, capsys):
    epoch_of(5, 1.0, LOGS, clock, 0)
    assert capsys.readouterr().out == ""


def test_an_unknown_number_of_steps_is_known_at_the_end(clock, capsys):
    epoch_of(7, 1.0, {}, clock, 2, known=False)
    assert capsys.readouterr().out == "7/7 - 7s - 1s/step\n"


def test_the_first_step_and_the_validation_are_not_in_the_time_per_step(clock, capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"verbose": 2, "epochs": 3, "steps": 5})
    bar.on_train_begin()
    bar.on_epoch_begin(1)
    for step, seconds in enumerate([30.0, 0.01, 0.01, 0.01, 0.01]):
        clock.now += seconds
        bar.on_train_batch_end(step, {})
    bar.on_test_begin()
    bar.on_test_batch_end(0, {"loss": 1.0})
    clock.now += 5
    bar.on_test_end({"loss": 1.0})
    bar.on_epoch_end(1, {})
    assert capsys.readouterr().out == "Epoch 2/3\n5/5 - 35s - 10ms/step\n"


@pytest.mark.parametrize(("stage", "line"), [("test", "4/4 - 0s - 100ms/step - loss: 0.5000\n"),
                                             ("predict", "4/4 - 0s - 100ms/step\n")])  # fmt: skip
def test_evaluate_and_predict(clock, capsys, stage, line):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"verbose": 2, "epochs": 1, "steps": 4})
    getattr(bar, f"on_{stage}_begin")()
    for step in range(4):
        clock.now += 0.1
        getattr(bar, f"on_{stage}_batch_end")(step, {"loss": 0.5} if stage == "test" else {"outputs": np.zeros(9)})
    getattr(bar, f"on_{stage}_end")({"loss": 0.5})
    assert capsys.readouterr().out == line


def test_the_bar_on_a_terminal(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    epoch_of(100, 1 / 32, LOGS, clock, 1)
    drawn = [line.rstrip() for line in terminal.getvalue().split("\r")]
    assert all(len(line) <= 60 for line in drawn[:-1])
    assert "48/100 ━━━━━━━━━─────────── 1s 31ms/step - loss: 0.5000" in drawn
    # Drawn every 0.1 s (here every fourth step), not at each of the 100 steps; the line that stays is whole.
    assert 25 <= len(drawn) <= 30
    assert terminal.getvalue().endswith(
        "\r100/100 ━━━━━━━━━━━━━━━━━━━━ 3s 31ms/step - accuracy: 0.9376 - loss: 0.2010 - val_accuracy: 0.9700"
        " - val_loss: 0.1000\n"
    )


def test_the_bar_without_known_steps_or_unicode(clock, monkeypatch):
    terminal = Terminal()
    terminal.encoding = "ascii"
    monkeypatch.setattr("sys.stdout", terminal)
    epoch_of(32, 1 / 16, {"loss": 0.5}, clock, 1, known=False)
    text = terminal.getvalue()
    assert text.isascii()
    assert "\r10/Unknown 62ms/step - loss: 0.5000\r" in text
    assert text.endswith("\r32/32 ==================== 2s 62ms/step - loss: 0.5000\n")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59, "59s"), (60, "60s"), (61, "1:01"), (3600, "60:00"), (3661.5, "1:01:01")]
)
def test_durations(seconds, text):
    assert progbar_logger._duration(seconds) == text
