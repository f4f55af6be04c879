"""The GAN recipe of 2016 to 2020: compile the discriminator, freeze it,
compile the combined model, train by turns.

In Keras 1 and 2 `trainable` was settled at compile: the discriminator goes on training in its own steps.
"""

import warnings

import numpy as np
import pytest

import tinynet
from tinynet.compat import keras1, keras2

RNG = np.random.default_rng(0)
REAL, NOISE = RNG.normal(2.0, 1.0, (16, 4)).astype("float32"), RNG.normal(size=(16, 3)).astype("float32")
ONES, BOTH = np.ones((16, 1)), np.repeat([[1.0], [0.0]], 16, axis=0)


pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*input_dim"),
]


def nets(models, layers):
    discriminator = models.Sequential()
    discriminator.add(layers.Dense(8, activation="relu", input_dim=4))
    discriminator.add(layers.BatchNormalization())
    discriminator.add(layers.Dense(1, activation="sigmoid"))
    discriminator.compile("adam", "binary_crossentropy")
    generator = models.Sequential()
    for layer in (layers.Dense(8, activation="relu", input_dim=3), layers.Dense(4)):
        generator.add(layer)
    combined = models.Sequential()
    combined.add(generator)
    discriminator.trainable = False
    combined.add(discriminator)
    combined.compile("adam", "binary_crossentropy")
    return discriminator, generator, combined


def moved(model, run):
    before = [weight.numpy() for weight in model.weights]
    run()
    return [not np.array_equal(a, weight.numpy()) for a, weight in zip(before, model.weights, strict=True)]


def steps(discriminator, generator):
    mixed = np.concatenate([REAL, generator.predict(NOISE)])
    return {
        "train_on_batch": lambda: discriminator.train_on_batch(mixed, BOTH),
        "fit": lambda: discriminator.fit(mixed, BOTH, verbose=0),
        "fit_generator": lambda: discriminator.fit_generator(iter([(mixed, BOTH)]), 1, epochs=1, verbose=0),
    }


@pytest.mark.parametrize("how", ["train_on_batch", "fit", "fit_generator"])
@pytest.mark.parametrize("keras", [keras1, keras2], ids=["keras1", "keras2"])
def test_each_model_trains_what_was_trainable_when_it_was_compiled(keras, how):
    if keras is keras1 and how == "fit_generator":
        pytest.skip("its numbers had another meaning; see test_models.py")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("error", ".*trainable.*")
        discriminator, generator, combined = nets(keras.models, keras.layers)
        for _ in range(5):
            assert all(moved(discriminator, steps(discriminator, generator)[how]))
            assert not discriminator.trainable, "as the user left it"
            assert not any(layer.trainable for layer in discriminator.layers)
            generated = []
            found = moved(
                discriminator, lambda made=generated: made.append(combined.train_on_batch(NOISE, ONES))
            )
            assert not any(found)
            assert all(moved(generator, lambda: combined.train_on_batch(NOISE, ONES)))


def test_flags_come_back_when_a_step_fails():
    discriminator, *_ = nets(keras2.models, keras2.layers)
    with pytest.raises(ValueError, match="expects inputs of shape"):
        discriminator.train_on_batch(np.zeros((4, 9)), np.zeros((4, 1)))
    assert not discriminator.layers[0].trainable
    assert not discriminator.trainable_weights


def test_the_main_api_says_what_to_do():
    """As in Keras 3 training goes by what is trainable now; the advice of the warning works."""
    discriminator, generator, combined = nets(tinynet.models, tinynet.layers)
    step = steps(discriminator, generator)["train_on_batch"]
    with pytest.warns(
        UserWarning, match=r"nothing: no weight will change.*trainable = True before its own steps"
    ):
        assert not any(moved(discriminator, step))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*trainable.*")
        for _ in range(5):
            discriminator.trainable = True
            assert all(moved(discriminator, step))
            discriminator.trainable = False
            assert not any(moved(discriminator, lambda: combined.train_on_batch(NOISE, ONES)))
