"""ProgbarLogger: the printed lines against Keras's, and the bar on a terminal."""

import io

import numpy as np
import pytest

from tinynet import callbacks
from tinynet.callbacks import progbar_logger


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
         "469/469 - 4s - 8ms/step - accuracy: 0.9376 - loss: 0.2010 - val_accuracy: "
         "0.9700 - val_loss: 0.1000\n"),
        (3, 2.6, {"loss": 12.5}, "3/3 - 8s - 3s/step - loss: 12.5000\n"),
        (1, 0.5, {"loss": 0.0009}, "1/1 - 0s - 500ms/step - loss: 9.0000e-04\n"),
        (10, 0.00025, {"learning_rate": 1e-3, "loss": 1e-7},
         "10/10 - 0s - 250us/step - learning_rate: 1.0000e-03 - loss: 1.0000e-07\n"),
        (12, 0.1, {}, "12/12 - 1s - 100ms/step\n"),
    ],
)  # fmt: skip
def test_lines_are_keras_lines(clock, capsys, verbose, steps, seconds, logs, line):
    # captured output is no terminal: verbose 1 prints the same line
    epoch_of(steps, seconds, logs, clock, verbose)
    assert capsys.readouterr().out == line


def test_negative_values_are_powers_of_ten_in_lines_as_in_keras(clock, capsys):
    for verbose in (1, 2):
        epoch_of(1, 0.5, {"loss": -0.5}, clock, verbose)
    assert capsys.readouterr().out.splitlines() == [
        "1/1 - 0s - 500ms/step - loss: -0.5000",
        "1/1 - 0s - 500ms/step - loss: -5.0000e-01",
    ]


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
        getattr(bar, f"on_{stage}_batch_end")(
            step, {"loss": 0.5} if stage == "test" else {"outputs": np.zeros(9)}
        )
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
    # Drawn every 0.1 s (here every fourth step), not at each of the 100 steps;
    # what stays is whole, broken between values.
    assert 25 <= len(drawn) <= 30
    assert terminal.getvalue().endswith(
        "\r100/100 ━━━━━━━━━━━━━━━━━━━━ 3s 31ms/step - accuracy: 0.9376\n"
        "        - loss: 0.2010 - val_accuracy: 0.9700\n        - val_loss: 0.1000\n"
    )


@pytest.mark.parametrize("width", [20, 40, 79, 80, 81, 120, 200])
def test_what_stays_fits_the_terminal(clock, monkeypatch, width):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    epoch_of(469, 1 / 32, LOGS, clock, 1)
    (*_, first), *others = (line.split("\r") for line in terminal.getvalue().rstrip("\n").split("\n"))
    lines = [first, *(line for (line,) in others)]
    longest = max(
        len(one) for one in (first.split(" - ")[0], *(f"        - {name}: 0.9376" for name in LOGS))
    )
    assert all(len(line) <= max(width, longest) for line in lines)
    assert " ".join(" ".join(lines).split()) == (
        "469/469 ━━━━━━━━━━━━━━━━━━━━ 15s 31ms/step - accuracy: 0.9376 - loss: 0.2010 - val_accuracy: "
        "0.9700 - val_loss: 0.1000"
    )
    assert len(lines) == {20: 5, 40: 5, 79: 2, 80: 2, 81: 2, 120: 1, 200: 1}[width]


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
    ("seconds", "text"),
    [(0.4, "0s"), (59, "59s"), (60, "60s"), (61, "1:01"), (3600, "60:00"), (3661.5, "1:01:01")],
)
def test_durations(seconds, text):
    assert progbar_logger._duration(seconds) == text
