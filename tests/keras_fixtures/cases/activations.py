"""Activations by name, and layers that are activations."""

from keras_fixtures.cases.nets import fitted
from keras_fixtures.harness import case, cases

# Not sparsemax: what Keras computes under that name does not sum to 1.
NAMES = (
    "elu", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "linear",
    "log_sigmoid", "log_softmax", "mish", "relu", "selu", "sigmoid", "silu", "soft_shrink", "softmax",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink",
)  # fmt: skip
ALIASES = {"celu": "celu", "swish": "swish", "hard_swish": "hard_swish", "none": None}
LAYERS = {
    "relu": lambda L: L.ReLU(),
    "relu_max": lambda L: L.ReLU(max_value=0.7),
    "relu_slope": lambda L: L.ReLU(negative_slope=0.15),
    "relu_threshold": lambda L: L.ReLU(threshold=0.4),
    "relu_everything": lambda L: L.ReLU(1.0, 0.2, 0.3),
    "leaky": lambda L: L.LeakyReLU(),
    "leaky_slope": lambda L: L.LeakyReLU(negative_slope=0.05),
    "prelu": lambda L: L.PReLU(),
    "elu": lambda L: L.ELU(),
    "elu_alpha": lambda L: L.ELU(alpha=0.4),
    "softmax": lambda L: L.Softmax(),
    "activation": lambda L: L.Activation("softsign"),
}
FUNCTIONS = {
    "relu": lambda k, x: k.activations.relu(x, negative_slope=0.1, max_value=1.5, threshold=0.5),
    "relu6": lambda k, x: k.activations.relu6(5 * x),
    "leaky_relu": lambda k, x: k.activations.leaky_relu(x, negative_slope=0.4),
    "elu": lambda k, x: k.activations.elu(x, alpha=2.0),
    "celu": lambda k, x: k.activations.celu(x, alpha=2.0),
    "gelu": lambda k, x: k.activations.gelu(3 * x),
    "gelu_tanh": lambda k, x: k.activations.gelu(3 * x, approximate=True) + 0.1 * x,
    "softmax": lambda k, x: k.activations.softmax(x, axis=0),
    "glu": lambda k, x: k.ops.concatenate(
        [k.activations.glu(x), k.activations.glu(x[:, 2:6])[:, :2], x[:, :2]], axis=1
    ),
    "squareplus": lambda k, x: k.activations.squareplus(x, b=2),
    "soft_shrink": lambda k, x: k.activations.soft_shrink(x, threshold=0.2),
    "hard_shrink": lambda k, x: k.activations.hard_shrink(x, threshold=0.2),
    "threshold": lambda k, x: k.activations.threshold(x, 0.3, -0.2),
}


def trained(k, run, layers, rate=0.02):
    x, y = run.x(28, 6), run.x(28, 2)
    model = k.Sequential([k.Input((6,)), *layers, k.layers.Dense(2)])
    model.compile(k.optimizers.SGD(rate, momentum=0.9), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@cases({name: name for name in NAMES})
def activation(k, run, name):
    return trained(k, run, [k.layers.Dense(8, activation=name)])


@case
def exponential(k, run):
    return trained(k, run, [k.layers.Dense(8, activation="exponential")], rate=0.0005)


@cases(ALIASES)
def alias(k, run, name):
    return trained(k, run, [k.layers.Dense(8, activation=name)])


@cases(LAYERS)
def layer(k, run, make):
    return trained(k, run, [k.layers.Dense(8), make(k.layers)])


@cases(FUNCTIONS)
def function(k, run, make):
    """A function called with arguments of its own, as the activation of a layer."""
    return trained(k, run, [k.layers.Dense(8, activation=lambda z: make(k, z))])


@cases({"rows": [1], "both": [1, 2], "channel": [3]})
def prelu_shared(k, run, axes):
    x, y = run.x(10, 4, 3, 2), run.x(10, 2)
    model = k.Sequential(
        [
            k.Input((4, 3, 2)),
            k.layers.Dense(3),
            k.layers.PReLU(shared_axes=axes),
            k.layers.Flatten(),
            k.layers.Dense(2),
        ]
    )
    model.compile(k.optimizers.SGD(0.02, momentum=0.9), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=4))


@cases({"last": -1, "rows": 1, "columns": 2})
def softmax_axis(k, run, axis):
    x, y = run.x(10, 4, 3, 2), run.x(10, 4, 3, 3)
    model = k.Sequential([k.Input((4, 3, 2)), k.layers.Dense(3), k.layers.Softmax(axis=axis)])
    model.compile(k.optimizers.SGD(0.5), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=4))


@case
def a_function_of_ones_own(k, run):
    return trained(k, run, [k.layers.Dense(8, activation=lambda z: z * k.ops.sigmoid(1.7 * z))])
