"""Losses: each alone and with sample weights, as function names, objects and functions of one's own."""

import numpy as np

from keras_fixtures.cases.nets import fitted, regressor
from keras_fixtures.harness import case, cases

# name: (kind of problem, loss)
LOSSES = {
    "mse": ("values", lambda m: "mse"),
    "mae": ("values", lambda m: "mean_absolute_error"),
    "huber": ("values", lambda m: m.Huber()),
    "huber_delta": ("values", lambda m: m.Huber(delta=0.3)),
    "log_cosh": ("values", lambda m: "log_cosh"),
    "cosine": ("values", lambda m: m.CosineSimilarity()),
    "msle": ("positive", lambda m: "msle"),
    "poisson": ("positive", lambda m: m.Poisson()),
    "bce": ("binary", lambda m: "binary_crossentropy"),
    "bce_smooth": ("binary", lambda m: m.BinaryCrossentropy(label_smoothing=0.3)),
    "bce_logits": ("binary logits", lambda m: m.BinaryCrossentropy(from_logits=True)),
    "bce_logits_smooth": ("binary logits", lambda m: m.BinaryCrossentropy(True, 0.3)),
    "hinge": ("binary logits", lambda m: m.Hinge()),
    "squared_hinge": ("signs", lambda m: "squared_hinge"),
    "hinge_signs": ("signs", lambda m: "hinge"),
    "cce": ("onehot", lambda m: "categorical_crossentropy"),
    "cce_smooth": ("onehot", lambda m: m.CategoricalCrossentropy(label_smoothing=0.2)),
    "cce_logits": ("onehot logits", lambda m: m.CategoricalCrossentropy(from_logits=True)),
    "cce_logits_smooth": ("onehot logits", lambda m: m.CategoricalCrossentropy(True, 0.2)),
    "cce_unnormalized": ("onehot sigmoid", lambda m: m.CategoricalCrossentropy()),
    "categorical_hinge": ("onehot logits", lambda m: m.CategoricalHinge()),
    "kld": ("onehot soft", lambda m: m.KLDivergence()),
    "cce_soft": ("onehot soft", lambda m: m.CategoricalCrossentropy()),
    "scce": ("sparse", lambda m: "sparse_categorical_crossentropy"),
    "scce_logits": ("sparse logits", lambda m: m.SparseCategoricalCrossentropy(from_logits=True)),
    "scce_ignore": ("sparse", lambda m: m.SparseCategoricalCrossentropy(ignore_class=1)),
    "scce_logits_ignore": ("sparse logits", lambda m: m.SparseCategoricalCrossentropy(True, ignore_class=0)),
}
ACTIVATIONS = {
    "values": None, "positive": "softplus", "signs": "tanh", "binary": "sigmoid", "binary logits": None,
    "onehot": "softmax", "onehot logits": None, "onehot sigmoid": "sigmoid", "onehot soft": "softmax",
    "sparse": "softmax",
    "sparse logits": None,
}  # fmt: skip
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight")
NAMES = (
    "MSE", "mean_squared_error", "MeanSquaredError", "mae", "msle", "huber", "kl_divergence", "bce",
    "cosine_similarity",
)  # fmt: skip


def problem(run, kind, n=28):
    """x and targets of a kind."""
    x = run.x(n, 6)
    if kind == "values":
        return x, run.x(n, 3)
    if kind == "positive":
        return x, run.uniform(n, 3, low=0.5, high=3.0)
    if kind == "signs":
        return x, 2.0 * run.labels(n, 3, classes=2) - 1
    if kind.startswith("binary"):
        return x, run.labels(n, 3, classes=2)
    if kind.startswith("sparse"):
        return x, 2 - run.labels(n)
    y = run.onehot(n)
    return x, (0.7 * y + 0.1 if kind.endswith("soft") else y).astype(np.float32)


def compiled(k, run, kind, loss, rate=0.1):
    model = regressor(k, activation=ACTIVATIONS[kind])
    model.compile(k.optimizers.SGD(rate), loss)
    run.start(model)
    return model


@cases(LOSSES)
def loss(k, run, option):
    kind, make = option
    x, y = problem(run, kind)
    model = compiled(k, run, kind, make(k.losses))
    history = fitted(model, x, y, validation_split=0.25)
    return run.end(model, x, history, evaluated=model.evaluate(x, y, batch_size=8, verbose=0))


@cases(LOSSES)
def weighted(k, run, option):
    """Sample weights, some of them 0, in training, validation and evaluation."""
    kind, make = option
    x, y = problem(run, kind)
    weights = run.uniform(28, high=3.0) * (run.labels(28, classes=4) > 0)
    model = compiled(k, run, kind, make(k.losses))
    history = fitted(model, x, y, sample_weight=weights, validation_data=(x[:9], y[:9], weights[:9]))
    evaluated = model.evaluate(x, y, batch_size=8, verbose=0, sample_weight=weights)
    return run.end(model, x, history, evaluated=evaluated)


@cases({name: name for name in REDUCTIONS})
def reduction(k, run, name):
    x, y = problem(run, "values")
    model = compiled(k, run, "values", k.losses.MeanSquaredError(reduction=name), rate=0.02)
    return run.end(model, x, fitted(model, x, y, sample_weight=run.uniform(28, high=3.0)))


@cases({name: name for name in REDUCTIONS})
def reduction_ignoring_a_class(k, run, name):
    x, y = problem(run, "sparse logits")
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2, reduction=name)
    model = compiled(k, run, "sparse logits", loss, rate=0.02)
    return run.end(model, x, fitted(model, x, y, sample_weight=run.uniform(28, high=3.0)))


