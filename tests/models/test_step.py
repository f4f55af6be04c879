"""The training step as a whole: layout conversions, determinism,
every kernel implementation, other array types.
"""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from tinynet import kernels, layers
from tinynet.backend import device
from tinynet.kernels import common
from tinynet.models import Sequential
from tinynet.utils import set_random_seed, to_categorical

import strict_array
from models.nets import model_9, small_data, small_net


@pytest.mark.parametrize("one_hot", [True, False])
def test_no_layout_conversion_after_the_batch_was_written(monkeypatch, one_hot):
    model = model_9()
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"], run_eagerly=True)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (66, 28, 28), np.uint8), rng.integers(0, 10, 66)
    y = to_categorical(y, 10) if one_hot else y
    model.fit(x, y, batch_size=33, verbose=0)
    convert, shapes = common.to_batch_last, []

    def counted(array, dtype=None):
        shapes.append(array.shape)
        return convert(array, dtype)

    monkeypatch.setattr(common, "to_batch_last", counted)
    model.fit(x, y, batch_size=33, epochs=2, verbose=0)
    assert shapes == [], (
        "kernels/batching.py writes each batch in the engine's memory order; nothing converts it again"
    )


def train(steps_per_epoch=4, epochs=1):
    set_random_seed(11)
    model, (x, y) = small_net(), small_data(steps_per_epoch * 16)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, validation_data=(x[:20], y[:20]))
    return model, history.history


def digest():
    """Hash of all weights after 200 steps, with every loop shared among the threads however small it is."""
    common.MAX_ELEMENTS_ALONE = -1
    model, _ = train(steps_per_epoch=10, epochs=20)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def test_the_same_bits_at_any_number_of_threads():
    paths = os.pathsep.join(path for path in sys.path if path)
    found = set()
    for threads in ("1", "2"):
        environment = {
            **os.environ,
            "NUMBA_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": paths,
        }
        command = [sys.executable, "-c", "from models.test_step import digest; print(digest())"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    assert len(found) == 1


CHOICES = [(family, name) for family, names in sorted(kernels.families().items()) for name in names]


@pytest.mark.parametrize(("family", "name"), CHOICES)
def test_a_run_under_every_implementation(family, name):
    _, expected = train()
    with kernels.use(family, name):
        _, found = train()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-3, atol=1e-4, err_msg=key)


def test_a_run_on_arrays_that_are_not_numpys(monkeypatch):
    _, expected = train()
    monkeypatch.setattr(device, "array_module", lambda: strict_array)
    model, found = train()
    assert type(model.weights[0].data) is strict_array.ndarray
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-3, atol=1e-4, err_msg=key)


def test_nothing_a_caller_holds_is_recycled():
    model, (x, _) = small_net(), small_data(32)
    model.compile("sgd", "sparse_categorical_crossentropy")
    held = [model(x[i : i + 8], training=True) for i in range(0, 32, 8)]
    copies = [output.numpy() for output in held]
    model.fit(*small_data(64), verbose=0)
    for output, copy in zip(held, copies, strict=True):
        np.testing.assert_array_equal(output.numpy(), copy)


def test_channels_first_equals_channels_last():
    def build(first):
        f = {"data_format": "channels_first" if first else "channels_last"}
        return Sequential(
            [
                layers.Input((2, 6, 5) if first else (6, 5, 2)),
                layers.Conv2D(4, 3, padding="same", activation="relu", **f),
                layers.BatchNormalization(axis=1 if first else -1),
                layers.MaxPooling2D(**f),
                layers.Flatten(**f),
                layers.Dense(3),
            ]
        )

    last, first = build(False), build(True)
    first.set_weights(last.get_weights())
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 6, 5, 2)), rng.normal(size=(12, 3))
    for model, images in ((last, x), (first, x.transpose(0, 3, 1, 2))):
        model.compile("sgd", "mse")
        model.fit(images, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(last.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
