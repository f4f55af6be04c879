"""Every decision, message and file of the callbacks, in scripted runs, as Keras's own callbacks gave them."""

import copy
import json
from pathlib import Path

import pytest

from tinynet import callbacks
from tinynet.callbacks import backup_file

from fixtures.callback_scripts import CASES, EVENTS, Optimizer, play, play_events, title

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "callbacks.json").read_text(encoding="utf-8"))


def step(optimizer):
    optimizer.iterations += 1


def test_the_fixture_has_every_case():
    assert len(FIXTURE["cases"]) == len(CASES)
    assert len(FIXTURE["events"]) == len(EVENTS)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[title(case) for case in CASES])
def test_decides_logs_prints_and_saves_as_keras(number, tmp_path):
    agree(play(CASES[number], callbacks, Optimizer, tmp_path), FIXTURE["cases"][number])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[title(case) for case in CASES])
def test_goes_on_from_its_state_after_every_epoch(number, tmp_path):
    def hand_over(old, new):
        state = backup_file.unpack(*backup_file.pack({}, old.training_state()))[1]
        new.set_params(old.params)
        new.set_model(old.model)
        new.on_train_begin()
        if state is not None:
            new.restore_training_state(state)
        return new

    agree(play(CASES[number], callbacks, Optimizer, tmp_path, hand_over), FIXTURE["cases"][number])


def agree(found, expected):
    expected = copy.deepcopy(expected)
    assert found["printed"] == expected["printed"]
    assert found["files"] == expected["files"]
    assert found["warnings"] == expected["warnings"]
    for mine, keras in zip(found["fits"], expected["fits"], strict=True):
        epochs, keras_epochs = mine.pop("epochs"), keras.pop("epochs")
        assert mine.pop("saved") == keras.pop("saved")
        assert mine == pytest.approx(keras, nan_ok=True)
        for one, other in zip(epochs, keras_epochs, strict=True):  # Keras keeps the learning rate in float32
            assert list(one) == list(other)
            for name, value in other.items():
                assert one[name] == (
                    value if isinstance(value, str) else pytest.approx(value, rel=1e-6, nan_ok=True)
                )


def scalars(folder):
    """[[folder, tag, step, value], ...] of all event files below `folder`, as TensorBoard reads them."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    found = []
    for path in sorted({path.parent for path in folder.rglob("events.out*")}):
        events = accumulator.EventAccumulator(str(path), size_guidance={"scalars": 0})
        events.Reload()
        for tag in events.Tags()["scalars"]:
            found += [[str(path.relative_to(folder)), tag, e.step, e.value] for e in events.Scalars(tag)]
    return sorted(found)


@pytest.mark.parametrize("number", range(len(EVENTS)), ids=map(str, EVENTS))
def test_writes_the_scalars_of_keras(number, tmp_path):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX")
    play_events(EVENTS[number], callbacks, Optimizer, step, tmp_path)
    found, expected = scalars(tmp_path), FIXTURE["events"][number]
    if EVENTS[number].get("update_freq", "epoch") not in ("epoch", "batch"):
        # With update_freq=n Keras drops values of epochs unless the batch at their
        # time is one that it writes.
        found = [entry for entry in found if entry[1].startswith("batch_")]
        assert all(entry[1].startswith("batch_") for entry in expected)
    assert found == expected
