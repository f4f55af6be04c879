"""Lookahead: slow weights after slow weights, as algorithm 1 of Zhang et al. has them."""

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, optimizers

X = np.ones((4, 1), np.float32)


def net(momentum=0.0, first=()):
    """y = w x with w = 1 in the beginning. The loss is w^2, its derivative 2 w:
    without momentum a step is w <- w / 2.
    """
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = tinynet.Sequential([layers.Input((1,)), *first, dense])
    model.compile(optimizers.SGD(0.25, momentum=momentum), loss="mse")
    return model


def weight_after(steps, *given, **settings):
    model = net(**settings)
    model.fit(X, 0 * X, batch_size=4, epochs=steps, verbose=0, callbacks=list(given))
    return model.get_weights()[-1].item()


def by_hand(steps, period, alpha, momentum=0.0):
    w, m, phi = 1.0, 0.0, 1.0
    for step in range(1, steps + 1):
        m = momentum * m - 0.25 * 2 * w
        w += m
        if step % period == 0:
            phi += (alpha(step) if callable(alpha) else alpha) * (w - phi)
            w = phi
    return w


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("steps", [2, 3, 11])
@pytest.mark.parametrize("alpha", [0.5, 0.0, 1.0, lambda step: 1 / step])
def test_weights_are_those_of_the_algorithm(steps, alpha, momentum):
    found = weight_after(steps, callbacks.Lookahead(3, alpha), momentum=momentum)
    assert found == pytest.approx(by_hand(steps, 3, alpha, momentum), rel=1e-5)


def test_replayed_steps_go_on_from_the_slow_weights():
    model = net()
    model.fit(X, 0 * X, batch_size=4, epochs=20, verbose=0, callbacks=[callbacks.Lookahead(2, 0.25)])
    assert "replayed" in model.replay.why()
    assert model.get_weights()[0].item() == pytest.approx(by_hand(20, 2, 0.25), rel=1e-5)


def test_moving_means_are_slow_too():
    """The mean of a batch of ones is 1: moving <- 0.5 moving + 0.5, from 0."""
    model = net(first=[layers.BatchNormalization(momentum=0.5)])
    model.fit(X, 0 * X, batch_size=4, epochs=2, verbose=0, callbacks=[callbacks.Lookahead(2, 0.5)])
    assert model.layers[0].moving_mean.numpy().item() == pytest.approx(0.5 * 0.75)


def test_a_run_that_was_interrupted_goes_on_between_two_syncs(tmp_path):
    class StopError(Exception):
        pass

    class Stops(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 3:
                raise StopError

    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(StopError):
        weight_after(8, callbacks.Lookahead(2, 0.5), backup, Stops())
    again = callbacks.BackupAndRestore(tmp_path / "backup")
    assert weight_after(8, callbacks.Lookahead(2, 0.5), again) == pytest.approx(by_hand(8, 2, 0.5), rel=1e-5)


def test_a_tape_notices_that_the_weights_were_changed():
    model = net()
    y = model(tinynet.Tensor(X)).sum()
    lookahead = callbacks.Lookahead(1, 1.0)
    lookahead.set_model(model)
    lookahead.on_train_begin()
    lookahead.on_train_batch_end(0)
    with pytest.raises(RuntimeError, match="changed"):
        y.backward()


@pytest.mark.parametrize("state", [{"steps": 1, "slow": []}, {"steps": -1, "slow": [np.ones((1, 1))]}])
def test_a_state_that_does_not_fit_is_refused(state):
    lookahead = callbacks.Lookahead()
    lookahead.set_model(net())
    with pytest.raises(ValueError, match="Lookahead"):
        lookahead.check_training_state(state)


@pytest.mark.parametrize("period", [0, -1, 2.0, True, None])
def test_a_period_is_a_positive_integer(period):
    with pytest.raises(ValueError, match="sync_period must be a positive integer"):
        callbacks.Lookahead(period)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, "half", True])
def test_a_step_size_is_a_fraction(alpha):
    with pytest.raises(ValueError, match=r"slow_step_size must be a number in \[0, 1\]"):
        callbacks.Lookahead(2, alpha)
    with pytest.raises(ValueError, match=r"slow_step_size must be a number in \[0, 1\]"):
        weight_after(2, callbacks.Lookahead(2, lambda step: alpha))


def test_a_model_that_is_not_built_is_refused():
    model = tinynet.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.25), loss="mse")
    with pytest.raises(ValueError, match="give the model an Input"):
        model.fit(X, 0 * X, verbose=0, callbacks=[callbacks.Lookahead()])
