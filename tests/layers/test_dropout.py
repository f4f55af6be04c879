import numpy as np
import pytest

from tinynet.layers import Dropout, Input, Layer
from tinynet.utils import set_random_seed

from layer_tools import check_layer, images


def test_inference_is_the_identity():
    x = images(4, 5)
    layer = Dropout(0.5, dtype="float64")
    for training in (False, None):
        np.testing.assert_array_equal(layer(x, training=training).numpy(), x)
    np.testing.assert_array_equal(Dropout(0, dtype="float64")(x, training=True).numpy(), x)
    np.testing.assert_array_equal(Dropout(1, dtype="float64")(x, training=True).numpy(), 0 * x)
    assert layer._draw_count == 0


def test_drops_the_rate_and_keeps_the_mean():
    y = Dropout(0.3, seed=1)(np.ones((400, 100)), training=True).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 0.01


def test_every_call_and_every_layer_has_its_own_mask():
    x = np.ones((8, 64))
    layer, other = Dropout(0.5), Dropout(0.5)
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    assert (first != second).any()
    assert (first != other(x, training=True).numpy()).any()
    assert layer._draw_count == 2
    layer._draw_count = 0
    np.testing.assert_array_equal(layer(x, training=True).numpy(), first)


def test_seeds():
    x = np.ones((8, 64))
    np.testing.assert_array_equal(*(Dropout(0.5, seed=7)(x, training=True).numpy() for _ in range(2)))
    masks = []
    for _ in range(2):
        set_random_seed(3)
        masks.append(Dropout(0.5)(x, training=True).numpy())
    np.testing.assert_array_equal(*masks)


def test_noise_shape_shares_the_mask():
    y = Dropout(0.5, noise_shape=(None, 1, 1, None), seed=1)(np.ones((5, 4, 3, 8)), training=True).numpy()
    assert (y == y[:, :1, :1]).all()
    assert (y != y[:1]).any()


def test_gradients():
    check_layer(Dropout(0.4, seed=2, dtype="float64"), images(5, 3, 2))


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_rate_is_a_fraction(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate)


def test_a_trial_run_draws_nothing():
    """The shape of a layer of one's own is found by running it on zeros:
    its random layers count no call for that.
    """

    class Noisy(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5, seed=3)

        def call(self, x, training=None):
            return self.dropout(x, training=training)

    noisy = Noisy()
    noisy(Input((4,)), training=True)
    assert noisy.dropout._draw_count == 0
