"""Files of subclassed models, whose weights are made by a call:
the file says what that was, whatever arguments it had.
"""

import json
import zipfile

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops
from tinynet.saving import FileError, container, load_model, register_keras_serializable

registered = register_keras_serializable("files_of_subclasses")
A, B = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4), np.full((3, 2), 0.5, "float32")
IDS = np.array([[1, 2], [0, 3], [2, 2]])


class Halves(tinynet.Model):
    """Two layers, built by what call does with them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.left, self.right = layers.Dense(2), layers.Dense(2)

    def both(self, a, b):
        return self.left(a) - self.right(b)


@registered
class Two(Halves):
    def call(self, a, b):
        return self.both(a, b)


@registered
class ByName(Halves):
    def call(self, *, a, b, training=False):
        return self.both(a, b)


@registered
class Several(Halves):
    def call(self, *given):
        return self.both(*given)


@registered
class Either(Halves):
    def call(self, a, b=None, training=False):
        return self.right(b) if a is None else self.both(a, b)


@registered
class Nested(Halves):
    def call(self, a, others):
        return self.both(a, others["x"]) + self.right(others["y"][0])


@registered
class SaysItsShape(Halves):
    def call(self, a):
        return self.both(a, a)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2)


@registered
class Builds(tinynet.Model):
    def build(self, a_shape, b_shape):
        self.left = self.add_weight("left", (a_shape[-1], 2))
        self.right = self.add_weight("right", (b_shape[-1], 2))

    def call(self, a, b):
        return ops.matmul(a, self.left) - ops.matmul(b, self.right)


@registered
class Rows(tinynet.Model):
    def build(self, input_shape):
        self.table = self.add_weight("table", (4, 2))

    def call(self, ids):
        return ops.take(self.table, ids, axis=0)


@registered
class NeedsNumbers(layers.Layer):
    """Computes with NumPy: it cannot be run on arrays without numbers."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(2)

    def call(self, given):
        return self.dense(given[0]) * float(np.sum(given[1].numpy()) + 1)


def chain():
    return tinynet.Sequential([NeedsNumbers(), layers.Dense(1)])


CALLS = {
    "a Sequential of several inputs": (chain, lambda model: model([A, B])),
    "by position": (Two, lambda model: model(A, B)),
    "one by name": (Two, lambda model: model(A, b=B)),
    "all by name": (Two, lambda model: model(b=B, a=A)),
    "by name alone": (ByName, lambda model: model(b=B, a=A)),
    "any number": (Several, lambda model: model(A, B)),
    "without the first": (Either, lambda model: model(None, B)),
    "a structure beside": (Nested, lambda model: model(A, {"y": [B], "x": B})),
    "with a shape of its own": (SaysItsShape, lambda model: model(A)),
    "a build of its own": (Builds, lambda model: model(A, B)),
    "integers alone": (Rows, lambda model: model(IDS)),
}


@pytest.mark.parametrize("suffix", [".tinynet", ".keras"])
@pytest.mark.parametrize("name", CALLS)
def test_a_model_comes_back_however_it_was_called(name, suffix, tmp_path):
    cls, call = CALLS[name]
    model = cls()
    expected = call(model).numpy()
    model.save(tmp_path / f"net{suffix}")
    again = load_model(tmp_path / f"net{suffix}")
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]
    assert np.array_equal(call(again).numpy(), expected)


def test_what_keras_reads_of_them(tmp_path):
    """Keras 3.15 builds such a model from "shapes_dict", and does not make one from inputs=None."""
    model = Two()
    model(A, B)
    model.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        written = json.loads(archive.read("config.json"))
    assert written["build_config"] == {"shapes_dict": {"a_shape": [None, 4], "b_shape": [None, 2]}}
    assert set(written["config"]) == {"name", "trainable", "dtype"}


WRONG = [
    [[None, 4]], "word", 3, {"a": 3}, {"a": "word"}, {"a": [None, 4]}, {"a": [None, 4], "b": [None, -1]},
    {"a": [], "b": []},
    {"a": [None, 4], "b": [None, 2], "c": [None, 2]}, {"self": [None, 4], "b": [None, 2]},
    {"a": [None, 1 << 40], "b": [None, 2]},
    {"a": {}, "b": {}}, {"training": [None, 4]}, {"0": [None, 4], "1": [None, 3]},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, WRONG))
def test_forged_arguments(wrong, tmp_path):
    model = Two()
    model(A, B)
    model.save(tmp_path / "net.tinynet")
    description, arrays = container.read(tmp_path / "net.tinynet")
    assert description["arguments"] == {"a": [None, 4], "b": [None, 2]}
    del description["sha256"]
    container.write(tmp_path / "forged.tinynet", {**description, "arguments": wrong}, arrays)
    with pytest.raises(FileError, match=r"forged\.tinynet"):
        load_model(tmp_path / "forged.tinynet")
