import numpy as np
import pytest

from tinynet.layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax

from layers.gradients import check_layer, images

X = np.array([[-2.0, -0.5, 0.25, 1.0, 7.0]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), [0, 0, 0.25, 1, 7]),
        (ReLU(max_value=6), [0, 0, 0.25, 1, 6]),
        (ReLU(negative_slope=0.5), [-1, -0.25, 0.25, 1, 7]),
        (ReLU(threshold=0.5), [0, 0, 0, 1, 7]),
        (ReLU(6, 0.5, 0.5), [-1.25, -0.5, -0.125, 1, 6]),
        (LeakyReLU(), [-0.6, -0.15, 0.25, 1, 7]),
        (LeakyReLU(0.1), [-0.2, -0.05, 0.25, 1, 7]),
        (ELU(), [np.expm1(-2), np.expm1(-0.5), 0.25, 1, 7]),
        (ELU(0.5), [0.5 * np.expm1(-2), 0.5 * np.expm1(-0.5), 0.25, 1, 7]),
        (PReLU(alpha_initializer=lambda shape, dtype: np.full(shape, 0.2, dtype)), [-0.4, -0.1, 0.25, 1, 7]),
        (Activation("tanh"), np.tanh(X[0])),
        (Activation(lambda x: x * x), X[0] ** 2),
        (Softmax(), np.exp(X[0]) / np.exp(X[0]).sum()),
    ],
)
def test_values(layer, expected):
    np.testing.assert_allclose(layer(X).numpy()[0], expected, rtol=1e-5, atol=1e-7)
    assert layer.compute_output_shape((None, 5)) == (None, 5)


def test_prelu_shares_its_slope():
    layer = PReLU(shared_axes=[1, 2])
    layer(np.ones((2, 4, 5, 3)))
    assert layer.alpha.shape == (1, 1, 3)
    assert layer(np.ones((2, 6, 7, 3))).shape == (2, 6, 7, 3)


@pytest.mark.parametrize("make", [ReLU, LeakyReLU, ELU, Softmax])
def test_gradients(make):
    check_layer(make(dtype="float64"), images(4, 5))


def test_gradient_of_prelu():
    check_layer(PReLU(shared_axes=1, dtype="float64"), images(4, 3, 2), "alpha")


def test_negative_settings_are_refused():
    for make in (lambda: ReLU(max_value=-1), lambda: ReLU(negative_slope=-1), lambda: LeakyReLU(-0.1)):
        with pytest.raises(ValueError, match="negative"):
            make()
