"""Functional models with several outputs: losses, weights and metrics by list and by name."""

from keras_fixtures.cases.nets import fitted
from keras_fixtures.harness import case, cases

CE = "sparse_categorical_crossentropy"
COMPILED = {
    "one_loss": {"loss": "mse"},
    "list": {"loss": ["mse", "mae"]},
    "dict": {"loss": {"b": "mae", "a": "huber"}},
    "objects": {"loss": [lambda k: k.losses.Huber(0.3),
                         lambda k: k.losses.MeanSquaredError(reduction="sum")]},
    "weights_list": {"loss": ["mse", "mae"], "loss_weights": [0.2, 3.0]},
    "weights_dict": {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 0.7, "b": 0.1}},
    "metrics_lists": {"loss": "mse", "metrics": [["mae"], ["mse", "mae"]]},
    "metrics_dict": {"loss": ["mae", "mse"], "metrics": {"a": ["mse"], "b": "mae"}},
    "metrics_of_one": {"loss": ["mse", "log_cosh"], "metrics": {"b": ["mae"]}},
    "weighted_metrics": {"loss": ["mae", "huber"], "metrics": {"a": "mse"},
                         "weighted_metrics": {"a": "mae", "b": "mae"}},
    "everything": {
        "loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 2.0, "b": 0.5},
        "metrics": {"a": ["mae"], "b": ["mse"]}, "weighted_metrics": [["mse"], ["mae"]],
    },
}  # fmt: skip


def two_headed(k):
    L = k.layers
    inputs = k.Input((6,))
    hidden = L.Dense(8, activation="tanh")(inputs)
    return k.Model(inputs, [L.Dense(3, name="a")(hidden), L.Dense(2, name="b")(hidden)])


@cases(COMPILED)
def compiled(k, run, settings):
    losses = settings["loss"]
    if isinstance(losses, list):
        losses = [one if isinstance(one, str) else one(k) for one in losses]
    model = two_headed(k)
    model.compile(k.optimizers.SGD(0.05), **{**settings, "loss": losses})
    run.start(model)
    x, y = run.x(28, 6), [run.x(28, 3), run.x(28, 2)]
    history = fitted(model, x, y, validation_split=0.25)
    evaluated = model.evaluate(x, y, batch_size=8, verbose=0)
    return run.end(
        model, x, history, evaluated=evaluated, dict=model.evaluate(x, y, verbose=0, return_dict=True)
    )


@case
def sample_weights(k, run):
    """A weight for each sample and output."""
    model = two_headed(k)
    model.compile(k.optimizers.SGD(0.05), ["mse", "mae"], weighted_metrics=[["mae"], ["mse"]])
    run.start(model)
    x, y = run.x(28, 6), [run.x(28, 3), run.x(28, 2)]
    weights = [run.uniform(28, high=2.0), run.uniform(28, high=3.0)]
    return run.end(model, x, fitted(model, x, y, sample_weight=weights))


@case
def sample_weights_by_name(k, run):
    """For outputs by name."""
    L = k.layers
    inputs = k.Input((6,))
    hidden = L.Dense(8, activation="tanh")(inputs)
    model = k.Model(inputs, {"a": L.Dense(3, name="a")(hidden), "b": L.Dense(2, name="b")(hidden)})
    model.compile(
        k.optimizers.SGD(0.05), {"a": "mse", "b": "mae"}, weighted_metrics={"a": ["mae"], "b": ["mse"]}
    )
    run.start(model)
    x, y = run.x(28, 6), {"a": run.x(28, 3), "b": run.x(28, 2)}
    weights = {"b": run.uniform(28, high=2.0), "a": run.uniform(28, high=3.0)}
    return run.end(model, x, fitted(model, x, y, sample_weight=weights))


@case
def classes_and_values(k, run):
    """A class and two numbers from an image: the heads differ in everything."""
    L = k.layers
    inputs = k.Input((5, 5, 2))
    hidden = L.Flatten()(L.Conv2D(3, 3, activation="relu")(inputs))
    heads = [L.Dense(3, activation="softmax", name="kind")(hidden), L.Dense(2, name="place")(hidden)]
    model = k.Model(inputs, heads)
    model.compile(
        k.optimizers.Adam(0.01, epsilon=1e-2),
        loss={"kind": CE, "place": "mse"},
        loss_weights={"kind": 1.0, "place": 0.3},
        metrics={"kind": "accuracy", "place": ["mae"]},
    )
    run.start(model)
    x, y = run.x(12, 5, 5, 2), {"kind": run.labels(12), "place": run.x(12, 2)}
    history = fitted(model, x, y, batch_size=5, validation_data=(x, y))
    return run.end(model, x, history, evaluated=model.evaluate(x, y, verbose=0))


