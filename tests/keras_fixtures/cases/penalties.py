"""Regularizers and constraints, on the weights and outputs of layers."""

import numpy as np

from keras_fixtures.cases.nets import fitted, layer_trained
from keras_fixtures.harness import case, cases

REGULARIZERS = {
    "l1": lambda r: r.L1(0.05),
    "l2": lambda r: r.L2(0.05),
    "l1_l2": lambda r: r.L1L2(l1=0.02, l2=0.03),
    "l1_default": lambda r: "l1",
    "l2_default": lambda r: "l2",
    "function": lambda r: r.l1_l2(l1=0.01, l2=0.1),
    "orthogonal": lambda r: r.OrthogonalRegularizer(factor=0.5),
    "orthogonal_columns": lambda r: r.OrthogonalRegularizer(0.5, mode="columns"),
    "config": lambda r: {"class_name": "L2", "config": {"l2": 0.2}},
}
CONSTRAINTS = {
    "max_norm": lambda c: c.MaxNorm(0.6),
    "max_norm_axis": lambda c: c.MaxNorm(max_value=0.6, axis=1),
    "max_norm_axes": lambda c: c.MaxNorm(1.2, axis=[0, 1]),
    "max_norm_function": lambda c: c.max_norm(0.8),
    "unit_norm": lambda c: c.UnitNorm(),
    "unit_norm_axis": lambda c: c.unit_norm(axis=1),
    "non_neg": lambda c: "non_neg",
    "min_max_norm": lambda c: c.MinMaxNorm(0.7, 0.9),
    "min_max_norm_rate": lambda c: c.MinMaxNorm(min_value=0.7, max_value=0.9, rate=0.3, axis=1),
}
PLACES = {
    "dense": lambda L, p: [L.Dense(3, kernel_regularizer=p, bias_regularizer=p)],
    "conv": lambda L, p: [L.Conv2D(3, 2, kernel_regularizer=p, bias_regularizer=p)],
    "depthwise": lambda L, p: [L.DepthwiseConv2D(2, depthwise_regularizer=p, bias_regularizer=p)],
    "separable": lambda L, p: [L.SeparableConv2D(3, 2, depthwise_regularizer=p, pointwise_regularizer=p)],
    "transposed": lambda L, p: [L.Conv2DTranspose(3, 2, kernel_regularizer=p, bias_regularizer=p)],
    "batch_normalization": lambda L, p: [L.BatchNormalization(beta_regularizer=p, gamma_regularizer=p)],
    "prelu": lambda L, p: [L.PReLU(alpha_regularizer=p)],
    "activity": lambda L, p: [L.Dense(3, activation="tanh", activity_regularizer=p)],
    "activity_conv": lambda L, p: [L.Conv2D(3, 2, activation="relu", activity_regularizer=p)],
}
HELD = {
    "conv": lambda L, c: L.Conv2D(
        3, 2, kernel_constraint=c.MaxNorm(0.5, axis=[0, 1, 2]), bias_constraint=c.NonNeg()
    ),
    "depthwise": lambda L, c: L.DepthwiseConv2D(2, depthwise_constraint=c.MaxNorm(0.5, axis=[0, 1])),
    "separable": lambda L, c: L.SeparableConv2D(
        3, 2, depthwise_constraint="non_neg", pointwise_constraint=c.UnitNorm(2)
    ),
    "transposed": lambda L, c: L.Conv2DTranspose(
        3, 2, kernel_constraint=c.MinMaxNorm(0.2, 0.4, axis=[0, 1, 3])
    ),
    "batch_normalization": lambda L, c: L.BatchNormalization(
        gamma_constraint=c.MaxNorm(0.5), beta_constraint="non_neg"
    ),
    "prelu": lambda L, c: L.PReLU(
        shared_axes=[1, 2], alpha_constraint=c.MinMaxNorm(0.05, 0.1, axis=[0, 1, 2])
    ),
}


