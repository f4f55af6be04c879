"""Functions of one's own that nobody registered: files hold their names,
and loading asks for them, as for classes.
"""

import json
import zipfile

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops
from tinynet.saving import UnknownObjectError, load_model

X = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)


def distance(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def relu(x):
    """Named as one of tinynet's."""
    return 5 * x


def net(**dense):
    return tinynet.Sequential([layers.Input((4,)), layers.Dense(2, **dense)])


def compiled():
    model = net()
    model.compile("sgd", distance, metrics=[distance])
    return model


def by_output():
    x = layers.Input((4,))
    model = tinynet.Model(x, {"a": layers.Dense(2)(x), "b": layers.Dense(2)(x)})
    model.compile("sgd", {"a": distance, "b": "mse"}, metrics={"b": [distance]})
    return model


MODELS = {
    "a loss and a metric": compiled,
    "losses of several outputs": by_output,
    "an activation": lambda: net(activation=relu),
    "a Lambda": lambda: tinynet.Sequential([layers.Input((4,)), layers.Lambda(relu)]),
    "an initializer": lambda: net(kernel_initializer=lambda_with_a_name),
}


def lambda_with_a_name(shape, dtype=None):
    return np.full(shape, 0.25, dtype)


OBJECTS = {"distance": distance, "relu": relu, "lambda_with_a_name": lambda_with_a_name}


@pytest.mark.parametrize("suffix", [".tinynet", ".keras"])
@pytest.mark.parametrize("name", MODELS)
def test_they_are_found_by_name(name, suffix, tmp_path):
    model = MODELS[name]()
    model.save(path := tmp_path / f"net{suffix}")
    again = load_model(path, custom_objects=OBJECTS)
    for expected, found in zip(tinynet.tree.leaves(model(X)), tinynet.tree.leaves(again(X)), strict=True):
        assert np.array_equal(found.numpy(), expected.numpy())
    if model.compiled:
        y = {"a": X[:, :2], "b": X[:, 2:]} if name == "losses of several outputs" else X[:, :2]
        assert again.evaluate(X, y, verbose=0) == model.evaluate(X, y, verbose=0)


@pytest.mark.parametrize("suffix", [".tinynet", ".keras"])
@pytest.mark.parametrize("name", ["an activation", "a Lambda"])
def test_they_are_never_taken_for_tinynets_own(name, suffix, tmp_path):
    MODELS[name]().save(path := tmp_path / f"net{suffix}")
    with pytest.raises(UnknownObjectError, match=r"relu.*custom_objects=\{'relu'"):
        load_model(path)


def test_a_checkpoint_is_written_in_the_middle_of_training(tmp_path):
    model = compiled()
    best = tinynet.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="loss", save_best_only=True)
    model.fit(X, X[:, :2], epochs=2, verbose=0, callbacks=[best])
    assert load_model(tmp_path / "best.keras", custom_objects=OBJECTS).evaluate(X, X[:, :2], verbose=0)


def test_what_keras_reads_of_them(tmp_path):
    """Keras 3.15 looks for "config" in custom_objects, then for that name in the module."""
    net(activation=relu).save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        written = json.loads(archive.read("config.json"))["config"]["layers"][1]["config"]["activation"]
    assert written == {
        "module": __name__,
        "class_name": "function",
        "config": "relu",
        "registered_name": "function",
    }


def test_those_without_a_name_of_their_own_are_refused(tmp_path):
    def made(factor):
        def scaled(x):
            return factor * x

        return scaled

    for functions, words in (
        ((made(1), made(2)), "another one goes by its name"),
        ((lambda x: x,), "a Python lambda is code"),
    ):
        model = tinynet.Sequential([layers.Input((4,)), *map(layers.Lambda, functions)])
        with pytest.raises(ValueError, match=words):
            model.save(tmp_path / "net.tinynet")
    assert not list(tmp_path.iterdir())


def test_two_classes_of_one_name_are_refused(tmp_path):
    def made(factor):
        class Scaled(layers.Layer):
            def call(self, x):
                return factor * x

        return Scaled

    one = made(1)
    model = tinynet.Sequential([layers.Input((4,)), one(name="a"), one(name="b")])
    model.save(tmp_path / "net.tinynet")
    model.add(made(2)(name="c"))
    for suffix in (".tinynet", ".keras"):
        with pytest.raises(ValueError, match=r"two classes go by the name .*>Scaled"):
            model.save(tmp_path / f"other{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["net.tinynet"]
