"""Normalisation layers with their options."""

from keras_fixtures.cases.nets import fitted, layer_trained
from keras_fixtures.harness import case, cases

BATCH = {
    "plain": lambda L: L.BatchNormalization(),
    "momentum": lambda L: L.BatchNormalization(momentum=0.6),
    "epsilon": lambda L: L.BatchNormalization(epsilon=0.3),
    "no_center": lambda L: L.BatchNormalization(center=False, momentum=0.8),
    "no_scale": lambda L: L.BatchNormalization(scale=False, momentum=0.8),
    "bare": lambda L: L.BatchNormalization(center=False, scale=False, momentum=0.7),
    "initializers": lambda L: L.BatchNormalization(beta_initializer="ones", moving_mean_initializer="ones"),
    "penalties": lambda L: L.BatchNormalization(beta_regularizer="l2", gamma_regularizer="l1"),
    "constraints": lambda L: L.BatchNormalization(gamma_constraint="non_neg", beta_constraint="unit_norm"),
}
LAYER = {
    "plain": lambda L: L.LayerNormalization(),
    "epsilon": lambda L: L.LayerNormalization(epsilon=0.3),
    "axis": lambda L: L.LayerNormalization(axis=1),
    "axes": lambda L: L.LayerNormalization(axis=[1, 2, 3]),
    "two_axes": lambda L: L.LayerNormalization(axis=(3, 1)),
    "no_center": lambda L: L.LayerNormalization(center=False),
    "no_scale": lambda L: L.LayerNormalization(scale=False),
    "penalties": lambda L: L.LayerNormalization(beta_regularizer="l2", gamma_regularizer="l2"),
}
GROUP = {
    "two": lambda L: L.GroupNormalization(groups=2),
    "one": lambda L: L.GroupNormalization(1),
    "each": lambda L: L.GroupNormalization(groups=-1),
    "epsilon": lambda L: L.GroupNormalization(groups=2, epsilon=0.3),
    "no_center": lambda L: L.GroupNormalization(groups=4, center=False),
    "no_scale": lambda L: L.GroupNormalization(groups=2, scale=False),
}


@cases(BATCH)
def batch_of_features(k, run, make):
    x, y = run.x(28, 6), run.x(28, 2)
    model = k.Sequential(
        [k.Input((6,)), k.layers.Dense(8), make(k.layers), k.layers.ReLU(), k.layers.Dense(2)]
    )
    model.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    run.start(model)
    history = fitted(model, x, y, validation_split=0.2)
    return run.end(model, x, history, evaluated=model.evaluate(x, y, verbose=0))


@cases({"last": (-1, (7, 6, 4)), "first": (1, (4, 7, 6)), "rows": (1, (7, 6, 4)), "sequence": (-1, (5, 4))})
def batch_axis(k, run, option):
    axis, shape = option
    return layer_trained(k, run, shape, k.layers.BatchNormalization(axis=axis, momentum=0.8))


@case
def batch_of_one(k, run):
    """The variance of one sample's features is 0; images have more to offer."""
    x, y = run.x(3, 4, 3, 2), run.x(3, 2)
    layers = [
        k.layers.Conv2D(3, 2),
        k.layers.BatchNormalization(momentum=0.5),
        k.layers.Flatten(),
        k.layers.Dense(2),
    ]
    model = k.Sequential([k.Input((4, 3, 2)), *layers])
    model.compile(k.optimizers.SGD(0.02), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=1))


@case
def convolutions_between(k, run):
    """Normalisation between a convolution without bias and its activation, twice."""
    L = k.layers
    layers = []
    for filters in (4, 6):
        layers += [
            L.Conv2D(filters, 3, use_bias=False),
            L.BatchNormalization(momentum=0.7),
            L.Activation("relu"),
        ]
    return layer_trained(k, run, (7, 6, 4), *layers)


@cases(LAYER)
def layer(k, run, make):
    return layer_trained(k, run, (7, 6, 4), make(k.layers))


@case
def layer_of_features(k, run):
    x, y = run.x(28, 6), run.x(28, 2)
    layers = [
        k.layers.Dense(8),
        k.layers.LayerNormalization(),
        k.layers.Activation("gelu"),
        k.layers.Dense(2),
    ]
    model = k.Sequential([k.Input((6,)), *layers])
    model.compile(k.optimizers.Adam(0.02, epsilon=1e-3), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@cases(GROUP)
def group(k, run, make):
    return layer_trained(k, run, (7, 6, 4), make(k.layers))


@case
def group_first(k, run):
    return layer_trained(k, run, (4, 7, 6), k.layers.GroupNormalization(2, axis=1))


@case
def group_of_features(k, run):
    return layer_trained(k, run, (8,), k.layers.GroupNormalization(4), k.layers.Activation("tanh"))
