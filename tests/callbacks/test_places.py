"""Where callbacks write: in the folder that a relative path meant when training began;
what killed runs left goes.
"""

import os

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers

X, Y = np.ones((12, 3), np.float32), np.ones((12, 1), np.float32)


class Wander(callbacks.Callback):
    """Changes the current folder after the first batch."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_batch_end(self, batch, logs=None):
        os.chdir(self.folder)


def fit(*given, epochs=3):
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(given))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_relative_paths_stay_where_training_began(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    given = [
        callbacks.ModelCheckpoint("kept/{epoch}.tinynet"), callbacks.CSVLogger("log.csv"),
        callbacks.BackupAndRestore("backup", save_freq=2, delete_checkpoint=False),
    ]  # fmt: skip
    fit(Wander(tmp_path / "there"), *given)
    assert names(tmp_path / "there") == []
    assert names(tmp_path / "here") == [
        "backup/latest.backup",
        "kept/1.tinynet",
        "kept/2.tinynet",
        "kept/3.tinynet",
        "log.csv",
    ]
    assert [given[0].filepath, given[1].filename, given[2].backup_dir] == [
        "kept/{epoch}.tinynet",
        "log.csv",
        "backup",
    ]


def test_pictures_stay_where_training_began(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    fit(Wander(tmp_path / "there"), callbacks.LiveCurves(), callbacks.LiveCurves("own.png"))
    assert names(tmp_path) == ["live_curves.png", "own.png"]


def test_events_stay_where_training_began(tmp_path, monkeypatch):
    pytest.importorskip("tensorboardX")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    fit(Wander(tmp_path / "there"), callbacks.TensorBoard("logs"))
    assert names(tmp_path / "there") == []
    assert names(tmp_path / "logs")


def test_what_killed_runs_left_beside_checkpoints_is_removed(tmp_path):
    left = tmp_path / "kept" / ".writing-abc"
    left.mkdir(parents=True)
    (left / "best.tinynet").write_text("half")
    fit(callbacks.ModelCheckpoint(tmp_path / "kept" / "best.tinynet"))
    assert names(tmp_path) == ["kept/best.tinynet"]