def dense_net(k, run, optimizer=None, **settings):
    x, y = run.x(28, 6), run.x(28, 2)
    model = k.Sequential([k.Input((6,)), k.layers.Dense(5, activation="tanh", **settings), k.layers.Dense(2)])
    model.compile(optimizer or k.optimizers.SGD(0.1), "mse")
    run.start(model)
    history = fitted(model, x, y, validation_split=0.2)
    return run.end(model, x, history, evaluated=model.evaluate(x, y, verbose=0))


@cases(REGULARIZERS)
def kernel(k, run, make):
    return dense_net(k, run, kernel_regularizer=make(k.regularizers))


@cases({name: make for name, make in REGULARIZERS.items() if "orthogonal" not in name})
def activity(k, run, make):
    return dense_net(k, run, activity_regularizer=make(k.regularizers))


@cases({name: REGULARIZERS[name] for name in ("l1", "l2", "l1_l2")})
def bias(k, run, make):
    return dense_net(k, run, bias_regularizer=make(k.regularizers))


@cases(PLACES)
def place(k, run, make):
    return layer_trained(k, run, (4, 5, 4), *make(k.layers, k.regularizers.L1L2(0.03, 0.05)), rate=0.01)


@case
def activity_layer(k, run):
    return layer_trained(k, run, (4, 5, 4), k.layers.ActivityRegularization(l1=0.01, l2=0.05), rate=0.01)


@cases(CONSTRAINTS)
def constraint(k, run, make):
    return dense_net(k, run, kernel_constraint=make(k.constraints))


@cases(CONSTRAINTS)
def called(k, run, make):
    """By itself, on a matrix whose columns have many lengths."""
    one = k.constraints.get(make(k.constraints))
    values = run.x(5, 6) * np.arange(6, dtype=np.float32)
    return {"value": k.ops.convert_to_numpy(one(k.ops.convert_to_tensor(values)))}


@cases(REGULARIZERS)
def penalty(k, run, make):
    one = k.regularizers.get(make(k.regularizers))
    return {"value": float(one(k.ops.convert_to_tensor(run.x(5, 6, scale=2.0))))}


@cases(HELD)
def held(k, run, make):
    return layer_trained(k, run, (4, 5, 4), make(k.layers, k.constraints), rate=0.01)


@case
def everything_with_adam(k, run):
    """Penalties, a constraint, weight decay, clipping and an average, all at once."""
    optimizer = k.optimizers.AdamW(0.03, 0.2, epsilon=0.01, clipnorm=0.3, use_ema=True, ema_momentum=0.6)
    settings = {
        "kernel_regularizer": k.regularizers.L2(0.02),
        "bias_regularizer": "l1",
        "activity_regularizer": "l2",
    }
    return dense_net(k, run, optimizer, kernel_constraint=k.constraints.MaxNorm(0.7), **settings)


@case
def regularizer_of_ones_own(k, run):
    class Cubic(k.regularizers.Regularizer):
        def __init__(self, strength):
            self.strength = strength

        def __call__(self, x):
            return self.strength * k.ops.sum(k.ops.abs(x) ** 3)

        def get_config(self):
            return {"strength": self.strength}

    return dense_net(k, run, kernel_regularizer=Cubic(0.1))


@case
def regularizer_function(k, run):
    return dense_net(k, run, kernel_regularizer=lambda w: 0.1 * k.ops.sum(w * w * w * w))


@case
def constraint_of_ones_own(k, run):
    class Within(k.constraints.Constraint):
        def __call__(self, w):
            return k.ops.clip(w, -0.3, 0.3)

    return dense_net(k, run, kernel_constraint=Within())


@case
def values_of_losses(k, run):
    """`layer.losses` and `model.losses` one by one."""
    x = run.x(5, 6)
    first = k.layers.Dense(4, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2")
    model = k.Sequential([k.Input((6,)), first, k.layers.Dense(2, kernel_regularizer="l1")])
    run.start(model)
    model(x)
    return {
        "model": sorted(float(k.ops.convert_to_numpy(one)) for one in model.losses),
        "count": len(first.losses),
    }
