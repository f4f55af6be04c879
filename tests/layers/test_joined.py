"""Batch normalisation and dropout in one pass: the bits of the two layers one after the other.

The stand-in for CuPy takes its place: these are no GPU tests. Where the pair is joined is seen from the
kernels that are launched.
"""

import gc

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops, regularizers
from tinynet.autograd import Tensor
from tinynet.backend import device
from tinynet.models import Model, Sequential
from tinynet.utils import set_random_seed

import cupy_stand_in
from cuda_shim import shim
from cupy_stand_in import machine

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(checked=False) as module:
        tinynet.set_device("gpu")
        yield module
        tinynet.set_device("cpu")
        gc.collect()


def pair(norm=None, **settings):
    dropout = layers.Dropout(**{"rate": 0.4, "seed": 3, **settings})
    return layers.BatchNormalization(name="norm", **(norm or {})), dropout


def data(*shape):
    return np.random.default_rng(len(shape)).normal(1, 2, shape).astype(np.float32)


def bits(function, x, norm, dropout):
    """Output, gradients of x and the parameters, moving statistics and draws of a training call."""
    x = Tensor(device.to_device(x), requires_grad=True)
    y = function(x)
    weights = norm.trainable_weights
    grads = tinynet.grad(ops.sum(y * y * y), [x, *weights])
    found = [y, *grads, norm.moving_mean, norm.moving_variance]
    return [tinynet.to_device(one, "cpu").numpy() for one in found] + [np.array(dropout._draw_count)]


def joined_launches():
    return [name for name in machine.launches if name.startswith("part_") and "true" in name]


