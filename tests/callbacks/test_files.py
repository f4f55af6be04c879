"""ModelCheckpoint, CSVLogger and TerminateOnNaN beyond what Keras's record says:
errors, kills, what they cost.
"""

import math
import subprocess
import sys

import numpy as np
import pytest

from tinynet import callbacks
from tinynet.callbacks import CSVLogger, ModelCheckpoint, TerminateOnNaN

from fixtures.callback_scripts import Model, run

# -- ModelCheckpoint


@pytest.mark.parametrize("name", ["a.tinynet", "a.keras"])
def test_names_for_the_whole_model(name, tmp_path):
    model = Model(folder=tmp_path)
    run(model, ModelCheckpoint(tmp_path / name), [1.0])
    assert model.saved == [["model", name]]


@pytest.mark.parametrize("name", ["a.safetensors", "a.weights.h5"])
def test_names_for_weights(name, tmp_path):
    model = Model(folder=tmp_path)
    run(model, ModelCheckpoint(tmp_path / name, save_weights_only=True), [1.0])
    assert model.saved == [["weights", name]]


@pytest.mark.parametrize(
    ("name", "weights_only", "expected"),
    [
        ("a.safetensors", False, r"\.tinynet or \.keras, got 'a\.safetensors'"),
        ("a.h5", False, r"must end in \.tinynet or \.keras"),
        ("a", False, r"must end in \.tinynet"),
        ("a.keras", True, r"\.safetensors or \.weights\.h5, got 'a\.keras'"),
        ("a.h5", True, r"save_weights_only=True"),
    ],
)
def test_other_names_are_refused_at_once(name, weights_only, expected):
    with pytest.raises(ValueError, match=expected):
        ModelCheckpoint(name, save_weights_only=weights_only)


@pytest.mark.parametrize("save_freq", [0, -3, 2.5, "batch", True, None])
def test_save_freq_is_an_epoch_or_a_number(save_freq):
    with pytest.raises(ValueError, match="ModelCheckpoint: save_freq must be 'epoch' or a number of batches"):
        ModelCheckpoint("a.keras", save_freq=save_freq)


def test_a_field_that_is_not_logged_is_named():
    with pytest.raises(KeyError, match=r"names 'val_mae', which is not logged; there are epoch, val_loss"):
        run(Model(), ModelCheckpoint("{epoch}-{val_mae}.keras"), [1.0])
    checkpoint = ModelCheckpoint("{batch}-{mae}.keras", save_freq=1)
    checkpoint.set_model(Model())
    with pytest.raises(KeyError, match=r"names 'mae', which is not logged; there are epoch, batch, loss"):
        checkpoint.on_train_batch_end(0, {"loss": 1.0})


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(IsADirectoryError, match=r"filepath must be a file, but .*a\.keras is a folder"):
        run(Model(folder=tmp_path), ModelCheckpoint(tmp_path / "a.keras"), [1.0])


def test_a_value_that_is_no_number_saves_and_warns(tmp_path):
    model = Model(folder=tmp_path)
    with pytest.warns(UserWarning, match=r"`val_loss` is array.* and not one number, so the model is saved"):
        run(model, ModelCheckpoint(tmp_path / "a.keras", save_best_only=True), [np.ones(2)])
    assert len(model.saved) == 1


def test_values_are_asked_for_only_when_a_file_is_due(tmp_path):
    asked = []

    class Metrics:
        def __call__(self):
            asked.append(1)
            return {"loss": 1.0}

    checkpoint = ModelCheckpoint(tmp_path / "{loss}-{batch}.keras", save_freq=4)
    both = callbacks.CallbackList([checkpoint], model=Model(folder=tmp_path), verbose=0)
    for batch in range(10):
        both.on_train_batch_end(batch, Metrics())
    assert len(asked) == 2
    assert checkpoint.model.saved == [["model", "1.0-4.keras"], ["model", "1.0-8.keras"]]


# -- CSVLogger


