"""Replay of what surrounds an update rule: averages, collected gradients,
scaled losses, constraints; and of new rules.
"""

import numpy as np
import pytest

from tinynet import constraints, layers, optimizers, schedules
from tinynet.models import Sequential

from replay_tools import X, Y, both, dense_net, same_bits

OPTIMIZERS = {
    "lion": lambda: optimizers.Lion(0.01, weight_decay=0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "averages": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8),
    (
        "averages that "
        "overwrite"
    ): lambda: optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_overwrite_frequency=3),
    "collected": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "collected by three": lambda: optimizers.Nadam(0.01, gradient_accumulation_steps=3, global_clipnorm=0.1),
    "scaled": lambda: optimizers.RMSprop(0.01, loss_scale_factor=128.0, clipvalue=0.01),
    "polynomial": lambda: optimizers.SGD(schedules.PolynomialDecay(0.1, 7, 0.01, 2.0, cycle=True)),
    "cosine": lambda: optimizers.SGD(schedules.CosineDecay(0.0, 9, warmup_target=0.1, warmup_steps=4)),
    "restarts": lambda: optimizers.SGD(schedules.CosineDecayRestarts(0.1, 3)),
    "one cycle": lambda: optimizers.SGD(schedules.OneCycle(0.1, 15)),
    "everything": lambda: optimizers.AdamW(
        schedules.OneCycle(0.05, 30), gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=2,
        loss_scale_factor=8.0, clipnorm=0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    same_bits(dense_net, optimizer=OPTIMIZERS[name], epochs=6)


def test_collecting_and_updating_are_two_programs():
    model = same_bits(dense_net, optimizer=OPTIMIZERS["collected"], epochs=6, samples=64)
    assert len(model.replay.programs) == 2
    assert model.optimizer.iterations == 12


def test_a_scaled_loss_changes_nothing_but_the_rounding():
    """With powers of two not even that."""

    def weights(optimizer):
        return same_bits(dense_net, optimizer=optimizer).get_weights()

    plain, scaled = (weights(lambda s=s: optimizers.SGD(0.1, loss_scale_factor=s)) for s in (None, 64.0))
    for a, b in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("eagerly", [False, True])
def test_keras_own_history_of_a_schedule(eagerly):
    data = np.arange(32, dtype="float32").reshape(16, 2)
    model = Sequential(
        [layers.Input((2,)), layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")]
    )
    rate = schedules.ExponentialDecay(0.05, decay_steps=1, decay_rate=0.9)
    model.compile(optimizers.Adam(rate), "mse", run_eagerly=eagerly)
    history = model.fit(data, data, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [230.79457, 128.30319, 79.33649], rtol=5e-5)


@pytest.mark.parametrize("eagerly", [False, True])
def test_fit_ends_with_the_averages(eagerly):
    """One weight, samples of 1 with target 0, loss w^2: w <- w - 0.25 * 2 w = w / 2 at every step."""
    model = Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5), "mse", run_eagerly=eagerly)
    model.fit(np.ones((6, 1)), np.zeros((6, 1)), batch_size=1, verbose=0)
    w, average = 1.0, 0.0
    for step in range(6):
        w /= 2
        average = w if step == 0 else (average + w) / 2
    np.testing.assert_allclose(model.get_weights()[0], [[average]], rtol=1e-6)


CONSTRAINTS = {
    "non_neg": constraints.NonNeg(),
    "unit_norm": constraints.UnitNorm(),
    "max_norm": constraints.MaxNorm(0.5),
    "min_max_norm": constraints.MinMaxNorm(0.2, 0.7, rate=0.9),
}


def constrained(kernel, bias):
    model = Sequential([layers.Input((6,)), layers.Dense(8), layers.Dense(4)])
    model.layers[0].kernel.constraint, model.layers[0].bias.constraint = kernel, bias
    return model


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints(name):
    bias = constraints.NonNeg()
    same_bits(
        lambda: constrained(CONSTRAINTS[name], bias), optimizer=lambda: optimizers.Adam(0.05, use_ema=True)
    )


def test_a_constraint_of_ones_own_stays_on_the_tape():
    model = same_bits(lambda: constrained(lambda w: np.clip(w.numpy(), -0.3, 0.3), None), programs=False)
    assert np.abs(model.layers[0].get_weights()[0]).max() <= np.float32(0.3)


def test_settings_that_change_while_training_runs():
    def run(model):
        for step in range(20):
            if step == 7:
                model.optimizer.ema_momentum = 0.5
            if step == 12:
                model.optimizer.learning_rate.assign(0.01)
            if step == 16:
                model.optimizer.ema_overwrite_frequency = 2
            model.train_on_batch(X, Y)
        return 0

    both(run, optimizer=lambda: optimizers.Adam(0.05, use_ema=True, gradient_accumulation_steps=2))
