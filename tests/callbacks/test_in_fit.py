"""Callbacks in real training: files that can be loaded, events of a real net,
and training that goes on undisturbed.
"""

import csv

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(96, 6)).astype(np.float32), RNG.integers(0, 3, 96)


def net(rate=0.05):
    tinynet.utils.set_random_seed(11)
    model = tinynet.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(tinynet.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, *given, epochs=5):
    options = {"batch_size": 16, "epochs": epochs, "verbose": 0, "validation_split": 0.25}
    return model.fit(X, Y, callbacks=list(given), **options).history


def bits(model):
    return b"".join(weight.tobytes() for weight in model.get_weights())


def test_callbacks_that_only_look_leave_training_as_it_is(tmp_path):
    alone = net()
    history = fit(alone)
    pytest.importorskip("tensorboardX", reason="needs tensorboardX")
    watched = net()
    seen = fit(
        watched,
        callbacks.TensorBoard(
            tmp_path / "logs", 1, write_images=True, update_freq="batch", gradients_on=(X[:40], Y[:40])
        ),
        callbacks.LiveCurves(tmp_path / "curves.png", every=1000),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.TerminateOnNaN(),
        callbacks.ModelCheckpoint(tmp_path / "{epoch}.safetensors", save_weights_only=True),
        callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2),
    )
    assert bits(watched) == bits(alone)
    assert seen == history
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == history["val_loss"]


def test_the_best_weights_are_those_in_the_file(tmp_path):
    path = tmp_path / "best.safetensors"
    model = net()
    best = callbacks.ModelCheckpoint(path, "val_accuracy", save_best_only=True, save_weights_only=True)
    history = fit(model, best, epochs=6)
    other = net()
    other.load_weights(path)
    found = other.evaluate(X[72:], Y[72:], verbose=0, return_dict=True)
    assert found["accuracy"] == max(history["val_accuracy"]) == best.best


def test_a_whole_model_goes_on_where_it_was_saved(tmp_path):
    model = net()
    fit(model, callbacks.ModelCheckpoint(tmp_path / "{epoch}.tinynet"), epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.tinynet", "2.tinynet"]
    loaded = tinynet.models.load_model(tmp_path / "2.tinynet")
    assert bits(loaded) == bits(model)
    assert loaded.optimizer.iterations == model.optimizer.iterations


def test_a_loss_that_is_no_number_ends_training(capsys):
    model = net()
    model.compile(tinynet.optimizers.SGD(1e30), loss="mse")
    history = model.fit(
        X, np.eye(3)[Y] * 1e30, batch_size=16, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    assert len(history.epoch) == 1


def test_gradient_norms_are_those_of_the_loss(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    model = net()
    callback = callbacks.TensorBoard(tmp_path, histogram_freq=1, gradients_on=(X[:20], Y[:20]))
    fit(model, callback, epochs=1)
    found = accumulator.EventAccumulator(str(tmp_path / "train"))
    found.Reload()
    for parameter in model.trainable_weights:
        # Central differences along the gradient's own direction: the slope there is the norm.
        g = model.gradients(X[:20], Y[:20])[parameter.name]
        norm = found.Scalars(f"{parameter.name}/gradient_norm")[0].value
        before, direction, h = parameter.numpy().copy(), g / np.linalg.norm(g), 1e-2
        values = []
        for sign in (1, -1):
            parameter.assign(before + sign * h * direction)
            values.append(model.evaluate(X[:20], Y[:20], verbose=0)[0])
        parameter.assign(before)
        assert norm == pytest.approx((values[0] - values[1]) / (2 * h), rel=2e-3, abs=1e-4)


def test_a_loss_that_is_no_number_is_seen_beside_callbacks_that_evaluate(capsys):
    model = net()
    model.compile(tinynet.optimizers.SGD(0.0), loss="mse")
    y = np.eye(3)[Y].astype("float32")
    y[20, 0] = np.nan
    aside = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: model.evaluate(X[:4], y[:4], verbose=0)
    )
    fit_settings = {"batch_size": 16, "shuffle": False, "verbose": 0}
    model.fit(X, y, callbacks=[aside, callbacks.TerminateOnNaN()], **fit_settings)
    assert "Batch 1: Invalid loss, terminating training" in capsys.readouterr().out
