"""BackupAndRestore with a model of a few lines: runs that end at every hook,
what is restored, damaged files.
"""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import callbacks
from tinynet.callbacks import backup_file

EPOCHS, STEPS = 7, 3


class KilledError(Exception):
    """Stands for a process that ends."""


class Model:
    """Trains one number; its loss falls, then rises. `events` counts down to the end of the process."""

    built = True

    def __init__(self, events=10**9):
        self.weight, self.step, self.events = np.array([1.0]), 0, events
        self.stop_training, self.history, self.metrics = False, None, []
        self.optimizer = type("Optimizer", (), {"learning_rate": 0.5})()
        self.at = (0, 0)

    def get_weights(self):
        return [self.weight.copy()]

    def set_weights(self, weights):
        self.weight = weights[0].copy()

    def training_state(self):
        return {"weight": self.weight, "rate": np.array(self.optimizer.learning_rate)}, {
            "step": self.step,
            "at": self.at,
        }

    def restore_training_state(self, arrays, numbers):
        self.weight, self.optimizer.learning_rate = arrays["weight"].copy(), float(arrays["rate"])
        self.step, self.at = numbers["step"], tuple(numbers["at"])

    def happens(self):
        self.events -= 1
        if self.events < 0:
            raise KilledError

    def fit(self, given):
        hooks = callbacks.CallbackList(
            given, add_history=True, model=self, verbose=0, epochs=EPOCHS, steps=STEPS
        )
        hooks.on_train_begin()
        start, step = self.at
        for epoch in range(start, EPOCHS):
            self.at = (epoch, step)
            hooks.on_epoch_begin(epoch)
            for batch in range(step, STEPS):
                self.happens()
                self.step += 1
                self.weight = np.sin(self.weight * (1 + self.optimizer.learning_rate) + self.step)
                self.at = (epoch, batch + 1)
                hooks.on_train_batch_end(batch, {"loss": float(self.weight[0])})
            step, self.at = 0, (epoch + 1, 0)
            self.happens()
            hooks.on_epoch_end(epoch, {"loss": float(self.weight[0])})
            self.happens()
            if self.stop_training:
                break
        hooks.on_train_end()
        return hooks.history


def others(folder, stop=False):
    made = [
        callbacks.EarlyStopping("loss", patience=0 if stop else 5, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, cooldown=1),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.LambdaCallback(),
    ]
    return made


def run(folder, events=10**9, stop=False, **options):
    """(model, history) of a run that ends after `events`, or at its end."""
    model = Model(events)
    # Given first, called last: what the others do in the same hook is in the backup.
    return model, model.fit([callbacks.BackupAndRestore(folder / "backup", **options), *others(folder, stop)])


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"save_freq": 1}, {"save_freq": 2}, {"save_freq": 5, "double_checkpoint": True}]
)
def test_a_run_that_ends_anywhere_goes_on_to_the_same_end(tmp_path, options, stop):
    whole, history = run(tmp_path, stop=stop, **options)
    log = (tmp_path / "log.csv").read_bytes()
    assert len(history.epoch) == (3 if stop else EPOCHS)
    rates = history.history["learning_rate"]
    assert rates[0] != rates[-1] or stop  # the other callbacks did something
    ends = 0
    for events in range(EPOCHS * (STEPS + 2)):
        try:
            model, again = run(tmp_path, events, stop, **options)
        except KilledError:
            ends += 1
            model, again = run(tmp_path, stop=stop, **options)
        assert model.weight.tobytes() == whole.weight.tobytes()
        assert (again.history, again.epoch) == (history.history, history.epoch)
        assert (tmp_path / "log.csv").read_bytes() == log
        assert not (tmp_path / "backup").exists()
    assert ends >= (2 if stop else EPOCHS) * STEPS


def test_a_run_that_ends_again_and_again_gets_to_the_end(tmp_path):
    whole, _ = run(tmp_path, save_freq=1)
    for _ in range(100):
        try:
            model, _ = run(tmp_path, 4, save_freq=1)
            break
        except KilledError:
            continue
    assert model.weight.tobytes() == whole.weight.tobytes()


@pytest.mark.parametrize("double_checkpoint", [False, True])
def test_a_run_that_ends_while_a_backup_is_written_goes_on_from_the_one_before(
    tmp_path, monkeypatch, double_checkpoint
):
    whole, _ = run(tmp_path)
    write, left = backup_file.write, 0

    def ends(path, *content):
        nonlocal left
        left -= 1
        if left == 0:
            (path.parent / ".writing-it").mkdir(parents=True)
            (path.parent / ".writing-it" / path.name).write_bytes(b"half")
            raise KilledError
        write(path, *content)

    monkeypatch.setattr(backup_file, "write", ends)
    for number in range(1, EPOCHS * STEPS + 1):
        left = number
        with pytest.raises(KilledError):
            run(tmp_path, save_freq=1, double_checkpoint=double_checkpoint)
        model, _ = run(tmp_path, save_freq=1, double_checkpoint=double_checkpoint)
        assert model.weight.tobytes() == whole.weight.tobytes()
        assert not (tmp_path / "backup").exists()


