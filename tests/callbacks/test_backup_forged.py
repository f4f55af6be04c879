"""A backup that was forged, is of another version or lacks anything restores nothing, and says so."""

import copy
import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import callbacks, layers
from tinynet.backend import random
from tinynet.callbacks import backup_file
from tinynet.models import progress

X, Y = np.random.default_rng(0).standard_normal((24, 4)).astype(np.float32), np.arange(24) % 2


class EndError(Exception):
    """Ends a run from within."""


class End(callbacks.Callback):
    """Ends the run after so many batches; at the beginning it takes down how things are."""

    def __init__(self, after):
        self.left = after

    def on_train_begin(self, logs=None):
        self.progress = progress._progress(self.model)
        self.before = standing(self.model, self.others, self.progress)

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise EndError


def standing(model, others, training):
    """All that a backup restores, as text or bytes."""
    return [
        [w.tobytes() for w in model.get_weights()], model.optimizer.built,
        [w.tobytes() for w in model.optimizer.get_weights()],
        random.state(),
        [(layer._draw_key, layer._draw_count) for layer in model.layers if hasattr(layer, "_draw_count")],
        [repr(metric.training_state()) for metric in training.means.metrics()],
        [repr(other.training_state()) for other in others],
        repr(training.data.training_state()), training.epoch,
    ]  # fmt: skip


def run(folder, after, build=False, **fit):
    """(the error or None, whether all is as it was at the beginning)."""
    model = tinynet.Sequential([
        layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.2),
        layers.BatchNormalization(),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    overlap = tinynet.metrics.MeanIoU(2, sparse_y_pred=False)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", overlap])
    if build:
        model.optimizer.build(model.trainable_weights)
    end = End(after)
    end.others = [
        callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss"),
        callbacks.CSVLogger(folder / "log.csv"), callbacks.LiveCurves(folder / "curves.png", every=1e9),
        callbacks.ModelCheckpoint(folder / "best.tinynet", "loss", save_best_only=True,
                                  initial_value_threshold=-1.0),
    ]  # fmt: skip
    backup = callbacks.BackupAndRestore(folder / "backup", save_freq=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(X, Y, batch_size=4, epochs=4, verbose=0, callbacks=[*end.others, end, backup], **fit)
        except (EndError, ValueError) as error:
            return error, standing(model, end.others, end.progress) == end.before
    return None, False


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """(folder, arrays, text) of a backup that was written in the middle of the second epoch."""
    folder = tmp_path_factory.mktemp("valid")
    assert isinstance(run(folder, 10)[0], EndError)
    arrays, metadata = tinynet.utils.load_arrays(folder / "backup" / "latest.backup")
    return folder, arrays, metadata["state"]


def restored(valid, arrays, text, build=False):
    """What comes of a run that begins with a backup of these arrays and text."""
    path = valid[0] / "backup" / "latest.backup"
    backup_file.write(path, arrays, text)
    error, same = run(valid[0], 0, build)
    assert isinstance(error, EndError) or "Nothing was restored" in str(error), repr(error)
    assert isinstance(error, EndError) or same, repr(error)
    return error


def test_the_backup_as_it_is(valid):
    for build in (False, True):
        assert isinstance(restored(valid, *valid[1:], build), EndError)


def places(value, path=()):
    yield path
    for key, item in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(item, (*path, key))


def changed(tree, path, how, value):
    if not path:
        return value
    tree = copy.deepcopy(tree)
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    if how == "remove":
        del holder[path[-1]]
    elif how == "double" and isinstance(holder, list):
        holder.insert(path[-1], copy.deepcopy(holder[path[-1]]))
    else:
        holder[path[-1]] = value
    return tree


VALUES = st.sampled_from([
    None, True, -1, 0, 3, 1.5, "x", "", 2**31, 2**32, 2**63, 2**70, -(2**70), [], [1], [0, -1], [2**32, 1],
    ["a", "b"],
    {"entries": []},
    {"entries": [["a", 1]]}, {"entries": [[1, 2]]}, {"array": "weights/0"}, {"array": "none"}, {"entries": 5},
    {}, float("inf"),
    [None], [[1, 2], [3, 4]], [{"array": "weights/0"}], "3", {"entries": [["key", [1, 2]], ["epochs", 0]]},
])  # fmt: skip


@pytest.mark.parametrize("build", [False, True])
def test_other_values(valid, build):
    tree = json.loads(valid[2])
    ways = list(places(tree))
    outcomes = []

    @settings(max_examples=250, derandomize=True, database=None, deadline=None)
    @given(st.sampled_from(ways), st.sampled_from(["replace", "replace", "remove", "double"]), VALUES)
    def attempt(path, how, value):
        text = json.dumps(changed(tree, path, how, value))
        outcomes.append(restored(valid, valid[1], text, build))

    attempt()
    assert sum(not isinstance(outcome, EndError) for outcome in outcomes) > 100


@pytest.mark.parametrize("build", [False, True])
def test_other_arrays(valid, build):
    rng, refused = np.random.default_rng(1), 0
    for _ in range(150):
        arrays = dict(valid[1])
        name = str(rng.choice(sorted(arrays)))
        array = arrays.pop(name)
        kind = rng.integers(7)
        if kind == 1:
            arrays[name] = array.reshape(-1)[:-1] if array.size else np.zeros(2, array.dtype)
        elif kind == 2:
            arrays[name] = array.astype(np.float64 if array.dtype != np.float64 else np.int64)
        elif kind == 3:
            arrays[name] = array[None]
        elif kind == 4:
            arrays |= {name: array, f"{name.partition('/')[0]}/99": array}
        elif kind == 5:
            arrays |= {name: array, "other": array}
        elif kind == 6:
            arrays[f"{name}x"] = array
        refused += not isinstance(restored(valid, arrays, valid[2], build), EndError)
    assert refused > 130


@pytest.mark.parametrize("text", [
    "", "[]", "5", "null", "[1, 2, 3]", "{", '[{"entries": []}, [], 0]', '{"entries": [[[], 1]]}',
])  # fmt: skip
def test_other_texts(valid, text):
    assert "Nothing was restored" in str(restored(valid, valid[1], text))


def test_a_callback_that_fails_has_changed_nothing(tmp_path):
    class Failing(callbacks.Callback):
        def training_state(self):
            return {"a": 1}

        def restore_training_state(self, state):
            raise OSError("no such place")

    model = tinynet.Sequential([layers.Input((4,)), layers.Dense(2)])
    model.compile("adam", "mse")
    given = [Failing(), callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)]
    model.fit(X, np.ones((24, 2)), epochs=2, verbose=0, callbacks=given)
    other = tinynet.Sequential([layers.Input((4,)), layers.Dense(2)])
    other.compile("adam", "mse")
    weights = [w.tobytes() for w in other.get_weights()]
    with pytest.raises(ValueError, match=r"no such place\). Nothing was restored"):
        other.fit(X, np.ones((24, 2)), epochs=2, verbose=0, callbacks=given)
    assert [w.tobytes() for w in other.get_weights()] == weights
    assert not other.optimizer.built
    assert int(other.optimizer.iterations) == 0
