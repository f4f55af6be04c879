"""Options of fit, evaluate and predict, batches by hand, generators and data sets."""

import numpy as np

from keras_fixtures.cases.nets import classifier, fitted, regressor
from keras_fixtures.harness import case, cases

OPTIONS = {
    "plain": {},
    "one": {"batch_size": 1, "epochs": 1},
    "whole": {"batch_size": 100},
    "even": {"batch_size": 7},
    "validation_split": {"validation_split": 0.3},
    "validation_split_odd": {"validation_split": 0.15, "batch_size": 5},
    "validation_batches": {"validation_split": 0.5, "validation_batch_size": 3},
    "validation_steps": {"validation_split": 0.5, "validation_batch_size": 3, "validation_steps": 2},
    "validation_freq": {"validation_split": 0.3, "validation_freq": 2, "epochs": 5},
    "validation_freq_list": {"validation_split": 0.3, "validation_freq": [1, 4], "epochs": 5},
    "initial_epoch": {"initial_epoch": 2, "epochs": 4},
    "no_epoch": {"initial_epoch": 3, "epochs": 3},
    "steps": {"steps_per_epoch": 2, "batch_size": 4, "epochs": 3},
    "steps_without_batch_size": {"steps_per_epoch": 3, "batch_size": None},
}


def compiled(k, run, **settings):
    model = classifier(k)
    model.compile(k.optimizers.SGD(0.2, momentum=0.5), "sparse_categorical_crossentropy", **settings)
    run.start(model)
    return model


def numbers(model):
    """An optimizer's count of steps."""
    return int(model.optimizer.iterations)


@cases(OPTIONS)
def option(k, run, settings):
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run, metrics=["accuracy"])
    return run.end(model, x, fitted(model, x, y, **settings), steps=numbers(model))


@cases({"pair": False, "triple": True})
def validation_data(k, run, with_weights):
    x, y, weights = run.x(28, 6), run.labels(28), run.uniform(10, high=2.0)
    data = (run.x(10, 6), run.labels(10), weights) if with_weights else (run.x(10, 6), run.labels(10))
    model = compiled(k, run, metrics=["accuracy"])
    return run.end(model, x, fitted(model, x, y, validation_data=data, validation_split=0.5, batch_size=4))


@cases({"samples": False, "and_split": True})
def sample_weight(k, run, split):
    x, y, weights = run.x(28, 6), run.labels(28), run.uniform(28, high=3.0)
    model = compiled(k, run, metrics=["accuracy"], weighted_metrics=["accuracy"])
    settings = {"validation_split": 0.25} if split else {}
    return run.end(model, x, fitted(model, x, y, sample_weight=weights, **settings))


@case
def two_fits(k, run):
    """The optimizer's momentum goes on."""
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run)
    found = {"first": fitted(model, x, y, epochs=2), "second": fitted(model, x, y, epochs=3, initial_epoch=2)}
    return run.end(model, x, found)


@cases({"same_instance": True, "new": False})
def recompiled(k, run, same):
    """An instance keeps its momentum over compile, a new one begins anew."""
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run)
    fitted(model, x, y, epochs=2)
    optimizer = model.optimizer if same else k.optimizers.SGD(0.2, momentum=0.5)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return run.end(model, x, fitted(model, x, y, epochs=2), steps=numbers(model))


@cases(
    {"plain": {}, "weights": {"sample_weight": True}, "classes": {"class_weight": {0: 0.2, 1: 2.0, 2: 1.0}}}
)
def train_on_batch(k, run, settings):
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run, metrics=["accuracy"])
    found = []
    for batch in (slice(0, 8), slice(8, 16), slice(16, 24), slice(24, 28)):
        given = (
            {"sample_weight": run.uniform(28, high=3.0)[batch]} if "sample_weight" in settings else settings
        )
        found.append(model.train_on_batch(x[batch], y[batch], **given))
    return run.end(model, x, batches=found)


