"""Scripts written for Keras give Keras's numbers and print its lines;
the usual mistakes get an error that helps.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinynet as keras
from tinynet import layers

from fixtures import keras_scripts_classes, keras_scripts_nets, keras_scripts_training  # noqa: F401  (they register their scripts)
from fixtures.script_tools import SCRIPTS, play, table

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "keras_scripts.json").read_text(encoding="utf-8"))


def test_the_fixture_has_every_script():
    assert sorted(FIXTURE) == sorted(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_gives_what_it_gives_in_keras(name):
    got, expected = play(SCRIPTS[name], keras), FIXTURE[name]
    assert got["found"].keys() == expected["found"].keys()
    for path, value in expected["found"].items():
        if isinstance(value, list) and value and not isinstance(value[0], str):
            np.testing.assert_allclose(got["found"][path], value, rtol=5e-4, atol=2e-5, err_msg=path)
        else:
            assert got["found"][path] == value, path
    lines, numbers = _apart(got["printed"])
    expected_lines, expected_numbers = _apart(expected["printed"])
    assert lines == expected_lines
    # one more or less in the last digit
    np.testing.assert_allclose(numbers, expected_numbers, rtol=5e-4, atol=1e-4)


def _apart(printed):
    """(lines with 0 for every digit of a decimal fraction, the fractions)."""
    fraction = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")
    lines = [fraction.sub(lambda found: re.sub(r"\d", "0", found[0]), line) for line in printed]
    return lines, [float(found) for line in printed for found in fraction.findall(line)]


X, Y = table(32)


def net(**compiled):
    """A compiled classifier of 6 features and 3 classes."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **compiled})
    return model


def fit(x=X, y=Y, compiled=None, **settings):
    return net(**compiled or {}).fit(x, y, verbose=0, **settings)


def after(shape, *more):
    return keras.Sequential([keras.Input(shape), *more])


def two(**compiled):
    """Fits a model of two inputs and two outputs."""
    a, b = keras.Input((6,), name="a"), keras.Input((3,), name="b")
    both = layers.concatenate([a, b])
    model = keras.Model([a, b], [layers.Dense(1, name="p")(both), layers.Dense(3, name="q")(both)])
    model.compile("adam", **{"loss": "mse", **compiled})
    return lambda x, y, **settings: model.fit(x, y, verbose=0, **settings)


P, Q = np.zeros((32, 1)), np.zeros((32, 3))
ONE_HOT = np.eye(3)[Y]

