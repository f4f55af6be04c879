"""Files of weights and backups: n bytes cost at most 64 MB + 40 n of memory,
and change nothing where they are refused.
"""

import json
import struct

import numpy as np
import pytest

import tinynet
from tinynet import layers, utils
from tinynet.callbacks import backup_file
from tinynet.saving import FileError, load_model

from file_costs import cost
from hostile_files import KERAS, damaged, members_of

HUGE = (1 << 24, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def model():
    return tinynet.Sequential([layers.Input((3,)), layers.Dense(2, name="a"), layers.Dense(2, name="b")])


def refused(load, weights, path, data):
    """Loads a file within its limits; where that is refused, what `weights` gives is as it was.
    Whether it was.
    """
    path.write_bytes(data)
    before = [w.tobytes() for w in weights()]
    outcome = cost(load, path, size=len(data))
    assert not isinstance(outcome, Exception) or isinstance(outcome, FileError | ValueError), repr(outcome)
    if isinstance(outcome, Exception):
        assert [w.tobytes() for w in weights()] == before
    return isinstance(outcome, Exception)


# safetensors: 8 bytes of length, a JSON header, the numbers


def of_safetensors(header, numbers=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def entry(shape, begin=0, end=0, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


SAFETENSORS = {
    "no bytes for many numbers": of_safetensors({"a/kernel": entry([1 << 15, 1 << 15])}),
    "a product beyond 64 bits": of_safetensors({"a/kernel": entry([1 << 40, 1 << 40])}),
    "nothing, wide": of_safetensors({"a/kernel": entry([1 << 40, 0])}),
    "one piece, many names": of_safetensors(
        {f"{i}": entry([1 << 18], 0, 1 << 20) for i in range(500)}, bytes(1 << 20)
    ),
    "many empty ones": of_safetensors({f"{i}": entry([0]) for i in range(50_000)}),
    "many axes": of_safetensors({"a/kernel": entry([1] * 100_000, 0, 4)}, bytes(4)),
    "a long name": of_safetensors({"a" * 5_000_000: entry([1], 0, 4)}, bytes(4)),
    "a header without end": struct.pack("<Q", 1 << 40) + b"{",
    "a header of brackets": of_safetensors(b"[" * 2_000_000),
    "much of nothing": of_safetensors(
        {"__metadata__": {str(i): "" for i in range(200_000)}, "a": entry([1], 0, 4)}, bytes(4)
    ),
}


@pytest.mark.parametrize("name", SAFETENSORS)
@pytest.mark.parametrize("form", ["safetensors", "tinynet", "backup"])
def test_safetensors_that_lie(name, form, tmp_path):
    net = model()
    load = {"safetensors": net.load_weights, "tinynet": load_model, "backup": backup_file.read}[form]
    assert refused(load, net.get_weights, tmp_path / f"net.{form}", SAFETENSORS[name])


def numbers_of_the_header_changed(data, rng):
    """A header with a number of its own in place of one that it has."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    name = str(rng.choice([name for name in header if name != "__metadata__"]))
    huge = int(rng.choice(np.array(HUGE, dtype=object)))
    where = header[name]["shape"] if rng.random() < 0.5 else header[name]["data_offsets"]
    if where:
        where[int(rng.integers(len(where)))] = huge
    return of_safetensors(header, data[8 + size :])


@pytest.mark.parametrize("form", ["safetensors", "backup"])
def test_changed_safetensors(form, tmp_path):
    net, rng = model(), np.random.default_rng(5)
    if form == "backup":
        backup_file.write(
            tmp_path / "valid",
            {"weights/0": np.ones((20, 30)), "order": np.arange(7)},
            json.dumps({"epoch": 3}),
        )
        load = backup_file.read
    else:
        net.save_weights(tmp_path / "valid.safetensors")
        load = net.load_weights
    data = (tmp_path / ("valid" if form == "backup" else "valid.safetensors")).read_bytes()
    kept = net.get_weights()
    count = 0
    for i in range(400):
        changed = damaged(data, rng) if i % 2 else numbers_of_the_header_changed(data, rng)
        count += refused(load, net.get_weights, tmp_path / f"net.{form}", changed)
        net.set_weights(kept)
    assert count > 200


# HDF5: sizes, counts and addresses are integers of 2, 4 and 8 bytes all over the file


def with_another_number(data, rng, last):
    width = int(rng.choice([1, 2, 4, 8]))
    at = int(rng.integers(0, (last - width) // 2)) * 2
    value = int(rng.choice(np.array(HUGE, dtype=object))) & ((1 << 8 * width) - 1)
    if rng.random() < 0.5:
        value = int(rng.integers(0, len(data)))  & ((1 << 8 * width) - 1)  # another address within the file
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]


@pytest.mark.parametrize("file", ["sgd.keras", "conv_net.keras"])
def test_changed_hdf5(file, tmp_path):
    data = members_of(KERAS / file)["model.weights.h5"]
    net, rng = load_model(KERAS / file, compile=False), np.random.default_rng(6)
    kept, count = net.get_weights(), 0
    for i in range(400):
        changed = (
            damaged(data, rng, 0, min(8000, len(data)))
            if i % 2
            else with_another_number(data, rng, min(8000, len(data)))
        )
        count += refused(net.load_weights, net.get_weights, tmp_path / "net.weights.h5", changed)
        net.set_weights(kept)
    assert count > 50


def test_the_limits_are_those_of_the_file(tmp_path):
    """What is measured is what it should be: whole files of known sizes load,
    within the limits, and are the same.
    """
    big = tinynet.Sequential([layers.Input((1000,)), layers.Dense(2000)])  # 8 MB
    other = tinynet.models.clone_model(big)
    for name in ("net.safetensors", "net.weights.h5"):
        if name.endswith("h5"):
            pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
        big.save_weights(tmp_path / name)
        size = (tmp_path / name).stat().st_size
        assert size > 8_000_000
        outcome = cost(other.load_weights, tmp_path / name, size=size)
        assert not isinstance(outcome, Exception)
        np.testing.assert_array_equal(other.get_weights()[0], big.get_weights()[0])
        other.set_weights([w * 0 for w in big.get_weights()])
    arrays, _ = utils.load_arrays(tmp_path / "net.safetensors")
    assert sum(array.nbytes for array in arrays.values()) == 4 * big.count_params()
