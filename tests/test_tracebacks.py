"""Tracebacks lead to the user's code: frames of tinynet's own are left out,
those of callbacks, layers and the like stay.
"""

import os
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, losses
from tinynet.backend import random

HERE = Path(__file__).name
X, Y = np.ones((64, 3), np.float32), np.ones((64, 1), np.float32)


@pytest.fixture(autouse=True)
def filtering():
    before = tinynet.config.is_traceback_filtering_enabled()
    tinynet.config.enable_traceback_filtering()
    yield
    (tinynet.config.enable_traceback_filtering if before else tinynet.config.disable_traceback_filtering)()


def model(*inner):
    made = tinynet.Sequential([layers.Input((3,)), *(inner or (layers.Dense(1),))])
    made.compile("sgd", "mse")
    return made


def frames(error):
    """Names of the functions in the traceback, and whether there is one that is not in this file."""
    found = traceback.extract_tb(error.__traceback__)
    return [frame.name for frame in found], {Path(frame.filename).name for frame in found}


def broken(*args, **kwargs):
    raise ZeroDivisionError("mine")


class Broken(layers.Layer):
    def call(self, x):
        return broken() if getattr(self, "armed", False) else x


class BrokenLoss(losses.Loss):
    def call(self, y_true, y_pred):
        broken()


def batches():
    yield X, Y
    broken()


def in_layer():
    layer = Broken()
    made = model(layer, layers.Dense(1))
    layer.armed = True
    made.run_eagerly = True
    made.fit(X, Y, verbose=0)


def in_loss():
    made = model()
    made.compile("sgd", BrokenLoss())
    made.fit(X, Y, verbose=0)


class BrokenCallback(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        broken()


MINE = {
    "a callback": lambda: model().fit(X, Y, epochs=9, verbose=0, callbacks=[BrokenCallback()]),
    "a LambdaCallback": lambda: model().fit(
        X, Y, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=broken)]
    ),
    "a generator": lambda: model().fit(batches(), verbose=0),
    "a layer": in_layer,
    "a loss": in_loss,
    "a metric": lambda: _fit_with(metrics=[broken]),
    "a schedule": lambda: model().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(broken)]),
    "a Lambda": lambda: layers.Lambda(broken)(X),
    "an initializer": lambda: layers.Dense(1, kernel_initializer=broken)(X),
    "within evaluate in a callback": lambda: _evaluate_in_fit(),
}


def _fit_with(**settings):
    made = model()
    made.compile("sgd", "mse", **settings)
    made.fit(X, Y, verbose=0)


def _evaluate_in_fit():
    made = model()
    inner = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: made.evaluate(batches(), verbose=0))
    made.fit(X, Y, verbose=0, callbacks=[inner])


@pytest.mark.parametrize("name", MINE)
def test_frames_of_the_users_stay_and_others_go(name):
    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        MINE[name]()
    names, files = frames(caught.value)
    assert files == {HERE}
    assert names[-1] == "broken"
    whole = traceback.extract_tb(caught.value.full_traceback)
    assert len(whole) > len(names) - 1  # it begins where the user called
    assert any("tinynet" in frame.filename for frame in whole)
    assert whole[-1].name == "broken"


OURS = {
    "fit": lambda: model().fit(X, Y[:3], verbose=0),
    "shapes": lambda: model().fit(X[:, :2], Y, verbose=0),
    "evaluate": lambda: model().evaluate(X, verbose=0),
    "predict": lambda: model().predict(X[:, :2], verbose=0),
    "train_on_batch": lambda: model().train_on_batch(X[:, :2], Y),
    "compile": lambda: model().compile("adm"),
    "a layer's call": lambda: layers.Dense(1)(np.ones(3)),
    "a symbolic call": lambda: layers.Conv2D(1, 3)(layers.Input((3,))),
    "Sequential": lambda: tinynet.Sequential([layers.Input((3,)), layers.Conv2D(1, 3)]),
    "Model": lambda: tinynet.Model(X, Y),
}


@pytest.mark.parametrize("name", OURS)
def test_errors_of_tinynet_end_at_the_line_that_was_wrong(name):
    with pytest.raises((ValueError, TypeError)) as caught:
        OURS[name]()
    names, files = frames(caught.value)
    assert files == {HERE}
    assert names[-1] == "<lambda>"


def test_errors_that_caused_others_are_trimmed_too():
    with pytest.raises(ValueError, match="differ in length") as caught:
        model().fit([[1, 2], [3]], [1, 2], verbose=0)
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__traceback__ is None
    assert cause.full_traceback is not None


