"""learning_rate_multipliers: what they accept, files, and changes. Their values: a line of cases.py."""

import zipfile

import numpy as np
import pytest

import tinynet
from tinynet import layers, optimizers
from tinynet.autograd import Parameter

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")


def net(multipliers):
    tinynet.utils.set_random_seed(0)
    model = tinynet.Sequential(
        [layers.Input((3,)), layers.Dense(4, "tanh", name="a"), layers.Dense(3, name="b")]
    )
    rate = optimizers.SGD(0.1, momentum=0.9, learning_rate_multipliers=multipliers)
    model.compile(rate, "mse")
    return model


def fit(model):
    model.fit(X, X, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return [weight.tobytes() for weight in model.get_weights()]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("bias", 2.0)], "must be a dict"),
        ({"(": 2.0}, "no pattern of names"),
        ({3: 2.0}, "no pattern of names"),
        ({"bias": -1.0}, r"\['bias'\] must be a number in \[0, inf\)"),
        ({"bias": "2"}, r"\['bias'\] must be a number in \[0, inf\)"),
    ],
)
def test_what_is_no_multiplier_is_refused(given, words):
    with pytest.raises(ValueError, match=f"Adam: learning_rate_multipliers.*{words}"):
        optimizers.Adam(learning_rate_multipliers=given)


def test_names_are_those_of_layer_and_weight():
    before = net(None).get_weights()
    model = net({"^a/": 0.0})
    fit(model)
    moved = [not np.array_equal(new, old) for new, old in zip(model.get_weights(), before, strict=True)]
    assert moved == [False, False, True, True]


def test_a_file_keeps_them(tmp_path):
    model = net({"bias": 3.0})
    fit(model)
    model.save(tmp_path / "net.tinynet")
    again = tinynet.models.load_model(tmp_path / "net.tinynet")
    assert again.optimizer.learning_rate_multipliers == {"bias": 3.0}
    assert fit(again) == fit(model)


def test_keras_has_none(tmp_path):
    pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
    with pytest.raises(ValueError, match="SGD: Keras has no learning_rate_multipliers"):
        net({"bias": 3.0}).save(tmp_path / "net.keras")
    net(None).save(tmp_path / "net.keras")
    config = zipfile.ZipFile(tmp_path / "net.keras").read("config.json")
    assert b"gradient_accumulation_steps" in config
    assert b"learning_rate_multipliers" not in config


def test_others_take_effect_at_the_next_call():
    w = Parameter(np.array([1.0]), name="w")
    optimizer = optimizers.SGD(0.5, learning_rate_multipliers={"w": 0.25})
    optimizer.apply([np.array([1.0])], [w])
    optimizer.learning_rate_multipliers = {"w": 0.5}
    optimizer.apply([np.array([1.0])], [w])
    assert w.numpy().item() == 1 - 0.5 * 0.25 - 0.5 * 0.5
