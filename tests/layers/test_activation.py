import json

import numpy as np
import pytest

from tinynet import constraints, regularizers
from tinynet.layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax

from layer_tools import check_layer, images

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
        (Activation("hard_swish"), [-1 / 3, -5 / 24, 13 / 96, 2 / 3, 7]),
        (Activation(lambda x: x * x), X[0] ** 2),
        (Softmax(), np.exp(X[0]) / np.exp(X[0]).sum()),
    ],
)
def test_values(layer, expected):
    np.testing.assert_allclose(layer(X).numpy()[0], expected, rtol=1e-5, atol=1e-7)
    assert layer.compute_output_shape((None, 5)) == (None, 5)


def test_glu_halves_the_last_axis():
    layer = Activation("glu")
    assert layer(images(3, 2, 4)).shape == (3, 2, 2)
    assert layer.compute_output_shape((None, 2, 4)) == (None, 2, 2)
    with pytest.raises(ValueError, match="must be even"):
        layer(images(3, 5))


def test_leaky_relu_takes_its_older_argument_with_a_warning():
    with pytest.warns(UserWarning, match="negative_slope"):
        layer = LeakyReLU(alpha=0.1)
    assert layer.negative_slope == 0.1
    config = layer.get_config()
    assert config["negative_slope"] == 0.1
    assert "alpha" not in config
    assert LeakyReLU.from_config(config).negative_slope == 0.1


def test_prelu_shares_its_slope():
    layer = PReLU(shared_axes=[1, 2])
    layer(np.ones((2, 4, 5, 3)))
    assert layer.alpha.shape == (1, 1, 3)
    assert layer(np.ones((2, 6, 7, 3))).shape == (2, 6, 7, 3)


def test_arguments_of_prelu():
    layer = PReLU("ones", "l2", "non_neg", [1], name="slopes")
    layer(np.ones((2, 3, 4)))
    assert layer.alpha.numpy().tolist() == [[1.0] * 4]
    assert isinstance(layer.alpha.regularizer, regularizers.L2)
    assert isinstance(layer.alpha.constraint, constraints.NonNeg)
    assert float(layer.losses[0]) == pytest.approx(0.01 * 4)
    copy = PReLU.from_config(json.loads(json.dumps(layer.get_config())))
    assert isinstance(copy.alpha_constraint, constraints.NonNeg)
    assert copy.shared_axes == (1,)


class TestMaskedSoftmax:
    mask = np.array([[True, True, False, False, True], [False] * 5])

    def test_values(self):
        x = np.vstack([X, X])
        kept = np.exp(X[0]) * self.mask[0]
        y = Softmax()(x, mask=self.mask).numpy()
        np.testing.assert_allclose(y, [kept / kept.sum(), np.zeros(5)], rtol=1e-5)
        np.testing.assert_array_equal(Softmax()(x, mask=self.mask * 1.0).numpy(), y)

    def test_over_several_axes(self):
        x = images(2, 3, 4)
        kept = np.exp(x) * (x > 0)
        y = Softmax((1, 2))(x, mask=x > 0).numpy()
        np.testing.assert_allclose(y, kept / kept.sum((1, 2), keepdims=True), rtol=1e-5)

    def test_a_mask_of_another_shape(self):
        with pytest.raises(ValueError, match=r"mask has shape \(2, 4\)"):
            Softmax()(np.zeros((2, 5)), mask=np.ones((2, 4), bool))


@pytest.mark.parametrize("make", [ReLU, LeakyReLU, ELU, Softmax, lambda **kwargs: Softmax((1, 2), **kwargs)])
def test_gradients(make):
    check_layer(make(dtype="float64"), images(4, 5, 2))


def test_gradient_of_prelu():
    check_layer(PReLU(shared_axes=1, dtype="float64"), images(4, 3, 2), "alpha")


def test_negative_settings_are_refused():
    for make in (lambda: ReLU(max_value=-1), lambda: ReLU(negative_slope=-1), lambda: LeakyReLU(-0.1)):
        with pytest.raises(ValueError, match="must be a number >= 0, got -"):
            make()