def interrupted(folder, events=12, **options):
    with pytest.raises(KilledError):
        run(folder, events, **options)
    return folder / "backup" / "latest.backup"


def test_double_checkpoint_falls_back_on_the_one_before(tmp_path):
    whole, _ = run(tmp_path, double_checkpoint=True)
    path = interrupted(tmp_path, double_checkpoint=True)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="damaged.*the backup before it is used"):
        model, _ = run(tmp_path, double_checkpoint=True)
    assert model.weight.tobytes() == whole.weight.tobytes()
    path = interrupted(tmp_path, double_checkpoint=True)
    path.unlink()  # the process ended between the two renamings
    model, _ = run(tmp_path, double_checkpoint=True)
    assert model.weight.tobytes() == whole.weight.tobytes()


@given(st.data())
def test_a_damaged_backup_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    path = interrupted(folder)
    content = bytearray(path.read_bytes())
    for _ in range(20):
        damaged = content.copy()
        if data.draw(st.booleans()):
            position = data.draw(st.integers(0, len(damaged) - 1))
            damaged[position] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del damaged[data.draw(st.integers(0, len(damaged) - 1)) :]
        path.write_bytes(damaged)
        with pytest.raises(backup_file.DamagedError):
            backup_file.read(path)
    with pytest.raises(ValueError, match=r"Nothing was restored\. To begin training anew, delete"):
        run(folder)


def test_any_other_file_is_refused(tmp_path):
    from tinynet import utils

    path = tmp_path / "backup" / "latest.backup"
    utils.save_arrays(path, {"a": np.ones(3)}, {"tinynet": "weights"})
    with pytest.raises(ValueError, match="no backup of this version"):
        run(tmp_path)


def test_a_state_that_cannot_be_kept_is_named(tmp_path):
    class Odd(callbacks.Callback):
        def training_state(self):
            return {"function": print}

    with pytest.raises(TypeError, match=r"a backup holds numbers.*got <built-in function print>"):
        Model().fit([Odd(), callbacks.BackupAndRestore(tmp_path)])


def test_callbacks_are_found_by_class_and_number(tmp_path):
    first, second = (
        callbacks.EarlyStopping("loss", patience=9),
        callbacks.EarlyStopping("loss", patience=9, mode="max"),
    )
    with pytest.raises(KilledError):
        Model(9).fit(
            [
                first,
                callbacks.BackupAndRestore(tmp_path / "b"),
                second,
                callbacks.CSVLogger(tmp_path / "a.csv"),
            ]
        )
    one, two = (
        callbacks.EarlyStopping("loss", patience=9),
        callbacks.EarlyStopping("loss", patience=9, mode="max"),
    )
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    with (
        pytest.warns(UserWarning, match="knows a callback CSVLogger_0, which"),
        pytest.raises(KilledError),
    ):
        Model(0).fit([one, two, callbacks.TerminateOnNaN(), backup])
    assert (one.best, one.wait, two.best, two.wait) == (first.best, first.wait, second.best, second.wait)
    assert one.best != two.best


def test_it_is_called_last_and_knows_the_others():
    backup, own = callbacks.BackupAndRestore("anywhere"), callbacks.LambdaCallback()
    both = callbacks.CallbackList([backup, own], add_history=True, add_progbar=True)
    kinds = [type(callback).__name__ for callback in both.callbacks]
    assert kinds == ["LambdaCallback", "History", "ProgbarLogger", "BackupAndRestore"]
    assert list(backup._other_callbacks) == both.callbacks[:-1]
    both.append(callbacks.TerminateOnNaN())
    assert both.callbacks[-1] is backup
    assert list(backup._other_callbacks) == both.callbacks[:-1]


def test_the_folder_at_the_end(tmp_path):
    folder = tmp_path / "backup"
    run(tmp_path, delete_checkpoint=False)
    assert os.listdir(folder) == ["latest.backup"]
    (folder / ".writing-abc").mkdir()  # what a process that ended while writing leaves
    (folder / ".writing-abc" / "latest.backup").write_text("half")
    (folder / "notes.txt").write_text("mine")
    _, history = run(tmp_path)
    assert os.listdir(folder) == ["notes.txt"]  # nothing is removed that is not its own
    assert len(history.epoch) == EPOCHS


def test_arguments():
    with pytest.raises(ValueError, match="backup_dir is empty"):
        callbacks.BackupAndRestore("")
    for save_freq in (0, -1, 1.5, True, "batch"):
        with pytest.raises(ValueError, match="save_freq must be 'epoch' or a number of batches"):
            callbacks.BackupAndRestore("folder", save_freq)
    model = Model()
    model.built = False
    with pytest.raises(ValueError, match="must be built before fit"):
        model.fit([callbacks.BackupAndRestore("folder")])
