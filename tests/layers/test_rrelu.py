import numpy as np
import pytest

from tinynet.layers import RReLU

from layer_tools import check_layer, images


def test_inference_takes_the_mean_slope():
    layer = RReLU()
    # 11 / 48
    np.testing.assert_allclose(layer(np.array([[-24.0, 0.0, 3.0]])).numpy(), [[-5.5, 0, 3]], rtol=1e-6)
    assert layer.compute_output_shape((None, 4, 5)) == (None, 4, 5)


def test_slopes_in_training():
    x = np.full((200, 300), -1.0, "float32")
    slopes = -RReLU(0.1, 0.4, seed=3)(x, training=True).numpy()
    assert slopes.min() >= 0.1
    assert slopes.max() <= 0.4 + 1e-7
    assert abs(slopes.mean() - 0.25) < 5 * np.sqrt(0.09 / 12 / x.size)
    assert abs(slopes.var() - 0.09 / 12) < 5 * 0.09 * np.sqrt(1 / 180 / x.size)
    positive = abs(images(5, 6)).astype("float32")
    np.testing.assert_array_equal(RReLU()(positive, training=True).numpy(), positive)


def test_each_call_draws_new_slopes_and_seeds_repeat_them():
    x = np.full((4, 5), -1.0)
    first, second = RReLU(seed=1), RReLU(seed=1)
    drawn = [first(x, training=True).numpy() for _ in range(2)]
    assert (drawn[0] != drawn[1]).any()
    for expected in drawn:
        np.testing.assert_array_equal(second(x, training=True).numpy(), expected)
    assert (RReLU()(x, training=True).numpy() != RReLU()(x, training=True).numpy()).any()


@pytest.mark.parametrize("training", [True, False])
def test_gradients(training):
    check_layer(RReLU(dtype="float64"), images(4, 5), training=training)


def test_configuration():
    config = RReLU(0.2, upper=0.3, seed=5, name="mine").get_config()
    copy = RReLU.from_config(config)
    assert (copy.lower, copy.upper, copy.seed, copy.name) == (0.2, 0.3, 5, "mine")


@pytest.mark.parametrize("slopes", [(-0.1, 0.3), (0.4, 0.3), ("a", 0.3)])
def test_wrong_slopes(slopes):
    with pytest.raises(ValueError, match="lower <= upper"):
        RReLU(*slopes)
