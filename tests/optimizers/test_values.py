"""What an optimizer is given: learning rates that are no number, gradients as lists, a variable twice."""

import numpy as np
import pytest

from tinynet.autograd import Parameter, Tensor
from tinynet.optimizers import SGD, Adam


@pytest.mark.parametrize("rate", [None, "fast", [0.1], np.ones(2), True])
def test_a_learning_rate_that_is_no_number_is_refused(rate):
    optimizer = SGD(0.5)
    with pytest.raises(ValueError, match="the learning rate must be a number"):
        optimizer.lr = rate
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize("rate", [1, 0.25, np.float32(0.25), np.array(0.25), Tensor(0.25)])
def test_a_learning_rate_that_is_a_number_is_taken(rate):
    optimizer = SGD(0.5)
    optimizer.lr = rate
    assert optimizer.learning_rate == float(rate)


def test_the_rate_that_was_read_can_be_set():
    """As in callbacks: rate = optimizer.learning_rate; optimizer.learning_rate = schedule(epoch, rate)."""
    optimizer = SGD(0.1)
    optimizer.learning_rate = optimizer.learning_rate
    assert optimizer.learning_rate == 0.1
    optimizer.learning_rate.assign(optimizer.learning_rate)
    optimizer.lr = [optimizer.learning_rate * 0.5][0]
    assert optimizer.learning_rate == 0.05


@pytest.mark.parametrize("rate", [-0.01, -1e-30, float("nan"), -float("inf")])
def test_a_rate_below_0_is_refused(rate):
    with pytest.raises(ValueError, match="learning rate must be at least 0, and finite, got"):
        SGD(rate)
    optimizer = SGD(0.0)
    with pytest.raises(ValueError, match="learning rate must be at least 0, and finite, got"):
        optimizer.learning_rate = rate
    assert optimizer.learning_rate == 0.0


def test_gradients_may_be_lists():
    variable = Parameter(np.ones(2, np.float32))
    SGD(1.0).apply([[1, 2]], [variable])
    np.testing.assert_array_equal(variable.numpy(), [0, -1])


def test_a_variable_given_twice_is_refused():
    variable = Parameter(np.ones(2, np.float32))
    with pytest.raises(ValueError, match="a variable is given more than once"):
        Adam().apply([np.ones(2, np.float32)] * 2, [variable, variable])
