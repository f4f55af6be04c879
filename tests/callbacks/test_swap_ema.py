"""SwapEMAWeights with a real optimizer, whose averages are known in closed form."""

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, optimizers
from tinynet.autograd import Parameter

from fixtures.callback_scripts import Model, run

RATE, MOMENTUM, START = 0.25, 0.5, 3.0


def averages(steps):
    """(w, a) after `steps` updates with gradient 1: w falls by RATE; a begins as the first w."""
    w, a = START, None
    for _ in range(steps):
        w -= RATE
        a = w if a is None else MOMENTUM * a + (1 - MOMENTUM) * w
    return w, a


@pytest.fixture
def model():
    made = Model(optimizers.SGD(RATE, use_ema=True, ema_momentum=MOMENTUM))
    made.weight = Parameter(np.array([START], np.float32))
    return made


def train(model, steps):
    for _ in range(steps):
        model.optimizer.apply([np.ones(1, np.float32)], [model.weight])


def value(model):
    return float(model.weight.numpy()[0])


@pytest.mark.parametrize("stage", ["test", "predict"])
def test_averages_are_in_the_model_while_it_is_evaluated(model, stage):
    swap = callbacks.SwapEMAWeights()
    swap.set_model(model)
    train(model, 4)
    w, a = averages(4)
    getattr(swap, f"on_{stage}_begin")()
    assert value(model) == a
    getattr(swap, f"on_{stage}_end")()
    assert value(model) == w
    train(model, 1)  # and training goes on as if nothing had been
    assert (value(model), float(model.optimizer._weight_averages[0][0])) == averages(5)
    getattr(swap, f"on_{stage}_begin")()
    assert value(model) == averages(5)[1]


def test_averages_stay_between_epochs_for_checkpoints(model):
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    swap.set_model(model)
    swap.set_params({"epochs": 3})
    saved = []
    for epoch in range(3):
        swap.on_epoch_begin(epoch)
        train(model, 2)
        swap.on_test_begin()
        assert value(model) == averages(2 * epoch + 2)[1]
        swap.on_test_end()
        assert value(model) == averages(2 * epoch + 2)[0]
        swap.on_epoch_end(epoch)
        saved.append(value(model))
    assert saved == [averages(steps)[1] for steps in (2, 4, 6)]
    model.optimizer.finalize_variable_values([model.weight])  # what `fit` does at its end
    assert value(model) == averages(6)[1]


def test_training_that_is_stopped_ends_with_the_averages(model):
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    swap.set_model(model)
    swap.set_params({"epochs": 9})
    swap.on_epoch_begin(0)
    train(model, 3)
    model.stop_training = True  # by an EarlyStopping before it
    swap.on_epoch_end(0)
    model.optimizer.finalize_variable_values([model.weight])
    assert value(model) == averages(3)[1]


def test_in_fit_validation_sees_the_averages():
    x = np.ones((4, 1), np.float32)
    net = tinynet.Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    net.compile(optimizers.SGD(RATE / 2, use_ema=True, ema_momentum=MOMENTUM), loss="mse")
    # w <- w - RATE (w - 0): the loss is w^2, its derivative 2 w.
    swap = callbacks.SwapEMAWeights()
    history = net.fit(x, 0 * x, epochs=5, verbose=0, validation_data=(x, 0 * x), callbacks=[swap]).history
    w, a, expected = 1.0, None, []
    for _ in range(5):
        w -= RATE * w
        a = w if a is None else MOMENTUM * a + (1 - MOMENTUM) * w
        expected.append(a**2)
    np.testing.assert_allclose(history["val_loss"], expected, rtol=1e-6)
    np.testing.assert_allclose(net.get_weights()[0][0, 0], a, rtol=1e-6)


def test_an_optimizer_without_averages_is_refused(model):
    swap = callbacks.SwapEMAWeights()
    swap.set_model(model)
    with pytest.raises(ValueError, match="no averages before the first training step"):
        swap.on_test_begin()
    with pytest.raises(ValueError, match="create it with use_ema=True"):
        run(Model(optimizers.SGD(RATE)), callbacks.SwapEMAWeights(swap_on_epoch=True), [1.0])
