"""A file of n bytes costs at most 64 MB + 40 n of memory, and little time, whatever it says; so do
descriptions in memory, but for the weights of the model that they describe."""

import copy
import json
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import layers
from tinynet.models import model_from_json
from tinynet.saving import FileError, deserialize_keras_object, in_memory, load_model, serialize_keras_object

from file_costs import DESCRIPTIONS, after, cost, deep, deep_activation, layer, native, packed
from hostile_files import (
    HOSTILE,
    HOW,
    KERAS,
    changed,
    functional,
    members_of,
    places,
    put_together,
    saved,
    sequential,
    taken_apart,
    watched,
)

ALL = {
    **DESCRIPTIONS,
    "deep": deep(20),
    "too deep": deep(60),
    "activations": deep_activation(50),
    "more": deep_activation(300),
}
A_WEIGHT = 24  # bytes: float32, and what drawing it in float64 takes meanwhile


@pytest.fixture(scope="module", autouse=True)
def _first(tmp_path_factory):
    """What is imported, compiled or kept at the first time is no cost of a file."""
    model_from_json(functional()[0].to_json())
    load_model(KERAS / "sgd.keras")
    saved(sequential, tmp_path_factory.mktemp("first") / "net.tinynet")


def loaded(path, data, load=load_model):
    path.write_bytes(data)
    outcome = cost(load, path, size=len(data))
    assert not isinstance(outcome, Exception) or isinstance(outcome, FileError), repr(outcome)
    return outcome


