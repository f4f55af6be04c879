"""Layers and models of one's own: what their `call` is told, where their parts are found, what is refused."""

import copy

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.models import Model, Sequential

X, Y = np.ones((40, 6), np.float32), np.zeros((40, 1), np.float32)


class MCDropout(layers.Dropout):
    """Monte-Carlo dropout: it drops in inference too.
    Its call has fewer parameters than the one it overrides.
    """

    def call(self, inputs):
        return super().call(inputs, training=True)


def test_a_narrower_call_works_in_fit_and_predict():
    model = Sequential([layers.Input((6,)), layers.Dense(50, "relu"), MCDropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    samples = np.stack([model.predict(X[:4], verbose=0) for _ in range(30)])
    assert (samples.std(axis=0) > 0).all(), "every prediction draws another mask"
    plain = Sequential([layers.Input((6,)), layers.Dense(50, "relu"), layers.Dropout(0.5), layers.Dense(1)])
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(plain.predict(X[:4], verbose=0), plain.predict(X[:4], verbose=0))
    many = np.stack([plain(X[:4], training=True).numpy() for _ in range(30)])
    assert (many.std(axis=0) > 0).all()


class Told(layers.Layer):
    seen: list = []  # noqa: RUF012

    def call(self, x, training=None):
        self.seen.append(training)
        return x


class Net(Model):
    def __init__(self):
        super().__init__(name="net")
        self.body = [layers.Dense(4, "relu"), Told()]
        self.heads = {"a": layers.Dense(1), "b": layers.Dense(2)}

    def call(self, x, training=False):
        for layer in self.body:
            x = layer(x)
        return self.heads["a"](x) * (2.0 if training else 1.0)


def test_the_mode_reaches_layers_within():
    Told.seen.clear()
    model = Net()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=40, verbose=0)
    model.predict(X, batch_size=40, verbose=0)
    model(X)
    assert Told.seen == [True, False, False], "the default of the call around it, as in Keras"
    assert [len(layer.weights) for layer in model.layers] == [2, 0, 2, 0], (
        "lists and dictionaries are searched"
    )
    assert model.body[0].name in {layer.name for layer in model.layers}


def test_a_subclass_that_ends_in_inputs_and_outputs():
    class Graph(Model):
        def __init__(self, units):
            x = layers.Input((6,))
            super().__init__(inputs=x, outputs=layers.Dense(units, name="only")(x))

    model = Graph(3)
    assert model.predict(X, verbose=0).shape == (40, 3)
    assert [layer.name for layer in model.layers][1:] == ["only"]
    assert model.output_shape == (None, 3)
    assert len(model.weights) == 2


def test_what_a_model_without_call_says():
    class Empty(Model):
        pass

    with pytest.raises(TypeError, match=r"must define call\(self, x\)"):
        Empty()(X)
    with pytest.raises(ValueError, match="it is a subclass, whose graph is in the Python of `call`"):
        Net().output_shape


def test_a_loop_of_ones_own():
    tinynet.utils.set_random_seed(0)
    model, optimizer = Net(), tinynet.optimizers.SGD(0.1)
    losses = []
    for _ in range(20):
        loss = tinynet.ops.mean(tinynet.ops.square(model(X, training=True)))
        grads = tinynet.grad(loss, model.trainable_weights[:4])
        optimizer.apply(grads, model.trainable_weights[:4])
        losses.append(float(loss.numpy()))
    assert losses[-1] < losses[0]


def test_gradients_of_a_batch_change_nothing():
    model = Sequential(
        [layers.Input((6,)), layers.Dense(1, kernel_initializer="ones", name="d"), layers.Dropout(0.5)]
    )
    model.compile("sgd", "mse")
    before, calls = model.get_weights(), model.layers[1]._draw_count
    found = model.gradients(X, Y)
    np.testing.assert_allclose(found["d/kernel"], np.full((6, 1), 12.0), rtol=1e-6)
    np.testing.assert_allclose(found["d/bias"], [12.0], rtol=1e-6)
    assert model.layers[1]._draw_count == calls
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Blocks(Model):
    """Layers in lists of lists, one of which knows the model."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.blocks = [[layers.Dense(4), layers.Dense(4)], ({"last": layers.Dense(1)},)]
        self.backbone.owner = self

    def call(self, x):
        for layer in self.blocks[0]:
            x = layer(self.backbone(x) if layer is self.blocks[0][0] else x)
        return self.blocks[1][0]["last"](x)


def test_layers_are_found_wherever_they_are_held_and_once():
    backbone = layers.Dense(5)
    model = Blocks(backbone)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert [layer.name for layer in model.layers] == [backbone.name,
                                                      *(layer.name for layer in model.blocks[0]),
                                                      model.blocks[1][0]["last"].name]  # fmt: skip
    assert len(model.weights) == 8
    model.trainable = False
    assert not any(p.trainable for p in model.weights)


class Counts(layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x


class Copies(tinynet.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.state = self.model.training_state()
        self.copy = copy.deepcopy(self.model)


def test_a_model_is_copied_while_it_is_trained_by_a_generator():
    def batches():
        while True:
            yield X, Y

    model = Sequential([layers.Input((6,)), Counts(), layers.Dense(1)])
    model.compile("sgd", "mse")
    copies = Copies()
    model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0, callbacks=[copies])
    for a, b in zip(model.get_weights(), copies.copy.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert copies.state[1]["draws"] == []
    with pytest.raises(ValueError, match="is not being trained"):
        copies.copy.training_state()


def test_what_fit_holds_is_let_go_if_it_is_interrupted():
    class Interrupts(tinynet.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    model = Sequential([layers.Input((6,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[Interrupts()])
    assert not model._fits_by_thread
