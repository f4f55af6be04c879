"""Where .weights.h5 files keep the weights of subclassed models:
the paths that Keras 3.15 wrote for the same classes.
"""

import numpy as np
import pytest

import tinynet
from tinynet import layers, metrics
from tinynet.saving.keras.layout import places


def dense(**settings):
    return layers.Dense(4, **settings)


def one_after_the_other(parts, x):
    for part in parts:
        x = part(x)
    return x


class Names(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.zeta, self.alpha, self._private = dense(), dense(), dense()
        self.norm, self.Big = layers.BatchNormalization(), dense()

    def call(self, x):
        return one_after_the_other([self.zeta, self.alpha, self._private, self.norm, self.Big], x)


class Inner(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.z, self.a = dense(), dense()

    def call(self, x):
        return self.z(self.a(x))


class Nested(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.t, self.e, self.l = Inner(), Inner(), [Inner()]
        self.s = tinynet.Sequential([dense(), Inner()])

    def call(self, x):
        return one_after_the_other([self.t, self.e, self.l[0], self.s], x)


class Shared(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.a = self.b = dense()
        self.c, self.z = [self.a, dense()], {"x": self.a, "y": dense()}

    def call(self, x):
        return one_after_the_other([self.a, self.b, *self.c, self.z["y"]], x)


class Ends(tinynet.Model):
    def __init__(self):
        x = layers.Input((4,))
        super().__init__(x, dense()(dense()(x)))


class Chain(tinynet.Sequential):
    def __init__(self):
        super().__init__([layers.Input((4,)), dense(), dense()])


class Measured(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.seen, self.out, self.act = metrics.Mean(), dense(activation=layers.PReLU()), layers.PReLU()

    def call(self, x):
        return self.act(self.out(x))


class Block(layers.Layer):
    """A layer has no `layers`: all of its own are named by its attributes."""

    def __init__(self):
        super().__init__()
        self.z, self._w, self.more = dense(), dense(), [layers.BatchNormalization(), dense()]

    def call(self, x):
        return one_after_the_other([self.z, self._w, *self.more], x)


class Blocks(tinynet.Sequential):
    def __init__(self):
        super().__init__([Block()])


NORM = "layers/batch_normalization"
PATHS = {
    Names: ["Big", "alpha", NORM, "layers/dense", "layers/dense_2"],
    Nested: [
        "e/a", "e/layers/dense", "l/inner/a", "l/inner/layers/dense", "layers/inner/a",
        "layers/inner/layers/dense",
        "layers/sequential/layers/dense", "layers/sequential/layers/inner/a",
        "layers/sequential/layers/inner/layers/dense",
    ],
    Shared: ["a", "c/dense_1", "layers/dense_2"],
    Ends: ["layers/dense", "layers/dense_1"],
    Chain: ["layers/dense", "layers/dense_1"],
    Measured: ["act", "layers/dense", "layers/dense/activation"],
    Blocks: [f"layers/block/{name}" for name in ("_w", "more/batch_normalization", "more/dense", "z")],
}  # fmt: skip


@pytest.mark.parametrize("make", PATHS, ids=lambda make: make.__name__)
def test_the_paths_are_keras(make):
    model = make()
    model(np.ones((2, 4), "float32"))
    assert sorted(path for path, _, parameters in places(model) if parameters) == PATHS[make]


@pytest.mark.parametrize("make", PATHS, ids=lambda make: make.__name__)
def test_a_round_trip(make, tmp_path):
    pytest.importorskip("h5py")
    one, other, x = make(), make(), np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
    expected = one(x).numpy()
    other(x)
    one.save_weights(tmp_path / "net.weights.h5")
    other.load_weights(tmp_path / "net.weights.h5")
    assert np.array_equal(other(x).numpy(), expected)
