"""Freezing: what is trained, what the optimizer knows of it,
and the flow of transfer learning; as in Keras 3.
"""

import numpy as np
import pytest

from tinynet import Model, Sequential, layers, ops
from tinynet.models import clone_model
from tinynet.optimizers import SGD

RNG = np.random.default_rng(6)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = (X.sum(axis=1, keepdims=True) > 0).astype(np.float32)


def pretrained():
    model = Sequential(
        [layers.Input((4,)), layers.Dense(8, "selu"), layers.Dense(8, "selu"), layers.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, RNG.integers(0, 3, 64), verbose=0)
    return model


def changed(before, model):
    return [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]


def test_transfer_learning():
    first = pretrained()
    kept = clone_model(first)
    assert any(changed(first.get_weights(), kept)), "a clone has new weights"
    kept.set_weights(first.get_weights())
    model = Sequential(first.layers[:-1])
    model.add(layers.Dense(1, "sigmoid"))
    for layer in model.layers[:-1]:
        layer.trainable = False
    model.compile("SGD", "binary_crossentropy")
    model.build((None, 4))
    assert sum(w.size for w in model.trainable_weights) == 9
    before = model.get_weights()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert model.replay.programs
    assert changed(before, model) == [False] * 4 + [True] * 2
    assert len(model.optimizer.variables) == 2, "iterations and the learning rate: plain SGD has no slots"

    for layer in model.layers[:-1]:
        layer.trainable = True
    with (
        pytest.warns(UserWarning, match=r"was changed since compile\. .* compile again"),
        pytest.raises(ValueError, match="compile again or create a new optimizer"),
    ):
        model.fit(X, Y, verbose=0)
    model.compile(SGD(1e-4), "binary_crossentropy")
    before = model.get_weights()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert changed(before, model) == [True] * 6
    for a, b in zip(first.get_weights()[:4], model.get_weights()[:4], strict=True):
        np.testing.assert_array_equal(a, b)  # the layers are shared
    assert changed(kept.get_weights(), first) == [True] * 4 + [False] * 2


def test_a_model_that_is_frozen_trains_nothing():
    # Recorded from Keras 3.15: the flag of the model decides for itself,
    # those of the layers for models around it.
    model = Sequential([layers.Input((3,)), layers.Dense(1)], trainable=False)
    model.add(layers.Dense(2))
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 4
    inner = Sequential([layers.Input((3,)), layers.Dense(1)])
    x = layers.Input((3,))
    outer = Model(x, layers.Dense(2)(inner(x)))
    inner.trainable = False
    assert len(outer.trainable_weights) == 2
    inner.layers[0].trainable = True
    assert len(inner.trainable_weights) == 0
    assert len(outer.trainable_weights) == 4


@pytest.mark.parametrize("compiled_again", [True, False])
def test_a_nested_model_is_frozen_between_recorded_steps(compiled_again):
    inner = Sequential([layers.Input((4,)), layers.Dense(4, "relu"), layers.BatchNormalization()])
    x = layers.Input((4,))
    model = Model(x, layers.Dense(1)(inner(x)))
    model.compile(SGD(0.1), "mse")
    model.fit(X, Y, batch_size=8, verbose=0)
    assert model.replay.programs
    inner.trainable = False
    if compiled_again:
        model.compile(SGD(0.1), "mse")
        model.fit(X, Y, batch_size=8, verbose=0)
    before = inner.get_weights()
    if compiled_again:
        model.fit(X, Y, batch_size=8, verbose=0)
    else:
        with pytest.warns(UserWarning, match="compile again"):
            model.fit(X, Y, batch_size=8, verbose=0)
    assert changed(before, inner) == [False] * 6, "statistics of a frozen batch norm stay too"


def test_a_frozen_base_runs_in_inference_if_it_is_told():
    base = Sequential([layers.Input((4,)), layers.BatchNormalization()])
    x = layers.Input((4,))
    model = Model(x, layers.Dense(1)(base(x, training=False)))
    model.compile("sgd", "mse")
    model.fit(X + 5, Y, verbose=0)
    np.testing.assert_array_equal(base.layers[0].moving_mean.numpy(), np.zeros(4))


class Sometimes(Model):
    """Its penalised layer takes part in training alone."""

    def __init__(self):
        super().__init__()
        self.penalised = layers.Dense(3, activity_regularizer="l2")
        self.head = layers.Dense(2, kernel_regularizer="l1")

    def call(self, x, training=False):
        return self.head(self.penalised(x) if training else x)


def test_losses_are_those_of_layers_that_took_part():
    model, x = Sometimes(), np.ones((2, 3))
    model(x, training=True)
    assert len(model.losses) == 2
    model(x, training=False)
    assert len(model.losses) == 1
    model.trainable = False
    assert model.losses == []


class Wrapped(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.again = inner, [inner]

    def call(self, x):
        return self.inner(x)


def test_a_layer_that_is_held_twice_counts_once():
    layer = Wrapped(layers.Dense(2, activity_regularizer="l2"))
    layer(np.ones((2, 3)))
    assert len(layer.losses) == 1
    assert len(layer._with_all_within()) == 2
    shared = Sequential([layers.Input((3,)), layers.Dense(3, activity_regularizer="l2")])
    x = layers.Input((3,))
    around = Model(x, shared.layers[0](shared(x)))
    around(np.ones((2, 3)))
    assert len(around.losses) == 2, "one for each call"
    shared(np.ones((2, 3)))
    assert len(shared.losses) == 1


def test_penalties_of_ones_own_within_a_layer_that_is_called_alone():
    class Costs(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            self.add_loss(ops.mean(x))
            return x

    layer = Costs()
    for _ in range(2):
        layer(np.ones((2, 3)))
        assert [float(value.numpy()) for value in layer.losses] == [6, 1]
