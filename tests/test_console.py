"""Text is printed on whatever stands for standard output, and a training goes on whatever that is."""

import ast
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, console, layers, memory
from tinynet.callbacks import progbar_logger

ROOT = Path(__file__).parent.parent


class Tee:
    """The least that is put in the place of sys.stdout: it writes."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class AsciiTee(Tee):
    """Says nothing of what it can show, and cannot show everything."""

    def write(self, text):
        super().write(text.encode("ascii").decode())


class Closed(Tee):
    closed = True

    def write(self, text):
        raise AssertionError("written to although it is closed")


class ClosedBehind(Tee):
    def write(self, text):
        raise ValueError("I/O operation on closed file.")

    def isatty(self):
        raise ValueError("I/O operation on closed file")


class NoMethod(Tee):
    isatty = False
    encoding = None


class OddEncoding(Tee):
    encoding = "no-such-encoding"

    def isatty(self):
        raise OSError("not a device")


class Terminal(Tee):
    """A terminal without `encoding` and `flush`."""

    def isatty(self):
        return True


STREAMS = [Tee, AsciiTee, Closed, ClosedBehind, NoMethod, OddEncoding, Terminal, type(None)]


def terminal_of(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    stream.isatty = lambda: True
    return stream


def small_model(name="größe_数"):
    model = tinynet.Sequential([layers.Input((2,)), layers.Dense(1, name=name)], name="m")
    model.compile("sgd", "mse", metrics=[tinynet.metrics.MeanAbsoluteError(name="fehler_größe")])
    return model


def everything_that_prints(tmp_path):
    """Trains, evaluates and predicts with every callback that speaks, and prints the tables. The weights."""
    tinynet.utils.set_random_seed(1)
    model = small_model()
    x, y = np.ones((8, 2), "f4"), np.ones((8, 1), "f4")
    speaking = [
        callbacks.ModelCheckpoint(str(tmp_path / "größe_数.tinynet"), verbose=1),
        callbacks.ModelCheckpoint(
            str(tmp_path / "größe_数2.tinynet"), monitor="loss", save_best_only=True, verbose=1
        ),
        callbacks.EarlyStopping("loss", patience=1, min_delta=100.0, restore_best_weights=True, verbose=1),
        callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100.0, verbose=1),
        callbacks.LearningRateScheduler(lambda epoch: 0.01, verbose=1),
    ]
    for verbose in (1, 2):
        model.fit(x, y, epochs=3, batch_size=4, callbacks=speaking if verbose == 1 else None, verbose=verbose)
        model.evaluate(x, y, verbose=verbose)
        model.predict(x, verbose=verbose)
    model.fit(x * np.nan, y, callbacks=[callbacks.TerminateOnNaN()], verbose=0)
    model.summary(expand_nested=True)
    memory.summary(model, x)
    return model.get_weights()


@pytest.mark.parametrize("kind", STREAMS, ids=lambda kind: kind.__name__)
def test_training_and_tables_need_no_more_of_stdout_than_write(kind, monkeypatch, tmp_path):
    monkeypatch.setattr(progbar_logger, "REDRAW_SECONDS", 0.0)
    stream = kind()
    monkeypatch.setattr("sys.stdout", stream)
    everything_that_prints(tmp_path)
    text = getattr(stream, "text", None)
    if kind in (Closed, ClosedBehind, type(None)):
        assert not text
        return
    for said in (
        "Epoch 3/3",
        "2/2",
        "loss: ",
        "Trainable params: 3",
        "early stopping",
        "saving model to",
        "MiB",
        "Invalid",
    ):
        assert said in text
    if kind is AsciiTee:
        assert text.isascii()
        assert "| gr\\xf6\\xdfe_\\u6570 (Dense)" in text
    else:
        assert "│ größe_数 (Dense)" in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8", "utf-16", "koi8-r"])
@pytest.mark.parametrize("terminal", [False, True])
def test_every_encoding_shows_what_it_can(encoding, terminal, monkeypatch, tmp_path):
    monkeypatch.setattr(progbar_logger, "REDRAW_SECONDS", 0.0)
    stream = (
        terminal_of(encoding) if terminal else io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    )
    monkeypatch.setattr("sys.stdout", stream)
    everything_that_prints(tmp_path)
    stream.flush()
    text = stream.buffer.getvalue().decode(encoding)
    boxes = encoding in ("utf-8", "utf-16")
    assert ("┏━" in text) == boxes
    assert ("+--" in text) == (not boxes)
    name = {
        "utf-8": "größe_数",
        "utf-16": "größe_数",
        "ascii": "gr\\xf6\\xdfe_\\u6570",
        "koi8-r": "gr\\xf6\\xdfe_\\u6570",
    }
    assert f"{name.get(encoding, 'größe_' + chr(92) + 'u6570')} (Dense)" in text
    assert "fehler_gr" in text


TABLE = """\
Model: "m"
+--------------------------+-------------------+-----------+
| Layer (type)             | Output Shape      |   Param # |
+--------------------------+-------------------+-----------+
| a_name_that_is_too_long~ | (None, 3)         |         9 |
| (Dense)                  |                   |           |
+--------------------------+-------------------+-----------+
 Total params: 9 (36.00 B)
 Trainable params: 9 (36.00 B)
 Non-trainable params: 0 (0.00 B)
