"""Attributes that are set after construction: calls, replayed steps, descriptions,
copies and files all go by them.
"""

import inspect

import numpy as np
import pytest

import tinynet as keras
from tests.layers.cases import CASES, make
from tinynet import layers, ops, signature

WITH_ACTIVATION = [name for name in CASES if "activation" in signature.accepted(getattr(layers, name))]


def doubled(x):
    return x * 2.0


SET_TO = {"None": None, "name": "relu", "function": keras.activations.tanh, "own function": doubled}


def closed_form(value, y):
    """What `value`, set as the activation, makes of products y."""
    forms = {
        None: lambda y: y,
        "relu": lambda y: np.maximum(y, 0),
        keras.activations.tanh: np.tanh,
        doubled: lambda y: 2 * y,
    }
    return forms[value](y)


@pytest.mark.parametrize("value", SET_TO.values(), ids=SET_TO)
@pytest.mark.parametrize("name", WITH_ACTIVATION)
def test_an_activation_that_is_set_is_the_activation(name, value):
    layer, x = make(name, None, activation="linear", dtype="float64")
    products = layer(x).numpy()
    for activation in ("sigmoid", "relu", value):
        layer.activation = activation
    np.testing.assert_allclose(layer(x).numpy(), closed_form(value, products), rtol=1e-12)
    again = type(layer).from_config(layer.get_config())
    assert again.activation is layer.activation
    assert "sigmoid" not in repr(layer)


def test_grad_cam_takes_the_softmax_off():
    """The recipe: predictions become logits, and probabilities again."""
    last = layers.Dense(3, "softmax", bias_initializer="normal")
    model = keras.Sequential([layers.Input((4,)), layers.Dense(5, "relu"), last])
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    for _ in range(4):  # predict is recorded
        probabilities = model.predict(x, verbose=0)
    first, last = (layer.get_weights() for layer in model.layers)
    model.layers[-1].activation = None
    for _ in range(4):
        logits = model.predict(x, verbose=0)
        np.testing.assert_allclose(
            logits, np.maximum(x @ first[0] + first[1], 0) @ last[0] + last[1], rtol=1e-5, atol=1e-6
        )
    model.layers[-1].activation = "softmax"
    for _ in range(4):
        np.testing.assert_array_equal(model.predict(x, verbose=0), probabilities)


CHANGES = {
    "an activation": lambda model: setattr(model.layers[0], "activation", "sigmoid"),
    "none": lambda model: setattr(model.layers[0], "activation", None),
    "a rate": lambda model: setattr(model.layers[1], "rate", 0.0),
    "an activity regularizer": lambda model: setattr(model.layers[2], "activity_regularizer", "l2"),
    "no activity regularizer": lambda model: setattr(model.layers[0], "activity_regularizer", None),
    "a function of one's own": lambda model: setattr(model.layers[0], "activation", doubled),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_recorded_step_goes_by_what_was_set(change):
    """The same bits as without a recording, and other bits than without the change."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(48, 5)).astype("float32"), rng.normal(size=(48, 2)).astype("float32")

    def trained(eagerly, changes):
        keras.utils.set_random_seed(2)
        parts = [
            layers.Dense(6, "relu", activity_regularizer="l1"),
            layers.Dropout(0.5, seed=3),
            layers.Dense(2),
        ]
        model = keras.Sequential([layers.Input((5,)), *parts])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        if not eagerly:
            assert model.replay.programs
        changes(model)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        return [weight.tobytes() for weight in model.get_weights()]

    assert trained(False, change) == trained(True, change) != trained(False, lambda model: None)


@pytest.mark.parametrize("name", CASES)
def test_whatever_is_set_once_more_is_an_argument_of_the_next_layer(name):
    """For every attribute that is an argument: the layer that is made from the description has it."""
    layer, _ = make(name, None)
    donor, _ = make(name, None)
    usual = type(layer)(**{key: CASES[name].arguments[key] for key in REQUIRED.get(name, ())})
    own = [
        argument for argument in inspect.signature(type(layer).__init__).parameters if argument in vars(layer)
    ]
    for argument in set(own) - {"name", "dtype"} - NOT_AS_GIVEN:
        setattr(usual, argument, getattr(donor, argument))
    again = type(layer).from_config(usual.get_config())
    for argument in set(own) - {"name", "dtype"} - NOT_AS_GIVEN:
        one, other = vars(donor)[argument], vars(again)[argument]
        assert signature.text(one).partition(" at ")[0] == signature.text(other).partition(" at ")[0], (
            argument
        )


REQUIRED = {
    name: [
        p.name
        for p in inspect.signature(getattr(layers, name).__init__).parameters.values()
        if p.default is p.empty
    ]
    for name in CASES
}
REQUIRED = {name: [one for one in names if one in CASES[name].arguments] for name, names in REQUIRED.items()}
REQUIRED["InputLayer"] = ["batch_shape"]
# RandomShear's are kept as from and to; InputLayer's with the batch
NOT_AS_GIVEN = {"x_factor", "y_factor", "shape"}


def test_what_a_description_says_of_regularizers_set_after_construction(tmp_path):
    """As in Keras a weight keeps what it was made with,
    and the layer made from the description has what was set.
    """
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2, kernel_regularizer="l1"), layers.Dense(2)])
    model.layers[0].kernel_regularizer = None
    model.layers[1].kernel_regularizer = keras.regularizers.L2(0.5)
    assert len(model.losses) == 1
    model.save(tmp_path / "model.tinynet")
    for again in (keras.models.clone_model(model), keras.models.load_model(tmp_path / "model.tinynet")):
        kernel = again.layers[1].kernel.numpy()
        assert len(again.losses) == 1
        np.testing.assert_allclose(
            float(again.losses[0]), 0.5 * np.sum(kernel.astype("float64") ** 2), rtol=1e-6
        )


def test_set_before_it_is_built_it_counts():
    layer = layers.Dense(2)
    layer.kernel_regularizer, layer.use_bias, layer.kernel_initializer = "l2", False, "ones"
    layer(np.ones((1, 3), "float32"))
    assert len(layer.weights) == len(layer.losses) == 1
    assert float(layer.losses[0]) == pytest.approx(0.01 * 6)


def test_files_keep_what_was_set(tmp_path):
    model = keras.Sequential(
        [layers.Input((4, 4, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Dropout(0.5)]
    )
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype("float32")
    model.layers[0].activation, model.layers[1].rate = None, 0.25
    model.save(tmp_path / "model.tinynet")
    again = keras.models.load_model(tmp_path / "model.tinynet")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.layers[1].rate == 0.25
    assert (model.predict(x, verbose=0) < 0).any()


def test_attributes_of_ones_own_layers_stay_what_they_are_set_to():
    class Own(layers.Layer):
        def __init__(self, units, activation=None, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.activation = activation

        def build(self, input_shape):
            self.units = self.add_weight("units", (self.units,))

        def call(self, x):
            return ops.add(x, self.units)

    layer = Own(3, activation="relu")
    layer.activation = "tanh"
    layer(np.ones((2, 3)))
    assert layer.activation == "tanh"
    assert layer.get_config()["units"] == 3
