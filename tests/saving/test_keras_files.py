"""Files that real Keras 3.15 wrote (tests/fixtures/make_keras_files.py):
architecture, weights, optimizer and all.
"""

from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.saving import FileError, UnknownObjectError, load_model

FOLDER = Path(__file__).parent.parent / "fixtures" / "keras_files"
EXPECTED = np.load(FOLDER / "expected.npz")
COMPILED = ["conv_net", "branches", "sgd", "nadam", "adamw"]
CUSTOM = {"fixtures>halved": lambda x: x * 0.5}


def arrays(name, kind):
    keys = [
        key for key in EXPECTED.files if key.startswith(f"{name}/{kind}") and key[len(name) + 2 :].isdigit()
    ]
    found = [EXPECTED[key] for key in sorted(keys, key=lambda key: int(key[len(name) + 2 :]))]
    return found


def one_or_all(values):
    return values[0] if len(values) == 1 else values


@pytest.mark.parametrize("name", [*COMPILED, "zoo"])
def test_predictions_are_those_of_keras(name):
    model = load_model(FOLDER / f"{name}.keras", CUSTOM)
    outputs = model.predict(one_or_all(arrays(name, "x")), verbose=0)
    outputs = [outputs[key] for key in sorted(outputs)] if isinstance(outputs, dict) else [outputs]
    for found, wanted in zip(outputs, arrays(name, "y"), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", COMPILED)
def test_training_goes_on_as_in_keras(name):
    model = load_model(FOLDER / f"{name}.keras")
    targets = arrays(name, "t")
    y = dict(zip(model.output_names, targets, strict=True)) if len(targets) > 1 else targets[0]
    history = model.fit(
        one_or_all(arrays(name, "x")), y, batch_size=4, epochs=1, shuffle=False, verbose=0
    ).history
    np.testing.assert_allclose(history["loss"], EXPECTED[f"{name}/loss"], rtol=2e-4)
    for found, wanted in zip(model.get_weights(), arrays(name, "w"), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("kind", ["weights.h5", "keras"])
@pytest.mark.parametrize("name", ["conv_net", "zoo"])
def test_weights_alone(name, kind):
    model = load_model(FOLDER / f"{name}.keras", CUSTOM, compile=False)
    assert not model.compiled
    wanted = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in wanted])
    model.load_weights(FOLDER / f"{name}.{kind}")
    for a, b in zip(model.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_was_compiled():
    model = load_model(FOLDER / "conv_net.keras")
    assert isinstance(model.optimizer, tinynet.optimizers.Adam)
    assert isinstance(model.optimizer._learning_rate, tinynet.schedules.ExponentialDecay)
    assert model.optimizer.iterations == 6
    assert model.metrics_names == ["loss", "accuracy"]
    assert model.get_layer("conv2d").kernel.regularizer.l2 == pytest.approx(1e-3)
    assert model.get_layer("dense").kernel.constraint.max_value == 1.5
    branches = load_model(FOLDER / "branches.keras")
    assert branches.output_names == ["first", "second"]
    assert branches.get_layer("inner").layers[0].units == 5


def test_functions_of_ones_own_must_be_given():
    with pytest.raises(UnknownObjectError, match="halved"):
        load_model(FOLDER / "zoo.keras")


def test_weights_that_do_not_fit(tmp_path):
    model = tinynet.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    before = model.get_weights()
    with pytest.raises(FileError, match=r"dense\w*/kernel.*shape \(3, 2\)"):
        model.load_weights(FOLDER / "sgd.keras")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.warns(UserWarning, match="skipped"):
        model.load_weights(FOLDER / "sgd.keras", skip_mismatch=True)
    kept = load_model(FOLDER / "sgd.keras").get_weights()
    np.testing.assert_array_equal(model.get_weights()[0], kept[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
