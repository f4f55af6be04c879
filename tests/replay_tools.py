"""What tests of replay share: nets, runs with and without it, and a comparison of all their bits."""

import numpy as np

from tinynet import layers, losses, optimizers
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

X = np.random.default_rng(4).normal(size=(16, 6)).astype(np.float32)
Y = np.random.default_rng(4).integers(0, 4, 16)


def dense_net(**settings):
    return Sequential(
        [layers.Input((6,)), layers.Dense(8, **settings), layers.BatchNormalization(), layers.Dense(4)]
    )


def trained(build, eagerly, *, epochs=3, samples=70, optimizer="adam", loss=None, data=None, hooks=(), **fit):
    """The history and the weights of a run; its last batch of an epoch is smaller than the others."""
    set_random_seed(5)
    model = build()
    rng = np.random.default_rng(1)
    x, y = data or (rng.normal(size=(samples, 6)).astype(np.float32), rng.integers(0, 4, samples))
    loss = loss or losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = optimizer() if callable(optimizer) else optimizer
    model.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=eagerly)
    settings = {
        "batch_size": 16,
        "epochs": epochs,
        "verbose": 0,
        "callbacks": [make() for make in hooks],
        **fit,
    }
    history = model.fit(x, y, **settings)
    return model, history.history, model.get_weights() + model.optimizer.get_weights()


def same_bits(*args, programs=True, **kwargs):
    """Runs with and without replay and compares all bits;
    `programs` says whether anything may be replayed.
    """
    model, history, weights = trained(*args, False, **kwargs)
    eager, eager_history, eager_weights = trained(*args, True, **kwargs)
    assert not eager.replay.programs
    assert bool(model.replay.programs) == programs, [
        step.reason for step in model.replay.steps.values()
    ] or model.replay.why()
    assert history == eager_history
    names = [p.name for p in model.weights] + [p.name for p in model.optimizer.variables]
    for name, a, b in zip(names, weights, eager_weights, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    return model


def compiled(eagerly=False, optimizer=None, loss=None, build=dense_net):
    set_random_seed(5)
    model = build()
    model.compile(
        optimizer or optimizers.Adam(0.1),
        loss or losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=eagerly,
    )
    return model


def both(run, **kwargs):
    """Compares what run(model) returns, and the weights after it, with and without replay."""
    results = []
    for eagerly in (False, True):
        model = compiled(eagerly, **{name: make() for name, make in kwargs.items()})
        results.append([run(model), *model.get_weights(), *model.optimizer.get_weights()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