@case
def outputs_in_a_dict(k, run):
    L = k.layers
    inputs = k.Input((6,))
    hidden = L.Dense(8, activation="tanh")(inputs)
    model = k.Model(inputs, {"up": L.Dense(3)(hidden), "down": L.Dense(2)(hidden)})
    model.compile(k.optimizers.SGD(0.05), {"up": "mse", "down": "mae"})
    run.start(model)
    x, y = run.x(28, 6), {"up": run.x(28, 3), "down": run.x(28, 2)}
    history = fitted(model, x, y)
    predicted = model.predict(x[:5], verbose=0)
    return {"history": history, "weights": model, "up": predicted["up"], "down": predicted["down"]}


@case
def output_without_a_loss(k, run):
    """It is predicted, and trained by nothing."""
    model = two_headed(k)
    model.compile(k.optimizers.SGD(0.1), [None, "mse"])
    run.start(model)
    x, y = run.x(28, 6), [run.x(28, 3), run.x(28, 2)]
    return run.end(model, x, fitted(model, x, y))


@case
def outputs_in_a_chain(k, run):
    """One output is the input of the layers of the other; penalties are added once."""
    L = k.layers
    inputs = k.Input((6,))
    early = L.Dense(3, name="early", activation="tanh", activity_regularizer="l2")(inputs)
    late = L.Dense(2, name="late", kernel_regularizer="l2")(L.Concatenate()([early, inputs]))
    model = k.Model(inputs, [early, late])
    model.compile(k.optimizers.SGD(0.05), ["mse", "mae"], loss_weights=[0.4, 1.0])
    run.start(model)
    x, y = run.x(28, 6), [run.x(28, 3), run.x(28, 2)]
    return run.end(model, x, fitted(model, x, y, validation_split=0.25))


@case
def batches(k, run):
    """train_on_batch, test_on_batch and predict_on_batch."""
    model = two_headed(k)
    model.compile(k.optimizers.SGD(0.1), ["mse", "mae"], metrics=[["mae"], ["mse"]])
    run.start(model)
    x, y = run.x(8, 6), [run.x(8, 3), run.x(8, 2)]
    found = [model.train_on_batch(x, y), model.train_on_batch(x, y), model.test_on_batch(x, y)]
    as_dict = model.test_on_batch(x, y, return_dict=True)
    names = sorted(as_dict)
    return run.end(
        model, x, found=found, dict={name: as_dict[name] for name in names}, batch=model.predict_on_batch(x)
    )


@case
def inputs_and_outputs(k, run):
    """Two of each, from a generator, with averages of the weights."""
    L = k.layers
    first, second = k.Input((6,), name="first"), k.Input((4,), name="second")
    both = L.Concatenate()([L.Dense(4, activation="tanh")(first), second])
    model = k.Model([first, second], [L.Dense(3, name="a")(both), L.Dense(2, name="b")(both)])
    model.compile(
        k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.6), {"a": "mse", "b": "mae"}, metrics={"b": "mse"}
    )
    run.start(model)
    x = [run.x(24, 6), run.x(24, 4)]
    y = [run.x(24, 3), run.x(24, 2)]

    def stream():
        while True:
            for i in range(0, 24, 8):
                part = slice(i, i + 8)
                yield (x[0][part], x[1][part]), (y[0][part], y[1][part])

    return run.end(model, x, model.fit(stream(), steps_per_epoch=3, epochs=3, verbose=0))


@case
def same_target_twice(k, run):
    """An auxiliary classifier half-way."""
    L = k.layers
    inputs = k.Input((6,))
    hidden = L.Dense(8, activation="tanh")(inputs)
    auxiliary = L.Dense(3, activation="softmax", name="auxiliary")(hidden)
    final = L.Dense(3, activation="softmax", name="final")(L.Dense(5, activation="relu")(hidden))
    model = k.Model(inputs, [final, auxiliary])
    model.compile(k.optimizers.SGD(0.2), [CE, CE], loss_weights=[1.0, 0.3], metrics=["accuracy", "accuracy"])
    run.start(model)
    x, y = run.x(28, 6), run.labels(28)
    return run.end(model, x, fitted(model, x, [y, y]))
