"""tinynet.saving: the addresses of keras.saving."""

import pytest

import tinynet
from tinynet import saving
from tinynet.models.files import text
from tinynet.saving import FileError


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
    for thing in (tinynet.layers.Dense(3, kernel_regularizer="l2"), tinynet.optimizers.Adam(0.5), tinynet.losses.Huber(2.0)):
        described = saving.serialize_keras_object(thing)
        again = saving.deserialize_keras_object(described)
        assert type(again) is type(thing)
        assert saving.serialize_keras_object(again) == described
    keras = {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.5}, "registered_name": None}
    assert saving.deserialize_keras_object(keras).l2 == 0.5
    assert saving.deserialize_keras_object([1, None, "x"]) == [1, None, "x"]
    with pytest.raises(saving.UnknownObjectError, match=r"os\.system"):
        saving.deserialize_keras_object({"class_name": "os.system", "config": {}})


@pytest.mark.parametrize(("written", "match"), [
    ('{"a": 1, "a": 2}', "'a' stands twice"), ("[NaN]", "NaN is no number"), ("[1e999]", "too large"), ("[1", "not JSON"),
    (b'"\xff"', "not JSON"), ("[" * 200 + "]" * 200, "more than 120 deep"), ("[" * 100_000, "nested too deeply"),
    ("", "not JSON"),
])  # fmt: skip
def test_json_is_read_strictly(written, match):
    with pytest.raises(FileError, match=f"the text.*{match}"):
        text.parse(written, "the text")


def test_names_stay_where_keras_has_them():
    for name in ("load_model", "save_model", "register_keras_serializable", "custom_object_scope"):
        assert getattr(tinynet.saving, name) is getattr(saving, name)
    assert tinynet.models.load_model is saving.load_model