@pytest.mark.parametrize("name", ALL)
def test_tinynet_files(name, tmp_path):
    loaded(tmp_path / "net.tinynet", native(ALL[name]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_keras_archives(name, method, tmp_path):
    members = members_of(KERAS / "sgd.keras")
    config = {**json.loads(members["config.json"]), **ALL[name]}
    loaded(tmp_path / "net.keras", packed({**members, "config.json": config}, method))


@pytest.mark.parametrize("name", ALL)
def test_descriptions_in_memory(name, monkeypatch):
    # the weights of a model are what is asked for: here, few
    monkeypatch.setattr(in_memory, "MOST_WEIGHTS", 1 << 22)
    text = json.dumps(ALL[name])
    for load, said in ((model_from_json, text), (deserialize_keras_object, ALL[name])):
        described = 0
        try:
            model = load(said)
        except ValueError:
            model = None
        if model is not None and model.built:
            described = model.count_params()
        outcome = cost(load, said, size=len(text) + described * A_WEIGHT / 40)
        assert isinstance(outcome, ValueError) == (model is None), repr(outcome)


def test_weights_are_at_most_those_of_the_file(tmp_path):
    """A Dense of twice, and of a hundred times, the weights that the file holds
    is refused before memory is taken.
    """
    model = tinynet.Sequential([layers.Input((1000,)), layers.Dense(3000, use_bias=False, name="d")])
    header, description, arrays = taken_apart(saved_bytes(model, tmp_path))
    for times in (2, 100):
        description["model"]["config"]["layers"][1]["config"]["units"] = 3000 * times
        data = put_together(header, description, arrays)
        (tmp_path / "net.tinynet").write_bytes(data)
        outcome = cost(load_model, tmp_path / "net.tinynet", size=0)  # 12 MB are read; 24 MB are too many
        assert "larger than what the file holds" in str(outcome)


def saved_bytes(model, folder):
    model.save(folder / "valid.tinynet")
    return (folder / "valid.tinynet").read_bytes()


# Archives that are small until they are unpacked


@pytest.mark.parametrize("text", [
    b'{"a":1},', b"{},", b"[],", b'"ab",', b"0.5,", b'[{"a":{}}],', b'{"class_name":"Dense","config":{}},',
    b"   ",
    b'"\\u0041",',
])  # fmt: skip
@pytest.mark.parametrize("size", [1_000_000, 5_000_000, 20_000_000])
def test_configurations_that_are_small_until_they_are_unpacked(text, size, tmp_path):
    members = members_of(KERAS / "sgd.keras")
    config = b'{"class_name": "Sequential", "config": {"layers": [' + text * (size // len(text)) + b"0]}}"
    loaded(tmp_path / "net.keras", packed({**members, "config.json": config}, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_weights_that_are_small_until_they_are_unpacked(kind, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/dense/vars/0"] = np.zeros((6000, 1000), kind)
    net = after([None, 6000], layer("Dense", units=1000, use_bias=False, dtype="float64"))
    members = {
        "config.json": net,
        "metadata.json": "{}",
        "model.weights.h5": (tmp_path / "w.h5").read_bytes(),
    }
    loaded(tmp_path / "net.keras", packed(members, zipfile.ZIP_DEFLATED))


# Descriptions with other values in them


SEEDS = {
    "sequential": lambda: sequential()[0], "functional": lambda: functional()[0],
    "lambda": lambda: tinynet.Sequential([
        layers.Input((6, 4)), layers.Lambda("take", arguments={"indices": [0, 1], "axis": 1}),
        layers.Lambda("multiply", arguments={"x2": [[1.0] * 4] * 2}),
        layers.Dense(3, activation=layers.PReLU()),
        layers.Reshape((3, 2)), layers.Embedding(5, 3), layers.Rescaling([0.5] * 3),
    ]),
    "images": lambda: tinynet.Sequential([
        layers.Input((8, 8, 2)), layers.ZeroPadding2D(1), layers.UpSampling2D(2),
        layers.Conv2DTranspose(2, 3, strides=2),
        layers.RandomRotation(0.1), layers.MaxPooling2D(3), layers.Flatten(), layers.RepeatVector(3),
    ]),
}  # fmt: skip
LARGE = st.sampled_from([
    1 << 20, 1 << 24, 1 << 27, 1 << 40, -(1 << 31), [1 << 24], [1 << 12, 1 << 12], [None, 1 << 24],
    [[0.0] * 2000] * 2,
    [0] * 5000, layer("Embedding", input_dim=1 << 20, output_dim=1 << 10), layer("PReLU"), "Dense", "softmax",
    "tile",
    [[[[1]]]] * 50, True,
    float("1e300"), [True], {"function": "ones"}, {"0": 1}, [None] * 4, "1", "", [["a"]],
])  # fmt: skip


@pytest.fixture(scope="module")
def descriptions():
    return {name: json.loads(json.dumps(serialize_keras_object(make()))) for name, make in SEEDS.items()}


@pytest.mark.parametrize("name", SEEDS)
def test_other_values_in_descriptions(name, descriptions, tmp_path, monkeypatch):
    monkeypatch.setattr(in_memory, "MOST_WEIGHTS", 1 << 22)
    whole = {"model": descriptions[name]}
    ways = list(places(whole))[2:]

    def attempt(load, said):
        with watched(), suppress(ValueError):
            load(given)

    @settings(max_examples=250, derandomize=True, database=None)
    @given(st.sampled_from(ways), HOW, LARGE | HOSTILE)
    def run(path, how, value):
        description = changed(whole, path, how, copy.deepcopy(value)).get("model")
        loaded(tmp_path / "net.tinynet", native(description))
        attempt(model_from_json, json.dumps(description))
        attempt(deserialize_keras_object, description)

    run()


@pytest.mark.parametrize("given", [
    5, None, b"\xff", "", "[", "[]", "{}", "null", "[" * 100_000, '{"class_name": "Dense"}', (
        '{"class_name": 5, "config": '
        '{}}'
    ),
    '{"class_name": "Dense", "config": []}',
    '{"class_name": "Adam", "config": {}}', '{"class_name": "os.system", "config": {}}',
    '{"a": 1, "a": 2}', "NaN", '{"class_name": "Dense", "config": {"units": 1e999}}',
], ids=lambda given: repr(given)[:30])  # fmt: skip
def test_texts_that_describe_no_model(given):
    with pytest.raises(ValueError, match="the JSON of a model"):
        model_from_json(given)


def test_objects_that_lead_in_circles_or_too_deep():
    circle: list = []
    circle.append(circle)
    wide: list = []
    wide += [wide, wide]
    for said in (circle, wide, {"a": circle}, deep(200), [[[deep(200)]]]):
        with pytest.raises(ValueError, match=r"nested|more than"):
            deserialize_keras_object(said)
