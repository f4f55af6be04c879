"""What callbacks that watch a value share: the direction that is good, missing values, use in several runs."""

import pytest

from tinynet import callbacks

from fixtures.callback_scripts import Model, run


def test_early_stopping_messages(capsys):
    run(Model(), callbacks.EarlyStopping(verbose=1, restore_best_weights=True), [2.0, 1.0, 3.0])
    assert capsys.readouterr().out == ("Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n")


@pytest.mark.parametrize("monitor", ["accuracy", "val_accuracy", "acc", "val_top_k_categorical_accuracy"])
def test_accuracies_should_rise(monitor):
    assert run(Model(), callbacks.EarlyStopping(monitor), [0.1, 0.2, 0.3, 0.2, 0.4], monitor) == 4


@pytest.mark.parametrize(("direction", "epochs"), [("up", 2), ("down", 3)])
def test_the_models_metric_tells_the_direction(direction, epochs):
    model = Model()
    model.metrics = [type("Metric", (), {"name": "score", "direction": direction})()]
    assert run(model, callbacks.EarlyStopping("val_score"), [3.0, 2.0, 2.5], "val_score") == epochs


def test_an_unknown_direction_is_refused():
    model = Model()
    model.metrics = [type("Metric", (), {"name": "score", "direction": None})()]
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