@cases({name: name for name in NAMES})
def by_name(k, run, name):
    kind = "binary" if name == "bce" else "onehot soft" if name == "kl_divergence" else "positive"
    x, y = problem(run, kind)
    x = x + 0.3 * NAMES.index(name)  # several names mean the same
    model = compiled(k, run, kind, name)
    return run.end(model, x, fitted(model, x, y))


@cases({"none": None, "sum": "sum", "mean": "mean"})
def called(k, run, reduction):
    """Objects by themselves, on (N, T, C), with weights of several shapes."""
    y, p = run.x(4, 5, 3), run.x(4, 5, 3)
    weights = {"none": None, "scalar": 0.3, "column": run.uniform(4, 1), "steps": run.uniform(4, 5)}
    found = {}
    for kind in ("MeanSquaredError", "Huber", "LogCosh", "CosineSimilarity"):
        one = getattr(k.losses, kind)(reduction=reduction)
        values = {name: one(y, p, sample_weight=weight) for name, weight in weights.items()}
        found[kind] = {name: k.ops.convert_to_numpy(value) for name, value in values.items()}
    along = k.losses.CosineSimilarity(axis=1, reduction=reduction)
    found["along"] = k.ops.convert_to_numpy(along(y, p))
    return found


@case
def class_weight_sparse(k, run):
    x, y = problem(run, "sparse")
    model = compiled(k, run, "sparse", "sparse_categorical_crossentropy")
    history = fitted(model, x, y, class_weight={0: 0.2, 1: 3.0, 2: 1.5})
    return run.end(model, x, history)


@case
def class_weight_onehot(k, run):
    """A class that is not mentioned weighs 1."""
    x, y = problem(run, "onehot")
    model = compiled(k, run, "onehot", "categorical_crossentropy")
    return run.end(model, x, fitted(model, x, y, class_weight={0: 0.2, 2: 2.5}))


@case
def class_weight_binary(k, run):
    x, y = run.x(28, 6), run.labels(28, 1, classes=2)
    model = regressor(k, 1, "sigmoid")
    model.compile(k.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y, class_weight={0: 0.3, 1: 2.0}))


@case
def labels_in_a_column(k, run):
    x, y = problem(run, "sparse")
    model = compiled(k, run, "sparse", "sparse_categorical_crossentropy")
    return run.end(model, x, fitted(model, x, y[:, None]))


@case
def targets_without_an_axis(k, run):
    """y of shape (N,) beside predictions of shape (N, 1)."""
    x, y = run.x(28, 6), run.x(28)
    model = regressor(k, 1)
    model.compile(k.optimizers.SGD(0.05), "mse", metrics=["mae"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@cases({"sparse": False, "weighted": True})
def sequences(k, run, with_weights):
    """(N, T, C) predictions with labels, and perhaps a weight for each step."""
    x, y = run.x(12, 5, 6), run.labels(12, 5)
    weights = run.uniform(12, 5) if with_weights else None
    model = k.Sequential(
        [k.Input((5, 6)), k.layers.Dense(8, activation="tanh"), k.layers.Dense(3, activation="softmax")]
    )
    model.compile(k.optimizers.SGD(0.3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=5, sample_weight=weights))


@case
def images_of_classes(k, run):
    """A class for each pixel, with the weights of samples."""
    x, y = run.x(6, 5, 5, 4), run.labels(6, 5, 5)
    model = k.Sequential([k.Input((5, 5, 4)), k.layers.Dense(3)])
    model.compile(
        k.optimizers.SGD(0.3), k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=4))


@cases({"plain": False, "weighted": True})
def percentage(k, run, with_weights):
    """Errors in percent have large gradients."""
    x, y = problem(run, "positive")
    model = compiled(k, run, "positive", "mape", rate=0.002)
    return run.end(model, x, fitted(model, x, y, sample_weight=run.uniform(28) if with_weights else None))


@case
def saturated(k, run):
    """Probabilities beyond the clip: where it is active the gradient is zero."""
    x, y = run.x(28, 6, scale=30.0), run.labels(28)
    model = compiled(k, run, "sparse", "sparse_categorical_crossentropy", rate=0.01)
    return run.end(model, x, fitted(model, x, y))


@case
def a_function(k, run):
    def cubed(y, p):
        return k.ops.mean(k.ops.abs(y - p) ** 3, axis=-1)

    x, y = problem(run, "values")
    model = compiled(k, run, "values", cubed, rate=0.05)
    return run.end(model, x, fitted(model, x, y, sample_weight=run.uniform(28)))


@case
def a_subclass(k, run):
    class Pinball(k.losses.Loss):
        def __init__(self, quantile, **kwargs):
            super().__init__(**kwargs)
            self.quantile = quantile

        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return k.ops.mean(k.ops.maximum(self.quantile * error, (self.quantile - 1) * error), axis=-1)

    x, y = problem(run, "values")
    model = compiled(k, run, "values", Pinball(0.2, name="pinball", reduction="sum"), rate=0.02)
    return run.end(model, x, fitted(model, x, y))


@cases({"sparse": "sparse", "onehot": "onehot", "binary": "one"})
def crossentropy_by_shape(k, run, kind):
    """The loss "crossentropy" and the metric "accuracy" look at the shapes."""
    x, y = (run.x(28, 6), run.labels(28, 1, classes=2)) if kind == "one" else problem(run, kind)
    model = regressor(k, 1, "sigmoid") if kind == "one" else regressor(k, activation="softmax")
    model.compile(k.optimizers.SGD(0.1), "crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y))
