"""What callbacks that watch a value share: the direction that is good,
missing values, use in several runs.
"""

import math
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import callbacks

from fixtures.callback_scripts import Model, run


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
    model.metrics = [type("Metric", (), {"name": "score", "_direction": direction})()]
    assert run(model, callbacks.EarlyStopping("val_score"), [3.0, 2.0, 2.5], "val_score") == epochs


def test_an_unknown_direction_is_refused():
    model = Model()
    model.metrics = [type("Metric", (), {"name": "score", "_direction": None})()]
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


WITH_NAN = st.lists(st.one_of(st.just(math.nan), st.integers(0, 20).map(float)), min_size=1, max_size=8)


@given(WITH_NAN, st.sampled_from(["min", "max"]))
def test_nan_is_the_best_only_while_there_is_no_number(values, mode):
    """The best epoch is the first of the smallest (largest) numbers;
    NaN beats no number, and every number beats NaN.
    """
    numbers = [value for value in values if not math.isnan(value)]
    best = values.index((min if mode == "min" else max)(numbers)) if numbers else None
    model = Model()
    stopping = callbacks.EarlyStopping(mode=mode, patience=99, restore_best_weights=True)
    run(model, stopping, values)
    assert model.restored == (best or 0), "the first epoch's, if every value is NaN"
    assert stopping.best == (pytest.approx(math.nan, nan_ok=True) if best is None else values[best])
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = callbacks.ModelCheckpoint(f"{folder}/{{epoch}}.keras", mode=mode, save_best_only=True)
        model.folder = folder
        run(model, checkpoint, values)
    improving = [
        i
        for i, value in enumerate(values)
        if i == 0
        or all(math.isnan(v) or (value < v if mode == "min" else value > v) for v in values[:i])
        > math.isnan(value)
    ]
    assert [path for _, path in model.saved] == [f"{i + 1}.keras" for i in improving]


@given(WITH_NAN, st.integers(1, 3))
def test_nan_counts_as_an_epoch_without_improvement(values, patience):
    model, waited, best, expected = Model(), 0, None, 0.5
    for value in values:
        if best is None or value < best or math.isnan(best) > math.isnan(value):
            best, waited = value, 0
        else:
            waited += 1
            if waited == patience:
                expected, waited = expected * 0.5, 0
    run(model, callbacks.ReduceLROnPlateau(mode="min", factor=0.5, patience=patience, min_delta=0), values)
    assert model.optimizer.learning_rate == pytest.approx(expected)
