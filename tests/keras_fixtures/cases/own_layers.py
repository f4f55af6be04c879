"""Layers and initializers of one's own."""

import numpy as np

from keras_fixtures.cases.nets import fitted, model_trained
from keras_fixtures.harness import case, cases


def scaled_layer(k):
    class Scaled(k.layers.Layer):
        """A dense layer with a scale for each output."""

        def __init__(self, units, strength=0.0, **kwargs):
            super().__init__(**kwargs)
            self.units, self.strength = units, strength

        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(input_shape[-1], self.units),
                initializer="glorot_uniform",
                name="kernel",
                regularizer="l2",
            )
            self.scale = self.add_weight(
                shape=(self.units,), initializer="ones", name="scale", constraint="non_neg"
            )
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, inputs):
            if self.strength:
                self.add_loss(self.strength * k.ops.mean(k.ops.square(inputs)))
            return k.ops.matmul(inputs, self.kernel) * self.scale

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], self.units)

    return Scaled


@cases({"plain": 0.0, "with_a_loss": 0.3})
def layer(k, run, strength):
    """Weights with a penalty and a constraint, and perhaps a loss added in the call."""
    own = scaled_layer(k)
    model = k.Sequential(
        [k.Input((6,)), k.layers.Dense(8, activation="tanh"), own(5, strength), k.layers.Dense(2)]
    )
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2))


@case
def layer_in_a_graph(k, run):
    own = scaled_layer(k)
    inputs = k.Input((6,))
    shared = own(6)
    outputs = k.layers.Dense(2)(k.layers.Add()([shared(shared(inputs)), inputs]))
    return model_trained(k, run, k.Model(inputs, outputs), run.x(28, 6), run.x(28, 2))


@case
def layer_that_is_told(k, run):
    """`training` is True in fit, False in evaluate and predict."""

    class Larger(k.layers.Layer):
        def call(self, x, training=False):
            return x * 1.5 if training else x

    model = k.Sequential([k.Input((6,)), k.layers.Dense(8, activation="tanh"), Larger(), k.layers.Dense(2)])
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2), validation_split=0.25)


@case
def layer_of_layers(k, run):
    class Block(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.first = k.layers.Dense(units, activation="relu")
            self.norm = k.layers.BatchNormalization(momentum=0.8)
            self.rest = [k.layers.Dense(units, activation="tanh") for _ in range(2)]

        def call(self, x, training=None):
            h = self.norm(self.first(x), training=training)
            for one in self.rest:
                h = one(h) + h
            return h

    model = k.Sequential([k.Input((6,)), Block(6), k.layers.Dense(2)])
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2), validation_split=0.25)


@case
def layer_of_two_inputs(k, run):
    class Mixed(k.layers.Layer):
        def build(self, input_shape):
            self.mix = self.add_weight(shape=(input_shape[0][-1],), initializer="zeros", name="mix")

        def call(self, inputs):
            first, second = inputs
            gate = k.ops.sigmoid(self.mix)
            return gate * first + (1 - gate) * second

        def compute_output_shape(self, input_shape):
            return input_shape[0]

    inputs = k.Input((6,))
    branches = [k.layers.Dense(5, activation=name)(inputs) for name in ("tanh", "relu")]
    model = k.Model(inputs, k.layers.Dense(2)(Mixed()(branches)))
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2))


@case
def dense_subclass(k, run):
    """A layer that changes what its base computes."""

    class Normed(k.layers.Dense):
        def call(self, inputs):
            outputs = super().call(inputs)
            return outputs / (1e-3 + k.ops.sqrt(k.ops.sum(outputs * outputs, axis=-1, keepdims=True)))

    model = k.Sequential([k.Input((6,)), Normed(8), k.layers.Dense(2)])
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2))


@case
def narrow_dropout(k, run):
    """Monte-Carlo dropout: a call without `training` that always drops.
    At rate 0 it has to be the identity.
    """

    class Always(k.layers.Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    model = k.Sequential(
        [k.Input((6,)), k.layers.Dense(8, activation="relu"), Always(0.0), k.layers.Dense(2)]
    )
    return model_trained(k, run, model, run.x(28, 6), run.x(28, 2))


@case
def initializer_of_ones_own(k, run):
    class Stairs(k.initializers.Initializer):
        def __call__(self, shape, dtype=None, **kwargs):
            values = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape) / np.prod(shape)
            return k.ops.convert_to_tensor(values)

    x, y = run.x(28, 6), run.x(28, 2)
    layers = [
        k.layers.Dense(8, activation="tanh", kernel_initializer=Stairs()),
        k.layers.Dense(2, kernel_initializer="ones"),
    ]
    net = k.Sequential([k.Input((6,)), *layers])
    net.compile(k.optimizers.SGD(0.02), "mse")
    return run.end(net, x, fitted(net, x, y))


@cases({"zeros": "zeros", "ones": "ones", "half": 0.5, "identity": "identity"})
def constant_initializers(k, run, value):
    """Trained from where the library's own initializers begin, without `run.start`."""
    value = k.initializers.Constant(value) if isinstance(value, float) else value
    bias = k.initializers.RandomUniform(0.3, 0.3)
    x, y = run.x(28, 6), run.x(28, 2)
    hidden = k.layers.Dense(8, activation="tanh", kernel_initializer=value, bias_initializer=bias)
    net = k.Sequential(
        [k.Input((6,)), hidden, k.layers.Dense(2, kernel_initializer=k.initializers.Identity(gain=0.7))]
    )
    net.compile(k.optimizers.SGD(0.1), "mse")
    return run.end(net, x, fitted(net, x, y))
