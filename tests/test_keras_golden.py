"""Numbers that stand in Keras's own tests (Keras 3, Apache-2.0: trainers/trainer_test.py,
trainers/compile_utils_test.py and optimizers/optimizer_test.py); only the numbers are theirs. Trajectories of
our own making: test_keras_trajectories.py.
"""

import numpy as np
import pytest

from tinynet import Input, Model, Sequential, layers, losses, metrics, optimizers

Y_TRUE = [
    np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
    np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]),
]
Y_FIRST = [
    np.array([[0.4, 0.1], [0.2, 0.6], [0.6, 0.1]]),
    np.array([[0.4, 0.1, 0.3], [0.2, 0.6, 0.4], [0.6, 0.1, 0.8]]),
]
Y_SECOND = [
    np.array([[0.3, 0.2], [0.1, 0.4], [0.2, 0.3]]),
    np.array([[0.3, 0.2, 0.1], [0.5, 0.4, 0.6], [0.1, 0.8, 0.7]]),
]


def ones(units, name=None):
    return layers.Dense(units, use_bias=False, kernel_initializer="ones", name=name)


def test_loss_weight_of_one_output():
    model = Sequential([Input((4,)), ones(3)])
    model.compile(optimizers.SGD(), losses.MeanSquaredError(), loss_weights=0.2)
    history = model.fit(np.ones((40, 4)), np.zeros((40, 3)), batch_size=20, epochs=3, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [3.182979, 3.115617, 3.049681], atol=1e-5)


@pytest.mark.parametrize("by_name", [False, True])
def test_loss_weights_of_two_outputs(by_name):
    x = Input((4,))
    outputs = {"one": ones(3, "one")(x), "two": ones(3, "two")(x)}
    y = {"one": np.zeros((40, 3)), "two": np.zeros((40, 3))}
    loss, weights = {"one": "mse", "two": "mse"}, {"one": 0.1, "two": 0.2}
    if not by_name:
        outputs, y, loss, weights = (list(one.values()) for one in (outputs, y, loss, weights))
    model = Model(x, outputs)
    model.compile(optimizers.SGD(), loss, loss_weights=weights)
    history = model.fit(np.ones((40, 4)), y, batch_size=20, epochs=3, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [4.778718, 4.694403, 4.611693], atol=1e-5)


def test_two_inputs():
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = ones(2), ones(2)

        def call(self, x):
            return self.first(x[0]) + self.second(x[1])

    x, y = [np.ones((3, 2)), np.ones((3, 3))], np.ones((3, 2))
    model = Net()
    model.compile("sgd", "mse", metrics=["mse"])
    assert model.fit(x, y, verbose=0).history["loss"] == pytest.approx([16.0])
    assert model.train_on_batch(x, y)[0] == pytest.approx(14.44)
    assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(13.0321)
    assert model.test_on_batch(x, y)[0] == pytest.approx(13.0321)


def test_class_weights_of_a_batch():
    """After the batches of tests/models/test_fit.py: the third step of the same net,
    its labels all of class 0.
    """
    model = Sequential([Input((4,)), ones(3)])
    model.compile(optimizers.SGD(), "mse", metrics=["mse"])
    x, y, weights = np.ones((100, 4)), np.zeros((100, 3)), np.arange(100).reshape(100, 1) / 50
    assert model.train_on_batch(x, y)[0] == pytest.approx(16.0)
    assert model.train_on_batch(x, y)[0] == pytest.approx(15.158, abs=1e-3)
    assert model.test_on_batch(x, y)[0] == pytest.approx(14.360, abs=1e-3)
    assert model.train_on_batch(x, y, weights[:, 0])[0] == pytest.approx(14.217, abs=1e-3)
    assert model.train_on_batch(x, y, class_weight={1: 0.3, 0: 0.2})[0] == pytest.approx(2.722, abs=2e-2)


def test_average_of_weights_after_fit():
    optimizer = optimizers.SGD(learning_rate=0.1, use_ema=True, ema_momentum=0.9)
    model = Sequential([Input((1,)), ones(2)])
    model.compile(optimizer, "mse")
    model.fit(np.ones((1, 1)), np.zeros((1, 2)), batch_size=1, epochs=2, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[0.891, 0.891]], rtol=1e-6)


@pytest.mark.parametrize(
    ("output", "plain", "weighted"), [(0, 0.055833336, 0.0725), (1, 0.066666667, 0.090833336)]
)
def test_weighted_metrics(output, plain, weighted):
    for weights, expected in ((None, plain), (np.array([1.0, 0.0, 1.0]), weighted)):
        metric = metrics.MeanSquaredError()
        for predicted in (Y_FIRST, Y_SECOND):
            metric.update_state(Y_TRUE[output], predicted[output], sample_weight=weights)
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_weighted_losses_of_two_outputs():
    a, b = Y_TRUE[0], np.array([[0.7, 0.8], [0.9, 1.0], [1.1, 1.2]])
    predicted_a, predicted_b = (
        np.array([[1.2, 1.1], [1.0, 0.9], [0.8, 0.7]]),
        np.array([[0.6, 0.5], [0.4, 0.3], [0.2, 0.1]]),
    )
    mse = losses.MeanSquaredError()
    total = mse(a, predicted_a, np.array([1.0, 2.0, 3.0])) + mse(b, predicted_b, np.array([3.0, 2.0, 1.0]))
    assert float(total) == pytest.approx(1.266666, abs=1e-5)