"""


def test_the_table_in_ascii_keeps_its_columns(monkeypatch):
    name = "a_name_that_is_too_long_for_its_column"
    model = tinynet.Sequential([layers.Input((2,)), layers.Dense(3, name=name)], name="m")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    monkeypatch.setattr("sys.stdout", stream)
    model.summary(line_length=60)
    assert stream.buffer.getvalue().decode() == TABLE


def test_text_that_a_stream_shows_is_left_as_it_is():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    assert console.shown("größe … 3", stream) == "größe … 3"  # the dots are in cp1252
    assert console.shown("größe │ …", stream) == "größe | ~"  # the bar is not: all of the drawing in ASCII
    assert console.shown("größe 数", stream) == "größe \\u6570"
    assert console.shown("│ \ud800", io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) == "│ \\ud800"


def test_errors_of_the_device_are_raised():
    class Full(Tee):
        def write(self, text):
            raise OSError(28, "No space left on device")

    class Wrong(Tee):
        def write(self, text):
            raise ValueError("a mistake of the stream's own")

    with contextlib.redirect_stdout(Full()), pytest.raises(OSError, match="No space"):
        console.say("text")
    with contextlib.redirect_stdout(Wrong()), pytest.raises(ValueError, match="a mistake of"):
        console.say("text")


def test_each_line_is_flushed(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="utf-8"))
    console.say("one line")
    assert raw.getvalue() == b"one line" + os.linesep.encode()


@pytest.mark.parametrize(
    ("stream", "is_one"),
    [
        (None, False),
        (Tee(), False),
        (Terminal(), True),
        (ClosedBehind(), False),
        (NoMethod(), False),
        (OddEncoding(), False),
    ],
)
def test_a_terminal_is_one_that_says_so(stream, is_one):
    assert console.is_terminal(stream) is is_one


SCRIPT = """
import numpy as np, tinynet
from tinynet import layers
model = tinynet.Sequential([layers.Input((2,)), layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)))
model.summary()
"""


@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ({"PYTHONIOENCODING": "ascii"}, '"$0" -c "$1"'),
        ({"PYTHONIOENCODING": "latin-1"}, '"$0" -c "$1"'),
        ({"PYTHONIOENCODING": "cp1252"}, '"$0" -c "$1"'),
        ({"LC_ALL": "C"}, '"$0" -X utf8=0 -c "$1"'),
        ({}, '"$0" -OO -c "$1"'),
        ({}, '"$0" -c "$1" >&-'),
        ({}, '"$0" -c "$1" >&- 2>&-'),
        ({}, '"$0" -c "$1" <&- >&- 2>&-'),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="the shell closes the descriptors")
def test_scripts_run_in_every_environment(variables, command):
    environment = {**os.environ, "PYTHONCOERCECLOCALE": "0", **variables}
    run = subprocess.run(
        ["sh", "-c", command, sys.executable, SCRIPT], env=environment, capture_output=True, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    if ">&-" not in command:
        assert b"Total params" in run.stdout
        assert b"loss: " in run.stdout


def test_nothing_else_prints():
    """`print` and `sys.stdout.write` stand in no file of tinynet's but `console.py`;
    standard error may be printed to.
    """
    for path in sorted((ROOT / "tinynet").rglob("*.py")):
        if path.name == "console.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            calls_print = isinstance(node, ast.Name) and node.id == "print"
            writes = isinstance(node, ast.Attribute) and node.attr in ("write", "isatty", "encoding")
            of_stdout = writes and ast.unparse(node.value) in ("sys.stdout", "sys.__stdout__")
            if calls_print or of_stdout:
                pytest.fail(f"{path}:{node.lineno}: print with `tinynet.console.say`")