def test_a_run_that_is_killed_leaves_whole_rows(tmp_path):
    code = (
        "import os\nfrom tinynet.callbacks import CSVLogger\n"
        "log = CSVLogger('log.csv')\nlog.on_train_begin()\n"
        "for epoch in range(3): log.on_epoch_end(epoch, {'loss': epoch / 3})\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    rows = (tmp_path / "log.csv").read_bytes().decode().split("\r\n")
    assert rows == [
        "epoch,loss,val_loss",
        "0,0.0,NA",
        "1,0.3333333333333333,NA",
        "2,0.6666666666666666,NA",
        "",
    ]


def test_an_earlier_file_stays_until_there_is_something_new(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("earlier")
    log = CSVLogger(path)
    log.on_train_begin()
    assert path.read_text() == "earlier"
    log.on_epoch_end(0, {"loss": 1.0})
    assert path.read_bytes() == b"epoch,loss,val_loss\r\n0,1.0,NA\r\n"
    log.on_train_end()
    log.on_train_begin()
    log.on_train_end()  # no epoch at all: as with Keras, the file is empty
    assert path.read_bytes() == b""


def test_a_folder_that_does_not_exist_is_an_error_before_training(tmp_path):
    with pytest.raises(FileNotFoundError):
        CSVLogger(tmp_path / "none" / "log.csv").on_train_begin()


@pytest.mark.parametrize("append", [False, True])
def test_rows_after_the_backup_are_written_again(tmp_path, append):
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,loss,val_loss\r\n7,7.0,NA\r\n")
    log = CSVLogger(path, append=append)
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 1.0})
    state = log.training_state()
    log.on_epoch_end(1, {"loss": 0.5})  # and then the process ends
    again = CSVLogger(path, append=append)
    again.on_train_begin()
    again.restore_training_state(state)
    again.on_epoch_end(1, {"loss": 0.25})
    again.on_train_end()
    rows = path.read_bytes().decode().split("\r\n")
    assert rows[-3:] == ["0,1.0,NA", "1,0.25,NA", ""]
    assert rows[:-3] == ["epoch,loss,val_loss"] + ["7,7.0,NA"] * append


# -- TerminateOnNaN


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_an_error_instead_of_an_end(loss):
    callback = TerminateOnNaN(raise_error=True)
    callback.set_model(Model())
    callback.on_train_batch_end(0, {"loss": 1.0})
    callback.on_train_batch_end(1, {})
    with pytest.raises(RuntimeError, match=r"the loss is -?(nan|inf) at batch 2"):
        callback.on_train_batch_end(2, {"loss": loss})
    assert not callback.model.stop_training


def test_only_the_loss_is_looked_at_while_it_is_finite():
    class Mean:
        name, value = "loss", 1.0

        def result(self):
            return self.value

    asked = []
    model = Model()
    model.metrics = [Mean()]
    model._loss_so_far = model.metrics[0].result
    both = callbacks.CallbackList([TerminateOnNaN()], model=model, verbose=0)

    def values():
        asked.append(1)
        return {"loss": model.metrics[0].value, "auc": 0.5}

    both.on_train_batch_end(0, values)
    assert not asked
    model.metrics[0].value = math.nan
    both.on_train_batch_end(1, values)
    assert asked
    assert model.stop_training


# -- what is left out, and how it is said


def test_callbacks_that_are_left_out_say_what_to_use():
    with pytest.raises(AttributeError, match=r"RemoteMonitor': use LambdaCallback"):
        _ = callbacks.RemoteMonitor
    with pytest.raises(AttributeError, match="OrbaxCheckpoint': use ModelCheckpoint"):
        _ = callbacks.OrbaxCheckpoint
    with pytest.raises(AttributeError, match="has no attribute 'Early'"):
        _ = callbacks.Early


def test_a_factor_that_does_not_lower_the_rate_is_refused():
    with pytest.raises(ValueError, match=r"factor must be below 1, or the rate would not fall; got 1\.5"):
        callbacks.ReduceLROnPlateau(factor=1.5)


def test_a_rate_that_follows_a_schedule_cannot_be_lowered():
    from tinynet import optimizers

    model = Model(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)))
    with pytest.raises(TypeError, match="the learning rate is a schedule"):
        run(model, callbacks.ReduceLROnPlateau(patience=0), [1.0, 1.0])


def test_a_hook_must_be_a_function():
    with pytest.raises(TypeError, match="on_test_end must be a function, got 3"):
        callbacks.LambdaCallback(on_test_end=3)
    callbacks.LambdaCallback(on_test_end=None).on_test_end({})
