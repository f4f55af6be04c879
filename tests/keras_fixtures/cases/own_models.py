"""Models of one's own, and functions of one's own in a graph."""

from keras_fixtures.cases.nets import fitted, model_trained
from keras_fixtures.harness import case


@case
def model(k, run):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.hidden = k.layers.Dense(8, activation="tanh")
            self.last = k.layers.Dense(2)

        def call(self, x):
            return self.last(self.hidden(x))

    return model_trained(k, run, Net(), run.x(28, 6), run.x(28, 2), validation_split=0.25)


@case
def model_with_everything(k, run):
    """`training`, a residual connection, normalisation, a nested Sequential, an added loss."""

    class Net(k.Model):
        def __init__(self, units):
            super().__init__()
            self.tower = k.Sequential([k.layers.Dense(units, activation="relu"), k.layers.Dense(units)])
            self.norm = k.layers.BatchNormalization(momentum=0.7)
            self.dropout = k.layers.Dropout(0.0)
            self.last = k.layers.Dense(3, activation="softmax")

        def call(self, x, training=False):
            h = self.norm(self.tower(x) + x, training=training)
            self.add_loss(0.1 * k.ops.mean(k.ops.abs(h)))
            return self.last(self.dropout(h, training=training))

    x, y = run.x(28, 6), run.labels(28)
    net = Net(6)
    net.compile(
        k.optimizers.Adam(0.02, epsilon=1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    net(x[:2])
    run.start(net)
    history = fitted(net, x, y, validation_split=0.25)
    return run.end(net, x, history, evaluated=net.evaluate(x, y, verbose=0))


@case
def model_of_images(k, run):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.convolutions = [k.layers.Conv2D(n, 3, padding="same", activation="relu") for n in (3, 4)]
            self.pool = k.layers.MaxPooling2D()
            self.flat = k.layers.Flatten()
            self.last = k.layers.Dense(2)

        def call(self, x):
            for one in self.convolutions:
                x = one(x)
            return self.last(self.flat(self.pool(x)))

    return model_trained(k, run, Net(), run.x(10, 6, 6, 2), run.x(10, 2), batch_size=4, rate=0.02)


@case
def model_of_two_inputs(k, run):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.last = k.layers.Dense(4), k.layers.Dense(4), k.layers.Dense(2)

        def call(self, inputs):
            first, second = inputs
            return self.last(k.ops.tanh(self.left(first) * self.right(second)))

    x, y = [run.x(28, 6), run.x(28, 3)], run.x(28, 2)
    net = Net()
    net.compile(k.optimizers.SGD(0.05), "mse")
    net([one[:2] for one in x])
    run.start(net)
    return run.end(net, x, fitted(net, x, y))


@case
def model_of_two_outputs(k, run):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.a, self.b = (
                k.layers.Dense(8, activation="tanh"),
                k.layers.Dense(3),
                k.layers.Dense(2),
            )

        def call(self, x):
            h = self.hidden(x)
            return self.a(h), self.b(h)

    x, y = run.x(28, 6), [run.x(28, 3), run.x(28, 2)]
    net = Net()
    net.compile(k.optimizers.SGD(0.05), ["mse", "mae"], loss_weights=[1.0, 0.5])
    net(x[:2])
    run.start(net)
    return {
        "loss": fitted(net, x, y).history["loss"],
        "weights": net,
        "predictions": net.predict(x[:5], verbose=0),
    }


@case
def model_in_a_graph(k, run):
    class Block(k.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = k.layers.Dense(6, activation="tanh"), k.layers.Dense(6)

        def call(self, x):
            return self.two(self.one(x)) + x

    inputs = k.Input((6,))
    block = Block()
    outputs = k.layers.Dense(2)(block(block(inputs)))
    return model_trained(k, run, k.Model(inputs, outputs), run.x(28, 6), run.x(28, 2))


@case
def functional_subclass(k, run):
    """A subclass that hands inputs and outputs to Model.__init__."""

    class Net(k.Model):
        def __init__(self, units):
            inputs = k.Input((6,))
            super().__init__(inputs, k.layers.Dense(2)(k.layers.Dense(units, activation="tanh")(inputs)))

    return model_trained(k, run, Net(7), run.x(28, 6), run.x(28, 2))


@case
def functions_of_symbols(k, run):
    """Functions of `ops` in Lambdas between the layers of a graph, and operators without them."""
    inputs = k.Input((5, 6))
    x = k.layers.Dense(4, activation="tanh")(inputs)
    means = k.layers.Lambda(lambda z: k.ops.mean(z, axis=1))(x)
    both = k.layers.Lambda(lambda z: k.ops.concatenate([z[0], k.ops.max(z[1], axis=1)], axis=-1))([means, x])
    outputs = k.layers.Dense(2)(k.layers.Reshape((8,))(both) * 2.0 - 0.5)
    return model_trained(k, run, k.Model(inputs, outputs), run.x(28, 5, 6), run.x(28, 2))


@case
def autoencoder_with_an_added_loss(k, run):
    """No loss in compile: the model adds its own."""

    class Auto(k.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = k.layers.Dense(3, activation="tanh"), k.layers.Dense(6)

        def call(self, x):
            y = self.decoder(self.encoder(x))
            self.add_loss(k.ops.mean(k.ops.square(x - y)))
            return y

    return model_trained(k, run, Auto(), run.x(28, 6), None, loss=None, rate=0.1)
