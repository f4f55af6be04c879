"""Targets and predictions that differ in a last axis of size 1 are the same samples:
never a table of all pairs.

Expected values: plain NumPy on arrays of one shape.
"""

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses, metrics, ops
from tinynet.models import Sequential

RNG = np.random.default_rng(0)
N = 12
T, P = RNG.uniform(0, 1, N).astype("float32"), RNG.uniform(0.1, 0.9, N).astype("float32")
IMAGE = (N, 3, 2)
PAIRS = {
    "(N,) (N,)": (T, P),
    "(N,) (N, 1)": (T, P[:, None]),
    "(N, 1) (N,)": (T[:, None], P),
    "(N, 1) (N, 1)": (T[:, None], P[:, None]),
}
IMAGES = {
    "(N, H, W) (N, H, W, 1)": (RNG.uniform(size=IMAGE), RNG.uniform(size=(*IMAGE, 1))),
    "(N, H, W, 1) (N, H, W)": (RNG.uniform(size=(*IMAGE, 1)), RNG.uniform(size=IMAGE)),
}
ALL = {**PAIRS, **IMAGES}


def squared(y_true, y_pred):
    """As one writes it: tinynet's ops on Tensors in a loss, NumPy on arrays in a metric."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Squared(losses.Loss):
    def call(self, y_true, y_pred):
        return squared(y_true, y_pred)


class Errors(metrics.Metric):
    def __init__(self):
        super().__init__(name="errors")
        self.sum, self.number = self.add_weight(name="sum"), self.add_weight(name="number")

    def update_state(self, y_true, y_pred, sample_weight=None):
        squares = np.square(np.asarray(y_true) - np.asarray(y_pred))
        self.sum.assign_add(squares.sum())
        self.number.assign_add(float(squares.size))

    def result(self):
        return self.sum / self.number


LOSSES = {
    "a function": lambda: losses.LossFunctionWrapper(squared),
    "a function of its own": lambda: losses.LossFunctionWrapper(
        lambda a, b: ops.mean(ops.square(a - b), axis=-1)
    ),
    "a subclass": Squared,
    "tinynet's": losses.MeanSquaredError,
}


@pytest.mark.parametrize("pair", ALL)
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, pair):
    y_true, y_pred = ALL[pair]
    expected = np.mean((y_true.astype("f8").ravel() - y_pred.astype("f8").ravel()) ** 2)
    assert float(LOSSES[name]()(y_true, y_pred)) == pytest.approx(expected, rel=1e-5)
    assert float(LOSSES[name]()(y_true.tolist(), tinynet.Tensor(y_pred))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("pair", ALL)
@pytest.mark.parametrize("make", [lambda: metrics.MeanMetricWrapper(squared), metrics.MeanSquaredError])
def test_metrics(make, pair):
    y_true, y_pred = ALL[pair]
    expected = np.mean((y_true.astype("f8").ravel() - y_pred.astype("f8").ravel()) ** 2)
    assert make()(y_true, y_pred) == pytest.approx(expected, rel=1e-5)
    assert make()(y_true.tolist(), y_pred.tolist()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("shape", [(N,), (N, 1)])
@pytest.mark.parametrize("loss", [squared, Squared()], ids=["function", "subclass"])
def test_what_fit_reports_and_learns(loss, shape, eagerly):
    """y = 3 x: with a table of all pairs the net would learn the mean instead."""
    x = np.linspace(-1, 1, N, dtype="float32")[:, None]
    y = (3 * x).reshape(shape)
    model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    reported = {"metrics": [squared, "mse", Errors()], "weighted_metrics": [Errors()]}
    model.compile(tinynet.optimizers.SGD(0.5), loss, run_eagerly=eagerly, **reported)
    first = model.evaluate(x, y, verbose=0, return_dict=True)
    names = ("loss", "squared", "mse", "errors", "weighted_errors")
    assert first == pytest.approx(dict.fromkeys(names, np.mean(np.square(3 * x))), rel=1e-5)
    model.fit(x, y, batch_size=N, epochs=40, verbose=0)
    assert model.layers[0].kernel.numpy()[0, 0] == pytest.approx(3, abs=1e-3)
