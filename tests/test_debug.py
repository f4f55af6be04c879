"""check_numerics: names the operation, the layer, the direction and the step of the first NaN or infinity."""

import numpy as np
import pytest

from tinynet import Parameter, Sequential, Tensor, debug, layers, ops
from tinynet.autograd import Primitive
from tinynet.debug import NumericsError, check_numerics
from tinynet.layers.base import Layer
from tinynet.optimizers import SGD

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
X, Y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)


def net(function, **settings):
    model = Sequential(
        [layers.Input((3,)), layers.Lambda(function, name="odd"), layers.Dense(1, name="last")], name="net"
    )
    model.compile(SGD(**settings), "mse")
    return model


def test_the_forward_operation_and_its_layer():
    model = net(lambda x: ops.log(x - 1))
    with (
        check_numerics(),
        pytest.raises(
            NumericsError, match=r"infinity \(24 of 24\) in what 'log' of layer net/odd gives, forward"
        ),
    ):
        model.fit(X, Y, verbose=0)


def test_the_backward_operation_and_the_step():
    # The derivative of sqrt at 0 is infinite, its value is not.
    model = Sequential(
        [
            layers.Input((3,)),
            layers.Dense(3, name="first"),
            layers.Lambda(lambda x: ops.sqrt(x * x), name="root"),
        ]
    )
    model.compile(SGD(0.0), "mse")
    model.fit(X, X, verbose=0, batch_size=4, shuffle=False)  # two steps, neither with an output of 0
    first = model.layers[0]
    first.set_weights([np.zeros((3, 3)), np.zeros(3)])
    with (
        check_numerics(),
        pytest.raises(NumericsError, match=r"'sqrt' of layer sequential\w*/root hands on, backward, step 3"),
    ):
        model.fit(X, X, verbose=0)


def test_a_weight_that_overflows_is_named():
    model = net(lambda x: x, learning_rate=3e38)
    with (
        check_numerics(),
        pytest.raises(NumericsError, match=r"the weight last/kernel after the update by sgd, step 1"),
    ):
        model.fit(X * 100, Y, verbose=0)


def test_data_that_are_not_finite_are_named():
    data = X.copy()
    data[3, 1] = np.nan
    with check_numerics(), pytest.raises(NumericsError, match=r"NaN \(1 of 24\) in the data given to net"):
        net(lambda x: x).fit(data, Y, verbose=0)


def test_a_loss_that_is_not_finite():
    model = net(lambda x: x)
    model.compile("sgd", lambda y, p: ops.log(p * 0 - 1))
    with check_numerics(), pytest.raises(NumericsError, match="in the loss, outside of layers"):
        model.evaluate(X, Y, verbose=0)


def test_it_leaves_nothing_behind_and_changes_no_bit():
    before = [Layer._run_call, Primitive.__call__, Primitive.differentiate]
    plain, checked = net(lambda x: x * 2), net(lambda x: x * 2)
    checked.set_weights(plain.get_weights())
    plain.fit(X, Y, verbose=0, epochs=3, batch_size=4)
    with check_numerics():
        checked.fit(X, Y, verbose=0, epochs=3, batch_size=4)
        with pytest.raises(RuntimeError, match="is on already"):
            check_numerics()
    for a, b in zip(plain.get_weights(), checked.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [Layer._run_call, Primitive.__call__, Primitive.differentiate] == before
    ops.log(Tensor([0.0]))  # off: a NaN is a value like others
    handle = debug.check_numerics()
    with pytest.raises(NumericsError, match="It was given shape"):
        ops.log(Parameter([0.0]))
    handle.close()
    ops.log(Parameter([0.0]))


def test_one_that_was_closed_can_be_opened_again():
    checks = check_numerics()
    checks.close()
    with checks, pytest.raises(NumericsError, match="infinity"):
        ops.log(Tensor([0.0]))
    with check_numerics(), pytest.raises(RuntimeError, match="on already"), checks:
        pass
    ops.log(Tensor([0.0]))
