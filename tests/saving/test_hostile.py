"""Damaged and hostile files: each ends in a FileError, changes nothing,
runs nothing and takes no time; or it is a model.
"""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import layers
from tinynet.saving import FileError, load_model

from hostile_files import (
    HOSTILE,
    HOW,
    KERAS,
    archive,
    attempt,
    changed,
    damaged,
    functional,
    members_of,
    places,
    put_together,
    saved,
    sequential,
    signed,
    taken_apart,
)

# Inputs of each test below that counts.
COUNTS = {
    "bytes": 1600,
    "signed": 1600,
    "structure": 1100,
    "keras": 600,
    "keras_config": 400,
    "h5": 800,
    "safetensors": 300,
}


def test_there_are_enough():
    assert sum(COUNTS.values()) >= 5000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valid")
    made = {make.__name__: saved(make, folder / "net.tinynet") for make in (sequential, functional)}
    load_model(folder / "net.tinynet")  # whatever is imported at the first call
    load_model(KERAS / "sgd.keras")
    return made


def usable(model):
    """A forged file that passes all checks is a model like any other: it predicts, and can be saved again."""
    assert model.count_params() >= 0
    shape = [1, *model.input_shape[1:]] if model.input_shape[0] is None else list(model.input_shape)
    if None not in shape:
        assert model.predict(np.zeros(shape, np.float32), verbose=0).shape[0] == shape[0]


@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_any_change_of_the_bytes_is_noticed(name, files, tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(COUNTS["bytes"] // 2):
        data = damaged(files[name], rng)
        outcome = attempt(tmp_path / "net.tinynet", data)
        assert data == files[name] or isinstance(outcome, FileError)


@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_every_single_bit(name, files, tmp_path):
    data = files[name]
    for at in range(0, len(data), 29):
        flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        assert isinstance(attempt(tmp_path / "net.tinynet", flipped), FileError)


@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_changed_bytes_with_the_right_digest(name, files, tmp_path):
    rng, refused = np.random.default_rng(1), 0
    header = 8 + int.from_bytes(files[name][:8], "little")
    for i in range(COUNTS["signed"] // 2):
        data = signed(damaged(files[name], rng, 0 if i % 3 else header, header if i % 3 else None))
        outcome = attempt(tmp_path / "net.tinynet", data)
        refused += isinstance(outcome, FileError)
        if not isinstance(outcome, FileError):
            usable(outcome)
    assert refused > COUNTS["signed"] // 4


# The tree of a description, with other values in it



@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_other_values_in_the_description(name, files, tmp_path):
    header, description, arrays = taken_apart(files[name])
    everything = {
        "header": {key: value for key, value in header.items() if key != "__metadata__"},
        "description": description,
    }
    ways = list(places(everything))[2:]

    @settings(max_examples=COUNTS["structure"] // 2, derandomize=True, database=None)
    @given(st.sampled_from(ways), HOW, HOSTILE)
    def run(path, how, value):
        tree = changed(everything, path, how, value)
        entries = tree["header"] if isinstance(tree.get("header"), dict) else {}
        outcome = attempt(tmp_path / "net.tinynet", put_together(entries, tree.get("description"), arrays))
        if not isinstance(outcome, FileError):
            usable(outcome)

    run()


# Keras's files


def test_changed_bytes_of_keras_archives(files, tmp_path):
    rng, data = np.random.default_rng(2), (KERAS / "sgd.keras").read_bytes()
    for _ in range(COUNTS["keras"]):
        outcome = attempt(tmp_path / "net.keras", damaged(data, rng))
        if not isinstance(outcome, FileError):
            usable(outcome)


def test_other_values_in_keras_configurations(files, tmp_path):
    members = members_of(KERAS / "sgd.keras")
    config = json.loads(members["config.json"])
    ways = list(places(config))[1:]

    @settings(max_examples=COUNTS["keras_config"], derandomize=True, database=None)
    @given(st.sampled_from(ways), HOW, HOSTILE)
    def run(path, how, value):
        forged = {**members, "config.json": json.dumps(changed(config, path, how, value))}
        outcome = attempt(tmp_path / "net.keras", archive(forged))
        if not isinstance(outcome, FileError):
            usable(outcome)

    run()


def unchanged(model):
    """A loader of weights that must leave the model alone unless it succeeds."""
    before = [w.tobytes() for w in model.get_weights()]

    def load(path):
        try:
            model.load_weights(path)
        except FileError:
            assert [w.tobytes() for w in model.get_weights()] == before
            raise

    return load


def test_changed_bytes_of_hdf5_files(files, tmp_path):
    data = members_of(KERAS / "sgd.keras")["model.weights.h5"]
    rng, model = np.random.default_rng(3), load_model(KERAS / "sgd.keras", compile=False)
    for _ in range(COUNTS["h5"]):
        attempt(tmp_path / "net.weights.h5", damaged(data, rng, 0, 4000), unchanged(model))
        model.load_weights(KERAS / "sgd.keras")


def test_changed_bytes_of_safetensors_files(files, tmp_path):
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(2), layers.Dense(2)])
    model.save_weights(tmp_path / "net.safetensors")
    rng, data = np.random.default_rng(4), (tmp_path / "net.safetensors").read_bytes()
    kept = model.get_weights()
    for _ in range(COUNTS["safetensors"]):
        attempt(tmp_path / "net.safetensors", damaged(data, rng), unchanged(model))
        model.set_weights(kept)
