"""The rules of Keras 1's and 2's optimizers, against their formulas in float64."""

import copy
import warnings

import numpy as np
import pytest

import tinynet
from tinynet.compat import keras1, keras2
from tinynet.optimizers import Nadam
from tinynet.schedules import ExponentialDecay

GRADIENTS = np.random.default_rng(0).normal(size=(6, 3))


@pytest.fixture(autouse=True)
def _without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def run(optimizer, gradients=GRADIENTS):
    w = tinynet.Parameter(np.ones(3))
    for g in gradients:
        optimizer.apply([g], [w])
    return w.numpy()


def keras2_nadam(gradients, lr=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-7, schedule_decay=0.004):
    """Dozat's rule as Keras 2 had it: mu_t = beta_1 (1 - 0.96^(schedule_decay t) / 2)."""
    w, m, v, product = np.ones(3), np.zeros(3), np.zeros(3), 1.0
    for t, g in enumerate(gradients, 1):
        mu, after = (beta_1 * (1 - 0.5 * 0.96 ** (k * schedule_decay)) for k in (t, t + 1))
        product *= mu
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
        ahead = (1 - mu) * g / (1 - product) + after * m / (1 - product * after)
        w = w - lr * ahead / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
    return w


def keras2_rmsprop(gradients, lr=0.001, rho=0.9, epsilon=1e-7):
    w, v = np.ones(3), np.zeros(3)
    for g in gradients:
        v = rho * v + (1 - rho) * g**2
        w = w - lr * g / (np.sqrt(v) + epsilon)
    return w


def keras2_adagrad(gradients, lr=0.01, epsilon=1e-7):
    w, v = np.ones(3), np.zeros(3)
    for g in gradients:
        v = v + g**2
        w = w - lr * g / (np.sqrt(v) + epsilon)
    return w


def keras1_adam_with_decay(gradients, lr=0.001, decay=0.5, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    w, m, v = np.ones(3), np.zeros(3), np.zeros(3)
    for k, g in enumerate(gradients):
        rate = lr / (1 + decay * k) * np.sqrt(1 - beta_2 ** (k + 1)) / (1 - beta_1 ** (k + 1))
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
        w = w - rate * m / (np.sqrt(v) + epsilon)
    return w


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (keras2.optimizers.Nadam, keras2_nadam),
        (keras2.optimizers.RMSprop, keras2_rmsprop),
        (keras2.optimizers.Adagrad, keras2_adagrad),
        (lambda: keras1.optimizers.Adam(decay=0.5), keras1_adam_with_decay),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_rules(optimizer, expected, scale):
    moved, wanted = (w - 1 for w in (run(optimizer(), scale * GRADIENTS), expected(scale * GRADIENTS)))
    np.testing.assert_allclose(moved, wanted, rtol=5e-3)


def test_nadam_differs_from_todays():
    assert np.abs(run(keras2.optimizers.Nadam(lr=0.1)) - run(Nadam(0.1))).max() > 1e-3


@pytest.mark.parametrize(
    ("args", "settings"),
    [
        ((0.5, 0.25), {"momentum": 0.25}),
        ((0.5, 0.25, True), {"momentum": 0.25, "nesterov": True}),  # Keras 2.3's order
        ((0.5, 0.25, 0.0, True), {"momentum": 0.25, "nesterov": True}),  # and that of all before
    ],
)
def test_positions_in_keras_2(args, settings):
    assert {name: getattr(keras2.optimizers.SGD(*args), name) for name in settings} == settings


def test_positions_in_keras_1():
    made = keras1.optimizers.SGD(1, 0, 0.5, True)
    assert (float(made.learning_rate), made.momentum, made.decay, made.nesterov) == (1.0, 0.0, 0.5, True)
    made = keras1.optimizers.Adam(0.5, 0.25, 0.75, 1e-3, 0.125)
    assert (made.beta_1, made.beta_2, made.epsilon, made.decay) == (0.25, 0.75, 1e-3, 0.125)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="lr and learning_rate are two names"):
        keras2.optimizers.SGD(lr=0.1, learning_rate=0.1)
    with pytest.raises(TypeError, match="SGD takes 4 arguments by position"):
        keras1.optimizers.SGD(0.1, 0.9, 0.0, True, 1)
    with pytest.raises(ValueError, match="not recognized"):
        keras1.optimizers.SGD(rate=0.1)
    with pytest.raises(ValueError, match="adammm"):
        keras1.optimizers.get("adammm")


@pytest.mark.parametrize("keras", [keras1, keras2])
def test_copies_and_descriptions(keras):
    made = keras.optimizers.SGD(lr=0.5, decay=0.25)
    for other in (copy.deepcopy(made), type(made).from_config(made.get_config())):
        assert type(other) is type(made)
        assert (other.learning_rate, other.decay) == (0.5, 0.25)
        np.testing.assert_array_equal(run(other), run(keras.optimizers.SGD(lr=0.5, decay=0.25)))
    schedule = keras.optimizers.SGD(ExponentialDecay(0.5, 1, 0.5))
    assert schedule.learning_rate == 0.5
    described = tinynet.optimizers.serialize(keras.optimizers.Nadam(schedule_decay=0.25))
    assert tinynet.optimizers.deserialize(described).schedule_decay == 0.25
    assert type(tinynet.optimizers.get("Nadam")) is Nadam  # the main API's names are its own


def test_callbacks_set_the_rate_before_decay():
    model = keras2.models.Sequential([keras2.layers.Dense(1, input_dim=2)])
    model.compile(keras2.optimizers.SGD(lr=0.5, decay=1.0), "mse")
    halved = keras2.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[halved])
    assert history.history["lr"] == [0.25, 0.125]
    assert model.optimizer._next_rate() == 0.125 / 3


@pytest.mark.parametrize("name", ["Adam", "Nadam", "SGD"])
@pytest.mark.parametrize("era", [keras1, keras2])
def test_configurations_name_objects_of_ones_own(era, name):
    class Halving(tinynet.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5 ** (step + 1)

    made = getattr(era.optimizers, name)(learning_rate=Halving())
    config = made.get_config()
    config["learning_rate"] = {**config["learning_rate"], "class_name": "Halving"}
    again = type(made).from_config(config, custom_objects={"Halving": Halving})
    assert type(again) is type(made)
    assert float(again.learning_rate) == 0.5
    with pytest.raises(ValueError, match="Halving"):
        type(made).from_config(config)
