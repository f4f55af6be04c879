"""Weights in Keras's .weights.h5 files, and real Keras reading what tinynet wrote where it is installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.saving import FileError, load_model
from tinynet.saving.keras import hdf5

from saving.for_keras import CASES, write

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
TESTS = Path(__file__).parent.parent


def net(units=2):
    return tinynet.Sequential([
        layers.Input((5, 5, 1)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten(),
        layers.Dense(units)
    ])  # fmt: skip


def test_round_trip(tmp_path):
    model, other = net(), net()
    model.save_weights(tmp_path / "net.weights.h5")
    other.load_weights(tmp_path / "net.weights.h5")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / "net.weights.h5", overwrite=False)
    with pytest.raises(FileError, match=r"dense.*shape \(27, 3\).*\(27, 2\)"):
        net(3).load_weights(tmp_path / "net.weights.h5")
    with pytest.raises(ValueError, match=r"weights\.h5"):
        model.save_weights(tmp_path / "net.h5")


def test_the_layout_is_that_of_keras(tmp_path):
    model, _, _ = CASES["branches"]()
    model.save_weights(tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "net.weights.h5") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        assert file["layers/sequential/layers/dense/vars"].attrs["name"].startswith("dense")
    folders = ["conv2d", "depthwise_conv2d", "dense", "dense_1", "dense_2", "sequential/layers/dense"]
    assert sorted(names) == sorted(f"layers/{folder}/vars/{i}" for folder in folders for i in (0, 1))


def test_own_reader_reads_what_the_library_reads(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        f"layers/dense_{i}/vars/{j}": rng.normal(size=rng.integers(1, 5, j))
        for i in range(300)
        for j in range(3)
    }
    kinds = [np.float16, np.float32, ">f4", ">f8", np.int8, np.uint16, ">i4", np.int64]
    arrays |= {f"kinds/{i}": np.arange(6).reshape(2, 3).astype(kind) for i, kind in enumerate(kinds)}
    with h5py.File(tmp_path / "many.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
            file[name].parent.attrs["name"] = "x" * 30
    found = hdf5.read((tmp_path / "many.h5").read_bytes())
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_every_model_comes_back(tmp_path):
    write(tmp_path)
    for name in CASES:
        stored = np.load(tmp_path / f"{name}.npz")
        model = load_model(tmp_path / f"{name}.keras")
        x = [stored[f"x{i}"] for i in range(3) if f"x{i}" in stored.files]
        outputs = model.predict(x if len(x) > 1 else x[0], verbose=0)
        outputs = [outputs[key] for key in sorted(outputs)] if isinstance(outputs, dict) else [outputs]
        for i, found in enumerate(outputs):
            np.testing.assert_array_equal(found, stored[f"y{i}"])


def test_without_h5py(tmp_path, monkeypatch):
    model = net()
    monkeypatch.setitem(sys.modules, "h5py", None)
    for save in (model.save_weights, model.save):
        with pytest.raises(ImportError, match=r"pip install 'tinynet\[keras\]'"):
            save(tmp_path / ("net.weights.h5" if save == model.save_weights else "net.keras"))
    assert not list(tmp_path.iterdir())
    load_model(TESTS / "fixtures" / "keras_files" / "sgd.keras")  # reading needs no h5py


def test_what_keras_does_not_have_is_named(tmp_path):
    for layer, match in [
        (layers.RReLU(), "Keras has no RReLU"), (layers.BatchNormalization(axis=[1, 2]), (
            r"one axis, not \[1, "
            r"2\]"
        )),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            tinynet.Sequential([layers.Input((4, 4, 1)), layer]).save(tmp_path / "net.keras")


@pytest.mark.skipif(
    find_spec("keras") is None, reason="keras is not installed; see tests/fixtures/check_keras_reads.py"
)
def test_real_keras_reads_them(tmp_path):
    write(tmp_path)
    environment = {"KERAS_BACKEND": "torch" if find_spec("torch") else "jax", **os.environ}
    script = TESTS / "fixtures" / "check_keras_reads.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