def test_numpys_frames_below_ours_go_those_of_cython_too():
    class Shuffled(tinynet.data.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return X, Y

    def interrupt(*args):
        np.random.Generator(np.random.PCG64(-1))  # raises in Cython, below this function

    with pytest.raises(ValueError, match=r"(non-)?negative") as caught:
        model().fit(Shuffled(), verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=interrupt)])
    mine = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert mine[-1].endswith(".pyx")  # reached from the user's code: it stays
    with pytest.raises((ValueError, OverflowError, TypeError)) as caught:
        layers.Lambda(random.host_generator)(X)
    assert frames(caught.value)[1] == {HERE}


def test_numpys_frames_stay_below_the_users():
    class Wrong(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            np.concatenate([np.ones((2, 2)), np.ones(3)]).sum(axis=5)
            np.linalg.inv(np.ones((2, 3)))

    with pytest.raises(ValueError, match="dimensions"):
        model().fit(X, Y, verbose=0, callbacks=[Wrong()])
    made = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: np.linalg.inv(np.ones((2, 3))))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        model().fit(X, Y, verbose=0, callbacks=[made])
    names, _ = frames(caught.value)
    assert "inv" in names


def test_it_can_be_turned_off_and_on():
    assert tinynet.config.is_traceback_filtering_enabled()
    tinynet.config.disable_traceback_filtering()
    assert not tinynet.config.is_traceback_filtering_enabled()
    with pytest.raises(ValueError, match="same number of samples") as caught:
        model().fit(X, Y[:3], verbose=0)
    assert {"trainer.py", "arrays.py"} <= frames(caught.value)[1]
    assert not hasattr(caught.value, "full_traceback")
    tinynet.config.enable_traceback_filtering()
    with pytest.raises(ValueError, match="same number of samples") as caught:
        model().fit(X, Y[:3], verbose=0)
    assert frames(caught.value)[1] == {HERE}


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import tinynet
from tinynet import layers

# a shell lets what it starts in the background ignore Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)

model = tinynet.Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
x, y = np.ones((64, 3), np.float32), np.ones((64, 1), np.float32)
model.fit(x, y, epochs=2, verbose=0)
try:
    for attempt in range(3):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            model.fit(x, y, epochs=10**9, verbose=0)
        except KeyboardInterrupt as error:
            print(error)
        loss = model.fit(x, y, epochs=3, verbose=0).history["loss"]
        assert len(loss) == 3 and all(np.isfinite(loss)), loss
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    model.fit(x, y, epochs=10**9, verbose=0)
finally:
    print("weights", all(np.isfinite(w).all() for w in model.get_weights()))
"""


@pytest.mark.parametrize("full", ["", "1"])
def test_ctrl_c_in_fit_is_short_and_training_can_go_on(full, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(INTERRUPTED), encoding="utf-8")
    environment = {**os.environ, "TINYNET_FULL_TRACEBACKS": full}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    *lines, weights = done.stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("fit was interrupted in epoch ")
        assert line.endswith("; the model keeps its weights, and another fit goes on from them")
    assert weights == "weights True"
    last = done.stderr.splitlines()
    assert last[-1].startswith("KeyboardInterrupt: fit was interrupted in epoch ")
    ours = [line for line in last if "File" in line and "script.py" not in line]
    assert bool(ours) == bool(full)


def frozen():
    made = model()
    made.layers[0].trainable = False
    made.fit(X, Y, verbose=0)


def used_up():
    model().fit(iter([(X, Y)]), epochs=3, verbose=0)


WARNINGS = {
    "a value that is not logged": lambda: model().fit(
        X, Y, verbose=0, callbacks=[callbacks.EarlyStopping("val_loss")]
    ),
    "a mode that is unknown": lambda: callbacks.EarlyStopping("loss", mode="up"),
    "trainable was changed": frozen,
    "data that ran out": used_up,
    "NaN in the data": lambda: model().fit(np.full_like(X, np.nan), Y, verbose=0),
    "the shape of a sample": lambda: tinynet.Sequential([layers.Dense(1, input_shape=(3,))]),
    "an older name": lambda: layers.LeakyReLU(alpha=0.1),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings_name_the_users_line(name):
    with pytest.warns(UserWarning, match=r"\w+ \w+") as caught:
        WARNINGS[name]()
    assert {Path(warning.filename).name for warning in caught} == {HERE}


def test_warnings_of_tinynet_are_given_where_they_find_that_line():
    root = Path(tinynet.__file__).parent
    for path in root.rglob("*.py"):
        # compat counts frames: it wraps what it warns of
        if "compat" not in path.parts and path.name != "tracebacks.py":
            assert "warnings.warn(" not in path.read_text(encoding="utf-8"), path