SHAPES = [(5, 3), (33, 4, 3, 2), (16, 7), (40, 2, 2, 2, 3), (300, 5, 5, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bits_of_the_two_layers(shape):
    x = data(*shape)
    (norm, dropout), (other, its) = pair(), pair()
    for call in range(3):
        expected = bits(lambda t: its(other(t, training=True), training=True), x, other, its)
        assert not joined_launches()
        found = bits(lambda t: norm(t, dropout=dropout, training=True), x, norm, dropout)
        assert joined_launches() == ["part_moments<float, true>", "part_products<float, true>"]
        machine.launches.clear()
        for a, b in zip(found, expected, strict=True):
            assert a.tobytes() == b.tobytes(), call


@pytest.mark.parametrize(
    ("norm", "dropout", "training"),
    [
        ({}, {}, False),
        ({"trainable": False}, {}, True),
        ({"axis": 1}, {}, True),
        ({"axis": [1, 2]}, {}, True),
        ({}, {"rate": 0.0}, True),
        ({}, {"noise_shape": (None, 1, 1, None)}, True),
        ({}, {"activity_regularizer": regularizers.L2(0.1)}, True),
        ({}, {"dtype": "float64"}, True),
    ],
)
def test_where_there_is_no_one_pass_one_layer_follows_the_other(norm, dropout, training):
    x, (first, second), (other, its) = data(6, 4, 3, 2), pair(norm, **dropout), pair(norm, **dropout)
    found = first(device.to_device(x), dropout=second, training=training).numpy()
    expected = its(other(device.to_device(x), training=training), training=training).numpy()
    assert found.tobytes() == expected.tobytes()
    assert second._draw_count == its._draw_count
    assert len(second.losses) == len(its.losses)
    assert not joined_launches()


def test_on_a_cpu_one_layer_follows_the_other():
    with tinynet.device("cpu"):
        x, (norm, dropout), (other, its) = data(6, 4, 3, 2), pair(), pair()
        found = norm(x, dropout=dropout, training=True).numpy()
        assert found.tobytes() == its(other(x, training=True), training=True).numpy().tobytes()


def net(*more):
    return [layers.Conv2D(3, 3, activation="relu"), *pair(), *more, layers.Flatten(), layers.Dense(2)]


def chain(layers_):
    x = first = layers.Input((6, 6, 1))
    for layer in layers_:
        x = layer(x)
    return Model(first, x)


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.norm, self.dropout = pair()

    def call(self, x):
        return self.norm(x, dropout=self.dropout)


class Own(layers.Dropout):
    pass


def with_a_penalty():
    return [layers.Conv2D(3, 3), *pair({"activity_regularizer": "l2"}), layers.Flatten(), layers.Dense(2)]


def used_twice():
    x = layers.Input((6, 6, 1))
    norm, dropout = pair()
    y = norm(x)
    return Model(x, layers.Add()([y, dropout(y)]))


def seen_by_the_user():
    x = layers.Input((6, 6, 1))
    norm, dropout = pair()
    y = norm(x)
    return Model(x, [y, dropout(y)])


def branches():
    x = layers.Input((6, 6, 1))
    norm, dropout = pair()
    return Model(x, layers.Add()([dropout(norm(x)), layers.Conv2D(1, 1)(x)]))


@pytest.mark.parametrize(
    ("make", "joined"),
    [
        (lambda: Sequential(net()), True),
        (lambda: chain(net()), True),
        (lambda: Sequential([Sequential(net())]), True),
        (lambda: Sequential([layers.Conv2D(3, 3), Block(), layers.Flatten(), layers.Dense(2)]), True),
        (branches, True),
        (lambda: Sequential([*net(Own(0.1))[:2], Own(0.1)]), False),
        (lambda: Sequential([pair()[0], layers.ReLU(), pair()[1]]), False),
        (lambda: Sequential(with_a_penalty()), False),
        (used_twice, False),
        (seen_by_the_user, False),
    ],
)
def test_models_join_what_nobody_else_is_given(make, joined, monkeypatch):
    def run():
        set_random_seed(1)
        model, x = make(), device.to_device(data(9, 6, 6, 1))
        outputs = model(x, training=True)
        found = [y.numpy() for y in (outputs if isinstance(outputs, list) else [outputs])]
        assert model.built
        assert all(layer.built for layer in model.layers)
        calm = model(x)  # in inference, too
        found += [y.numpy() for y in (calm if isinstance(calm, list) else [calm])]
        return [*found, *model.get_weights()]

    found = run()
    assert bool(joined_launches()) == joined
    machine.launches.clear()
    monkeypatch.setattr("tinynet.layers.joined.joins", lambda *_: False)
    monkeypatch.setattr("tinynet.models.graph.joins", lambda *_: False)
    monkeypatch.setattr("tinynet.layers.batch_normalization.is_on_gpu", lambda _: False)
    for a, b in zip(found, run(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert not joined_launches()


def test_a_training_has_the_same_bits_with_and_without(monkeypatch):
    """Captured, too."""

    def run():
        set_random_seed(1)
        model, x, y = Sequential(net()), data(48, 6, 6, 1), np.arange(48) % 2
        loss = tinynet.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
        assert model.replay.why().startswith("replayed")
        return [*model.get_weights(), np.array(model.layers[2]._draw_count)]

    found = run()
    assert joined_launches()
    monkeypatch.setattr("tinynet.layers.joined.joins", lambda *_: False)
    monkeypatch.setattr("tinynet.layers.batch_normalization.is_on_gpu", lambda _: False)
    for a, b in zip(found, run(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_a_penalty_needs_what_lies_between_the_two():
    """The one of batch normalisation: on its output, not on what is left of it."""
    model, x = Sequential(with_a_penalty()), device.to_device(data(9, 6, 6, 1))
    model(x, training=True)
    norm = model.layers[1]
    y = norm(model.layers[0](x), training=True).numpy()
    (penalty,) = norm.losses
    np.testing.assert_allclose(float(penalty), 0.01 * (y**2).sum() / 9, rtol=1e-5)


def test_numerics_name_the_layer():
    model = Sequential(net())
    model.build((None, 6, 6, 1))
    model.layers[1].gamma.assign(np.full(3, np.nan, np.float32))
    with pytest.raises(Exception, match=r"layer .*norm"), tinynet.debug.check_numerics():
        model(device.to_device(data(9, 6, 6, 1)), training=True)
