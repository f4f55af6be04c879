"""Regularizers: their formulas, where they enter the loss, and what they refuse."""

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, Tensor, layers, regularizers
from tinynet.gradient_check import gradcheck
from tinynet.regularizers import L1, L1L2, L2, OrthogonalRegularizer

W = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def test_penalties_are_sums_over_all_elements():
    total, squares = 7.75, 1 + 4 + 0.25 + 9 + 0.0625 + 1
    assert float(L1(0.1)(Tensor(W)).numpy()) == pytest.approx(0.1 * total)
    assert float(L2(0.1)(Tensor(W)).numpy()) == pytest.approx(0.1 * squares)
    assert float(L1L2(0.1, 0.2)(Tensor(W)).numpy()) == pytest.approx(0.1 * total + 0.2 * squares)
    assert float(L1L2()(Tensor(W)).numpy()) == 0, "Keras 2 had 0.01 for both"


def test_orthogonal_rows_cost_nothing():
    assert float(OrthogonalRegularizer(1.0)(Tensor(np.eye(3))).numpy()) == pytest.approx(0)
    v = W / np.linalg.norm(W, axis=1, keepdims=True)
    assert float(OrthogonalRegularizer(0.5)(Tensor(W)).numpy()) == pytest.approx(0.5 * abs(v[0] @ v[1]))
    c = W / np.linalg.norm(W, axis=0, keepdims=True)
    pairs = abs(c.T @ c)[np.triu_indices(3, 1)]
    assert float(OrthogonalRegularizer(0.5, "columns")(Tensor(W)).numpy()) == pytest.approx(
        0.5 * pairs.mean()
    )


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.2), L1L2(0.1, 0.2), OrthogonalRegularizer(0.7)])
def test_gradients(penalty):
    assert gradcheck(penalty, W)


@pytest.mark.parametrize(
    "name", ["l1", "L1", "l2", "l1_l2", "L1L2", "orthogonal_regularizer", L2, L2(0.5), None]
)
def test_lookup(name):
    found = regularizers.get(name)
    if found is not None:
        again = regularizers.get(regularizers.serialize(found))
        assert type(again) is type(found)
        assert again.get_config() == found.get_config()


def test_mistakes():
    for wrong in (-0.1, float("nan"), float("inf"), "0.1", True):
        with pytest.raises(ValueError, match=r"L2: l2 must be a finite number >= 0"):
            L2(wrong)
    with pytest.raises(ValueError, match="mode must be 'rows' or 'columns'"):
        OrthogonalRegularizer(mode="both")
    with pytest.raises(ValueError, match="takes a matrix"):
        OrthogonalRegularizer()(Tensor(np.zeros(3)))
    with pytest.raises(ValueError, match=r"did you mean 'l1l2'|Could not interpret regularizer"):
        regularizers.get("l3")


def net(**settings):
    dense = layers.Dense(2, kernel_initializer="ones", bias_initializer="ones", **settings)
    return Sequential([layers.Input((3,)), dense])


def test_penalties_are_part_of_the_loss_in_training_and_evaluation():
    x, y = np.ones((4, 3), np.float32), np.full((4, 2), 4.0, np.float32)  # predictions are exactly right
    model = net(kernel_regularizer=L2(0.5), bias_regularizer=L1(0.25), activity_regularizer=L1(0.125))
    model.compile("sgd", "mse")
    penalty = 0.5 * 6 + 0.25 * 2 + 0.125 * (4 * 2 * 4) / 4
    assert model.evaluate(x, y, verbose=0) == pytest.approx(penalty)
    assert model.train_on_batch(x, y) == pytest.approx(penalty)
    w, b = model.get_weights()
    np.testing.assert_allclose(w, 1 - 0.01 * (2 * 0.5 + 0.125), rtol=1e-6)
    np.testing.assert_allclose(b, 1 - 0.01 * (0.25 + 0.125), rtol=1e-6)


def test_a_frozen_weight_costs_nothing():
    model = net(kernel_regularizer="l2")
    assert len(model.losses) == 1
    model.trainable = False
    assert model.losses == []


def test_losses_are_those_of_the_last_call():
    model = net(activity_regularizer="l2")
    for _ in range(3):
        model(np.ones((2, 3)))
    assert len(model.losses) == len(model.layers[0].losses) == 1

    class Costly(layers.Layer):
        def call(self, x):
            self.add_loss(tinynet.ops.sum(x))
            return x

    model = Sequential([layers.Input((3,)), Costly()])
    model.compile("sgd", None)
    assert model.evaluate(np.ones((2, 3)), verbose=0) == pytest.approx(6)


def test_penalised_steps_are_replayed_with_the_same_bits():
    def run(eagerly):
        tinynet.utils.set_random_seed(1)
        settings = {"kernel_regularizer": L1L2(0.01, 0.02), "activity_regularizer": "l2"}
        model = Sequential(
            [layers.Input((3,)), layers.Dense(4, "relu", **settings), layers.Dense(1, bias_regularizer="l1")]
        )
        model.compile("adam", "mse", run_eagerly=eagerly)
        rng = np.random.default_rng(0)
        model.fit(rng.normal(size=(64, 3)), rng.normal(size=(64, 1)), batch_size=8, epochs=2, verbose=0)
        return model, model.get_weights()

    model, weights = run(False)
    assert model.replay.programs
    for a, b in zip(weights, run(True)[1], strict=True):
        np.testing.assert_array_equal(a, b)
