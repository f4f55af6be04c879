import numpy as np
import pytest

from tinynet.layers import Dense

from layer_tools import check_layer, images


def test_published_example():
    # Keras, layers/core/dense_test.py
    layer = Dense(2, activation="relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([5.0, -6.0])])
    np.testing.assert_array_equal(layer(np.array([[-1.0, 2.0]])).numpy(), [[10.0, 0.0]])


def test_contracts_the_last_axis():
    layer = Dense(4)
    x = images(3, 2, 5)
    y = layer(x).numpy()
    expected = np.einsum("nti,io->nto", x, layer.kernel.numpy())
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, None, 5)) == (None, None, 4)


@pytest.mark.parametrize("activation", [None, "tanh", "softmax"])
def test_gradients(activation):
    check_layer(Dense(3, activation=activation, dtype="float64"), images(5, 4), "kernel", "bias")


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", True])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(ValueError, match="units"):
        Dense(units)


def test_without_bias():
    layer = Dense(3, use_bias=False)
    layer(np.ones((2, 4)))
    assert [w.shape for w in layer.weights] == [(4, 3)]
