"""tinynet.saving: the addresses of keras.saving."""

import importlib
import json
from contextlib import suppress

import numpy as np
import pytest

import tinynet
from tinynet import Input, Sequential, saving
from tinynet import layers as ly
from tinynet.saving import FileError, strict_json


def test_registered_names():
    @saving.register_keras_serializable("pkg", "other")
    def function(x):
        return x

    assert saving.get_registered_name(function) == "pkg>other"
    assert saving.get_registered_object("pkg>other") is function
    assert saving.get_registered_object("absent", {"absent": function}) is function
    assert saving.get_registered_object("absent") is None
    assert saving.serialize_keras_object(function) == {"function": "pkg>other"}
    assert saving.deserialize_keras_object({"function": "pkg>other"}) is function


def test_objects_there_and_back():
    for thing in (
        tinynet.layers.Dense(3, kernel_regularizer="l2"),
        tinynet.optimizers.Adam(0.5),
        tinynet.losses.Huber(2.0),
    ):
        described = saving.serialize_keras_object(thing)
        again = saving.deserialize_keras_object(described)
        assert type(again) is type(thing)
        assert saving.serialize_keras_object(again) == described
    keras = {
        "module": "keras.regularizers",
        "class_name": "L2",
        "config": {"l2": 0.5},
        "registered_name": None,
    }
    assert saving.deserialize_keras_object(keras).l2 == 0.5
    assert saving.deserialize_keras_object([1, None, "x"]) == [1, None, "x"]
    with pytest.raises(saving.UnknownObjectError, match=r"os\.system"):
        saving.deserialize_keras_object({"class_name": "os.system", "config": {}})


@pytest.mark.parametrize(("written", "match"), [
    ('{"a": 1, "a": 2}', "'a' stands twice"), ("[NaN]", "NaN is no number"), ("[1e999]", "too large"),
    ("[1", "not JSON"),
    (b'"\xff"', "not JSON"), ("[" * 200 + "]" * 200, "more than 120 deep"), ("[" * 100_000, (
        "nested too "
        "deeply"
    )),
    ("", "not JSON"),
])  # fmt: skip
def test_json_is_read_strictly(written, match):
    with pytest.raises(FileError, match=f"the text.*{match}"):
        strict_json.parse(written, "the text")


def test_names_stay_where_keras_has_them():
    for name in ("load_model", "save_model", "register_keras_serializable", "custom_object_scope"):
        assert getattr(tinynet.saving, name) is getattr(saving, name)
    assert tinynet.models.load_model is saving.load_model


ROOMS = (
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "layers",
    "optimizers",
    "schedules",
)


def everything():
    """(room, class) of all that can be made without arguments."""
    for room in ROOMS:
        for cls in vars(importlib.import_module(f"tinynet.{room}")).values():
            ours = (
                isinstance(cls, type) and hasattr(cls, "get_config") and cls.__module__.startswith("tinynet.")
            )
            if ours and cls is not tinynet.InputSpec:
                with suppress(TypeError, ValueError):
                    yield room, cls, cls()


def test_objects_come_back_as_what_they_were():
    """Also where two rooms have a class of one name: descriptions name the room, as Keras's do."""
    found = list(everything())
    names = [cls.__name__ for _, cls, _ in found]
    assert sum(names.count(name) > 1 for name in names) > 10
    for _, cls, one in found:
        described = saving.serialize_keras_object(one)
        again = saving.deserialize_keras_object(described)
        assert type(again) is cls
        assert json.dumps(saving.serialize_keras_object(again)) == json.dumps(described)  # tuples are lists


@pytest.mark.parametrize(("make", "module"), [
    (lambda: tinynet.losses.MeanSquaredError(), "keras.losses"),
    (lambda: tinynet.metrics.MeanSquaredError(), "keras.metrics"),
    (lambda: tinynet.metrics.Poisson(), "keras.metrics"),
    (lambda: tinynet.initializers.Identity(), "keras.initializers"),
    (lambda: tinynet.layers.Identity(), "keras.layers"),
    (lambda: tinynet.regularizers.L2(0.1), "keras.regularizers"),
    (lambda: tinynet.constraints.MaxNorm(), "keras.constraints"),
    (lambda: tinynet.optimizers.SGD(), "keras.optimizers"),
    (lambda: tinynet.schedules.ExponentialDecay(0.1, 10, 0.5), "keras.optimizers.schedules"),
    (lambda: tinynet.Sequential(), "keras"),
])  # fmt: skip
def test_modules_are_those_that_keras_names(make, module):
    """Values of Keras 3.15: keras.saving.serialize_keras_object(...)["module"]."""
    described = saving.serialize_keras_object(make())
    assert (described["module"], described["registered_name"]) == (module, None)
    assert set(described) == {"module", "class_name", "config", "registered_name"}


def test_descriptions_without_modules_are_read():
    assert (
        type(saving.deserialize_keras_object({"class_name": "Huber", "config": {}})) is tinynet.losses.Huber
    )
    dense = {
        "class_name": "Dense",
        "config": {"units": 2, "kernel_initializer": {"class_name": "Zeros", "config": {}}},
    }
    assert saving.deserialize_keras_object(dense).units == 2


def test_structures_with_objects_in_them():
    given = {"a": (1, tinynet.losses.Huber()), "b": [[None, tinynet.metrics.Mean()], "x"]}
    found = saving.deserialize_keras_object(saving.serialize_keras_object(given))
    assert (found["a"][0], type(found["a"][1])) == (1, tinynet.losses.Huber)
    assert (type(found["b"][0][1]), found["b"][1]) == (tinynet.metrics.Mean, "x")


def test_models_in_memory():
    x = tinynet.layers.Input((4,))
    nets = [
        tinynet.Model(x, tinynet.layers.Dense(2)(x) * 2.0),
        tinynet.Sequential([x, tinynet.layers.Dense(2)]),
    ]
    for net in nets:
        again = saving.deserialize_keras_object(saving.serialize_keras_object(net))
        again.set_weights(net.get_weights())
        data = np.ones((3, 4), np.float32)
        assert np.array_equal(again.predict(data, verbose=0), net.predict(data, verbose=0))


class Halves(tinynet.layers.Layer):
    """A layer that nobody registered."""

    def call(self, x):
        return x / 2


def test_every_class_takes_custom_objects():
    """Keras: Model.from_config(config, custom_objects=None), and so for all that has from_config."""
    x = tinynet.layers.Input((4,))
    for net in (tinynet.Model(x, Halves()(x)), tinynet.Sequential([x, Halves()])):
        config = net.get_config()
        with pytest.raises(ValueError, match="Halves"):
            type(net).from_config(config)
        assert type(type(net).from_config(config, custom_objects={"Halves": Halves}).layers[-1]) is Halves
    functional = tinynet.Model(x, Halves()(x)).get_config()
    assert type(tinynet.Model.from_config(functional, {"Halves": Halves}).layers[-1]) is Halves
    for _, cls, one in everything():
        assert type(cls.from_config(one.get_config(), custom_objects={"Halves": Halves})) is cls


def test_activations_with_weights_and_unknown_sizes(tmp_path):
    """Their weights are made by the first call, which a file does not repeat."""
    model = Sequential([Input((None, 4)), ly.Dense(3, activation=ly.PReLU("uniform", shared_axes=[1]))])
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    expected = model.predict(x, verbose=0)
    assert len(model.weights) == 3
    described = tinynet.models.model_from_json(model.to_json())
    assert [w.shape for w in described.weights] == [w.shape for w in model.weights]
    model.save(tmp_path / "net.tinynet")
    loaded = saving.load_model(tmp_path / "net.tinynet")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