@case
def on_batches(k, run):
    """Losses alone, dictionaries, tests and predictions of single batches."""
    x, y, weights = run.x(8, 6), run.labels(8), run.uniform(8)
    model = compiled(k, run)
    plain = [float(model.train_on_batch(x, y)), float(model.test_on_batch(x, y))]
    model.compile(
        k.optimizers.Adam(0.01, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    found = [
        model.train_on_batch(x, y, return_dict=True),
        model.test_on_batch(x, y, return_dict=True),
        model.test_on_batch(x, y, sample_weight=weights, return_dict=True),
    ]
    values = [[one[key] for key in sorted(one)] for one in found]
    return run.end(model, x, plain=plain, found=values, batch=model.predict_on_batch(x))


@cases({"batches": {"batch_size": 5}, "steps": {"batch_size": 6, "steps": 2}, "default": {}})
def evaluated(k, run, settings):
    x, y, weights = run.x(28, 6), run.labels(28), run.uniform(28, high=2.0)
    x = x * (1 + len(settings))
    weighted = [k.metrics.SparseCategoricalAccuracy(name="weighted")]
    model = compiled(k, run, metrics=["accuracy"], weighted_metrics=weighted)
    found = [model.evaluate(x, y, verbose=0, **settings)]
    found.append(model.evaluate(x, y, sample_weight=weights, verbose=0, **settings))
    as_dict = model.evaluate(x, y, verbose=0, return_dict=True, **settings)
    return {"found": found, "dict": as_dict, "predicted": model.predict(x, verbose=0, **settings)}


def batches_of(x, y, size, weights=None):
    """Batches without end."""
    while True:
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            yield (x[part], y[part]) if weights is None else (x[part], y[part], weights[part])


@cases({"pairs": False, "triples": True})
def generator(k, run, with_weights):
    x, y, weights = run.x(28, 6), run.labels(28), run.uniform(28, high=2.0)
    model = compiled(k, run, metrics=["accuracy"])
    stream = batches_of(x, y, 8, weights if with_weights else None)
    # Five steps of the four batches in the data: the stream goes on where an epoch ends.
    history = model.fit(stream, steps_per_epoch=5, epochs=2, verbose=0)
    return run.end(model, x, history)


@case
def generator_for_everything(k, run):
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run, metrics=["accuracy"])
    validation = batches_of(x[:14], y[:14], 7)
    history = model.fit(
        batches_of(x, y, 8),
        steps_per_epoch=4,
        epochs=2,
        verbose=0,
        validation_data=validation,
        validation_steps=2,
    )
    found = model.evaluate(batches_of(x, y, 8), steps=3, verbose=0)
    predicted = model.predict(((x[i : i + 8],) for i in range(0, 24, 8)), steps=3, verbose=0)
    return run.end(model, x, history, found=found, predicted=predicted)


@case
def generator_that_ends(k, run):
    """Without steps_per_epoch an epoch is the whole generator."""
    x, y = run.x(28, 6), run.labels(28)
    model = compiled(k, run)
    batches = ((x[i : i + 8], y[i : i + 8]) for i in range(0, 28, 8))
    return run.end(model, x, model.fit(batches, epochs=1, verbose=0), steps=numbers(model))


@case
def data_set(k, run):
    """A PyDataset: length, items, and a hook after each epoch."""
    x, y = run.x(28, 6), run.labels(28)

    class Batches(k.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.epochs = 0

        def __len__(self):
            return 4

        def __getitem__(self, index):
            part = slice(8 * index, 8 * index + 8)
            return x[part], y[part]

        def on_epoch_end(self):
            self.epochs += 1

    model = compiled(k, run, metrics=["accuracy"])
    data = Batches()
    history = model.fit(data, epochs=3, shuffle=False, verbose=0)
    return run.end(
        model, x, history, evaluated=model.evaluate(Batches(), verbose=0), called=float(data.epochs >= 3)
    )


@case
def rank_repair(k, run):
    """Images without their axis of one channel."""
    x, y = run.x(12, 6, 5), run.x(12, 2)
    inputs = k.Input((6, 5, 1))
    hidden = k.layers.Flatten()(k.layers.Conv2D(2, 3)(inputs))
    model = k.Model(inputs, k.layers.Dense(2)(hidden))
    model.compile(k.optimizers.SGD(0.02), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=5))


@cases({"bytes": np.uint8, "integers": np.int64, "doubles": np.float64})
def other_numbers(k, run, kind):
    x = (3 * run.uniform(28, 6, high=1 + np.dtype(kind).itemsize)).astype(kind)
    y = run.x(28, 3).astype(np.float64)
    model = regressor(k)
    model.compile(k.optimizers.SGD(0.05), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@case
def default_batches(k, run):
    """32 samples, and the rest."""
    x, y = run.x(40, 6), run.labels(40)
    model = compiled(k, run, metrics=["accuracy"])
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    return run.end(model, x, history, steps=numbers(model), evaluated=model.evaluate(x, y, verbose=0))


@case
def lists(k, run):
    """Targets as a column of integers for a regression, weights as a column."""
    x, y, weights = run.x(28, 6), run.labels(28, 1, classes=5), run.uniform(28, 1)
    model = regressor(k, 1)
    model.compile(k.optimizers.SGD(0.02), "mse", metrics=["mae"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y, sample_weight=weights))


@case
def deferred(k, run):
    """A Sequential without Input is built by its first data."""
    x, y = run.x(28, 6), run.labels(28)
    model = k.Sequential([k.layers.Dense(8, activation="tanh"), k.layers.Dense(3, activation="softmax")])
    model.compile(k.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.build((None, 6))
    run.start(model)
    return run.end(model, x, fitted(model, x, y))