# What a user writes, and what the message has to name: what came, what was expected or what to write instead.
MISTAKES = {
    "a loss misspelt": (
        lambda: fit(compiled={"loss": "categorical_cross_entropy"}),
        ["'categorical_crossentropy'"],
    ),
    "a metric misspelt": (lambda: fit(compiled={"metrics": ["acuracy"]}), ["'acuracy'", "'accuracy'"]),
    "an optimizer misspelt": (lambda: net(optimizer="adm"), ["'adm'", "'adam'"]),
    "an activation misspelt": (lambda: layers.Dense(3, activation="rleu"), ["'rleu'", "'relu'"]),
    "an initializer misspelt": (
        lambda: layers.Dense(3, kernel_initializer="he_norml"),
        ["'he_norml'", "'he_normal'"],
    ),
    "an argument misspelt": (
        lambda: layers.Dense(3, actvation="relu"),
        ["Dense", "'actvation'", "'activation'"],
    ),
    "an argument of Keras 1": (
        lambda: layers.Conv2D(3, 3, border_mode="same"),
        ["Conv2D", "border_mode", "padding"],
    ),
    "lr": (lambda: keras.optimizers.Adam(lr=0.01), ["Adam", "'lr'", "learning_rate"]),
    "an integer rate": (lambda: keras.optimizers.SGD(learning_rate=1), ["learning_rate", "float", "1.0"]),
    "nb_epoch": (lambda: fit(nb_epoch=2), ["nb_epoch", "epochs"]),
    "metrics in the place of loss_weights": (
        lambda: net().compile("adam", "mse", ["accuracy"]),
        ["loss_weights", "metrics=[...]"],
    ),
    "compile forgotten": (
        lambda: after((6,), layers.Dense(3)).fit(X, Y),
        ["sequential", "compile(optimizer, loss)", "before fit"],
    ),
    "y forgotten": (lambda: net().fit(X, verbose=0), ["y is missing"]),
    "too few targets": (lambda: fit(y=Y[:-3]), ["x has 32", "y has 29"]),
    "too few features": (lambda: fit(X[:, :4]), ["sequential", "(None, 6)", "(32, 4)"]),
    "one sample without a batch": (lambda: net().predict(X[0], verbose=0), ["(None, 6)", "(6,)"]),
    "one-hot labels with a sparse loss": (
        lambda: fit(y=ONE_HOT),
        ["(32, 3)", "one-hot", "categorical_crossentropy"],
    ),
    "integer labels with a dense loss": (
        lambda: fit(compiled={"loss": "categorical_crossentropy"}),
        ["(32,)", "(32, 3)", "sparse_categorical_crossentropy", "to_categorical(y, 3)"],
    ),
    "more classes than units": (lambda: fit(y=Y + 1), ["label 3", "3 classes"]),
    "other classes than units": (
        lambda: fit(y=np.eye(4)[Y], compiled={"loss": "categorical_crossentropy"}),
        ["(32, 4)", "(32, 3)", "units"],
    ),
    "text for labels": (lambda: fit(y=np.array(list("abcd") * 8)), ["y must hold numbers", "<U1"]),
    "grey images without a channel": (
        lambda: after((28, 28), layers.Conv2D(3, 3)),
        ["conv2d", "4 axes", "x[..., None]"],
    ),
    "a window too large": (
        lambda: after((4, 4, 1), layers.Conv2D(3, 5)),
        ["conv2d", "(5, 5)", "(None, 4, 4, 1)", "same"],
    ),
    "a rate in per cent": (lambda: layers.Dropout(50), ["dropout", "between 0 and 1", "50"]),
    "shapes that do not join": (
        lambda: layers.Concatenate()([keras.Input((4, 4, 1)), keras.Input((5, 4, 1))]),
        ["concatenate", "(None, 4, 4, 1)", "(None, 5, 4, 1)"],
    ),
    "a class for a layer": (lambda: after((6,), layers.Dense), ["Dense", "Dense(...)"]),
    "a class for a callback": (
        lambda: fit(callbacks=[keras.callbacks.EarlyStopping]),
        ["callbacks", "instances"],
    ),
    "an unknown monitor": (
        lambda: fit(epochs=2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_los")]),
        ["EarlyStopping", "'val_los'", "mode="],
    ),
    "a checkpoint of another kind": (
        lambda: keras.callbacks.ModelCheckpoint("model.tf"),
        [".keras", "'model.tf'"],
    ),
    "a split that leaves nothing": (lambda: fit(validation_split=1.0), ["validation_split=1.0", "32"]),
    "weights of classes as a list": (lambda: fit(class_weight=[1, 2, 3]), ["class_weight", "{0: 1.0"]),
    "one input of two": (lambda: two()(X, [P, Q]), ["2 inputs", "['a', 'b']"]),
    "inputs in the wrong order": (
        lambda: two()([X[:, :3], X], [P, Q]),
        ["input 'a'", "(None, 6)", "(32, 3)"],
    ),
    "a wrong name of an input": (
        lambda: two()({"a": X, "c": X[:, :3]}, [P, Q]),
        ["['a', 'b']", "['a', 'c']"],
    ),
    "a wrong name of a loss": (
        lambda: two(loss={"p": "mse", "r": "mse"})([X, X[:, :3]], [P, Q]),
        ["['r']", "['p', 'q']"],
    ),
    "one target of two": (lambda: two()([X, X[:, :3]], P), ["['p', 'q']"]),
    "weights of another net": (lambda: net().set_weights([np.zeros((6, 8))]), ["4 weights", "got 1"]),
    "a file that is not there": (lambda: keras.models.load_model("nowhere.keras"), ["nowhere.keras"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_a_message_that_helps(mistake):
    action, words = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught:
        action()
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
