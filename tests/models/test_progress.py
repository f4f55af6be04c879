"""Training taken up by another model from its state: the same bits as without the interruption."""

import numpy as np
import pytest

from tinynet import layers
from tinynet.callbacks import Callback
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(50, 6)).astype(np.float32), RNG.integers(0, 3, 50)


def made(seed):
    set_random_seed(seed)
    body = [
        layers.Dense(8, "relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Dense(3, "softmax"),
    ]
    model = Sequential([layers.Input((6,)), *body])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Stop(Callback):
    """Keeps the state at a step or at the end of an epoch, and ends the run there."""

    def __init__(self, epoch, step):
        self.at, self.state, self.epoch = (epoch, step), None, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.keep(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.keep(None)

    def keep(self, step):
        if (self.epoch, step) == self.at and self.state is None:
            self.state = self.model.training_state()
            self.model.stop_training = True


class TakeUp(Callback):
    def __init__(self, state):
        self.state = state

    def on_train_begin(self, logs=None):
        self.model.restore_training_state(*self.state)


@pytest.mark.parametrize("at", [(0, None), (1, None), (0, 3), (2, 0), (2, 6), (1, 5)])
@pytest.mark.parametrize("fit", [{}, {"steps_per_epoch": 5}, {"shuffle": False}, {"shuffle": "batch"}])
def test_training_goes_on_with_the_same_bits(at, fit):
    step = at[1]
    if step is not None and step >= fit.get("steps_per_epoch", 7):
        return
    settings = {"batch_size": 8, "epochs": 4, "verbose": 0, "validation_split": 0.0, **fit}
    whole = made(1)
    history = whole.fit(X, Y, **settings).history
    stop = Stop(*at)
    made(1).fit(X, Y, callbacks=[stop], **settings)
    other = made(99)  # another seed: everything must come from the state
    rest = other.fit(X, Y, callbacks=[TakeUp(stop.state)], **settings).history
    for a, b in zip(whole.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(whole.optimizer.get_weights(), other.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name, values in rest.items():
        assert values == history[name][-len(values) :], name


def test_a_state_of_another_model_changes_nothing():
    stop = Stop(0, 2)
    made(1).fit(X, Y, verbose=0, callbacks=[stop], batch_size=8)
    other = Sequential([layers.Input((6,)), layers.Dense(3, "softmax")])
    other.compile("adam", "sparse_categorical_crossentropy")
    before = other.get_weights()
    with pytest.raises(ValueError, match="the state is of another model"):
        other.fit(X, Y, verbose=0, callbacks=[TakeUp(stop.state)])
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="is not being trained"):
        made(1).training_state()


def test_global_random_numbers_go_on_after_a_run_that_was_taken_up():
    """What is drawn after `fit`: the order of a second one, the seed of a new Dropout."""
    settings = {"batch_size": 8, "epochs": 3, "verbose": 0}

    def after(model, *given):
        model.fit(X, Y, callbacks=list(given), **settings)
        return layers.Dropout(0.5)._draw_key, model.fit(X, Y, **settings).history["loss"]

    expected = after(made(1))
    stop = Stop(1, 2)
    made(1).fit(X, Y, callbacks=[stop], **settings)
    assert after(made(99), TakeUp(stop.state)) == expected
