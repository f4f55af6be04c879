"""LearningRateScheduler: schedules of one and two arguments, what it logs and refuses."""

import numpy as np
import pytest

from tinynet import callbacks

from fixtures.callback_scripts import Model, run


def test_schedule_of_one_and_of_two_arguments(capsys):
    model = Model()
    one, two = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)), None
    run(model, one, [1.0, 1.0])
    assert model.optimizer.learning_rate == 0.05
    two = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    run(model, two, [1.0, 1.0])
    assert model.optimizer.learning_rate == 0.0125
    assert capsys.readouterr().out == (
        "\nEpoch 1: LearningRateScheduler setting learning rate to 0.025.\n"
        "\nEpoch 2: LearningRateScheduler setting learning rate to 0.0125.\n"
    )


def test_the_learning_rate_is_logged_last():
    model, logs = Model(), {"accuracy": 1.0, "loss": 0.0}
    scheduler = callbacks.LearningRateScheduler(lambda epoch: np.float32(0.25))
    scheduler.set_model(model)
    scheduler.on_epoch_begin(0)
    scheduler.on_epoch_end(0, logs)
    assert list(logs) == ["accuracy", "loss", "learning_rate"]
    assert logs["learning_rate"] == 0.25


@pytest.mark.parametrize("rate", [1, "0.1", None, np.array([0.1])])
def test_a_schedule_must_return_a_float(rate):
    with pytest.raises(ValueError, match="expected `schedule` to return a float"):
        run(Model(), callbacks.LearningRateScheduler(lambda epoch: rate), [1.0])


def test_a_type_error_inside_the_schedule_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        run(Model(), callbacks.LearningRateScheduler(lambda epoch, rate: rate + "x"), [1.0])


def test_scheduler_without_optimizer_says_what_to_do():
    model = Model()
    model.optimizer = None
    with pytest.raises(ValueError, match="compile the model first"):
        run(model, callbacks.LearningRateScheduler(lambda epoch: 0.1), [1.0])
