"""Constraints: their formulas, and that they hold after every update."""

import numpy as np
import pytest

from tinynet import Sequential, constraints, layers
from tinynet.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

COLUMN = np.array([[3.0], [4.0]])
W = np.random.default_rng(0).normal(size=(3, 3, 2, 4)) * 3


def test_published_vectors():
    # keras.constraints on the column [3, 4], in float64
    np.testing.assert_allclose(MaxNorm(1)(COLUMN)[:, 0], [0.599999988, 0.799999984], atol=1e-9)
    np.testing.assert_allclose(
        MinMaxNorm(0, 1, rate=0.5)(COLUMN)[:, 0], [1.799999964, 2.399999952], atol=1e-9
    )
    np.testing.assert_allclose(UnitNorm()(COLUMN)[:, 0], [0.599999988, 0.799999984], atol=1e-9)
    np.testing.assert_array_equal(NonNeg()(np.array([-1.0, 0.0, 2.0])), [0, 0, 2])


def test_the_norms_of_filters():
    for axis in ((0, 1, 2), [0, 1, 2]):
        kept = MaxNorm(2, axis=axis)(W)
        n = np.sqrt((W**2).sum((0, 1, 2)))
        np.testing.assert_allclose(kept, W * np.minimum(n, 2) / (n + 1e-7), rtol=1e-12)
    assert (n > 2).any()


def test_a_norm_within_the_range_stays():
    np.testing.assert_allclose(MinMaxNorm(1, 9)(COLUMN), COLUMN * 5 / (5 + 1e-7), rtol=1e-12)
    np.testing.assert_allclose(MinMaxNorm(10, 20)(COLUMN), COLUMN * 10 / (5 + 1e-7), rtol=1e-12)
    assert MaxNorm()(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]], "the zero vector has no direction"


@pytest.mark.parametrize(
    "name", ["max_norm", "MaxNorm", "non_neg", "unit_norm", "min_max_norm", UnitNorm, MaxNorm(3.0), None]
)
def test_lookup(name):
    found = constraints.get(name)
    if found is not None:
        again = constraints.get(constraints.serialize(found))
        assert type(again) is type(found)
        assert again.get_config() == found.get_config()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_weights_obey_after_every_step(momentum):
    from tinynet.callbacks import LambdaCallback
    from tinynet.optimizers import SGD

    norms, lowest = [], []
    dense = layers.Dense(5, kernel_constraint=MaxNorm(0.5), bias_constraint=NonNeg())
    model = Sequential([layers.Input((4,)), dense, layers.Dense(2)])

    def look(batch, logs):
        norms.append(np.linalg.norm(dense.kernel.numpy(), axis=0).max())
        lowest.append(dense.bias.numpy().min())

    model.compile(SGD(0.02, momentum=momentum), "mse")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(96, 4)), rng.normal(size=(96, 2)) * 3
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=look)])
    assert len(norms) == 24
    assert max(norms) <= 0.5 + 1e-6
    assert max(norms) > 0.49, "the constraint was at work"
    assert min(lowest) == 0


def test_a_function_and_a_class_of_ones_own():
    class Halved(Constraint):
        def __call__(self, w):
            return w * 0.5

    for constraint in (Halved(), Halved, lambda w: w * 0.5):
        dense = layers.Dense(1, kernel_initializer="ones", use_bias=False, kernel_constraint=constraint)
        model = Sequential([layers.Input((2,)), dense])
        model.compile("sgd", "mse")
        model.train_on_batch(np.zeros((2, 2)), np.zeros((2, 1)))
        np.testing.assert_array_equal(dense.kernel.numpy(), [[0.5], [0.5]])
    with pytest.raises(TypeError, match="must define __call__"):
        Constraint()(COLUMN)
