import numpy as np
import pytest

from tinynet.layers import BatchNormalization

from layer_tools import check_layer, images


def normalised(x, axis, epsilon=1e-3):
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon), mean.ravel(), var.ravel()


@pytest.mark.parametrize(
    ("shape", "axis"), [((8, 5), -1), ((4, 3, 5, 6), -1), ((4, 3, 5, 6), 1), ((6, 4, 3), 2)]
)
def test_training_uses_the_batch_and_moves_the_statistics(shape, axis):
    layer = BatchNormalization(axis, momentum=0.9, dtype="float64")
    x = 3 * images(*shape) + 2
    y, mean, var = normalised(x, axis)
    np.testing.assert_allclose(layer(x, training=True).numpy(), y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-9)
    np.testing.assert_allclose(
        layer.moving_variance.numpy(), 0.9 + 0.1 * var, rtol=1e-9, err_msg="biased variance"
    )
    before = layer.get_weights()
    broadcast = [1] * x.ndim
    broadcast[axis] = -1
    moving = [w.reshape(broadcast) for w in before[2:]]
    expected = (x - moving[0]) / np.sqrt(moving[1] + 1e-3)
    for training in (False, None):
        np.testing.assert_allclose(layer(x, training=training).numpy(), expected, rtol=1e-9, atol=1e-9)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_frozen_means_inference():
    layer = BatchNormalization(epsilon=1e-9, dtype="float64")
    layer.trainable = False
    x = images(6, 3)
    np.testing.assert_allclose(layer(x, training=True).numpy(), x, rtol=1e-6)
    assert (layer.moving_mean.numpy() == 0).all()


@pytest.mark.parametrize(("center", "scale"), [(True, True), (True, False), (False, True), (False, False)])
def test_gradients_in_training_mode(center, scale):
    parameters = [name for name, used in (("gamma", scale), ("beta", center)) if used]
    layer = BatchNormalization(center=center, scale=scale, dtype="float64")
    check_layer(layer, images(4, 2, 3, 2), *parameters)
    assert len(layer.weights) == len(parameters) + 2


def test_gradients_in_inference_mode():
    check_layer(
        BatchNormalization(axis=1, dtype="float64"), images(3, 2, 4, 2), "gamma", "beta", training=False
    )


def test_several_axes_have_one_statistic_for_each_place():
    """28 x 28 places: 784 means and variances, over the samples and channels."""
    x = 3 * images(6, 28, 28, 2) + np.arange(28)[:, None]
    layer = BatchNormalization(axis=[1, 2], momentum=0.9, epsilon=1e-4, dtype="float64")
    mean, var = x.mean((0, 3), keepdims=True), x.var((0, 3), keepdims=True)
    np.testing.assert_allclose(
        layer(x, training=True).numpy(), (x - mean) / np.sqrt(var + 1e-4), rtol=1e-9, atol=1e-9
    )
    assert [w.shape for w in layer.weights] == [(28, 28)] * 4
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean[0, ..., 0], rtol=1e-9)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * var[0, ..., 0], rtol=1e-9)
    moving = [w[..., None] for w in layer.get_weights()[2:]]
    np.testing.assert_allclose(
        layer(x).numpy(), (x - moving[0]) / np.sqrt(moving[1] + 1e-4), rtol=1e-9, atol=1e-9
    )


def test_every_place_and_channel():
    x = images(8, 3, 4)
    layer = BatchNormalization(axis=(2, 1), dtype="float64")
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)
    np.testing.assert_allclose(layer(x, training=True).numpy(), expected, rtol=1e-9, atol=1e-9)
    layer.trainable = False
    before = layer.get_weights()
    layer(x, training=True)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("axis", [[1, 2], [3, 1], [1, 2, 3]])
def test_gradients_over_several_axes(axis, training):
    check_layer(
        BatchNormalization(axis, dtype="float64"), images(4, 2, 3, 2), "gamma", "beta", training=training
    )


def test_a_list_of_one_axis_is_that_axis():
    x = images(4, 3, 5)
    one, other = BatchNormalization(1, dtype="float64"), BatchNormalization([1], dtype="float64")
    np.testing.assert_array_equal(one(x, training=True).numpy(), other(x, training=True).numpy())
    assert other.gamma.shape == (3,)
    config = BatchNormalization([1, 2]).get_config()
    assert BatchNormalization.from_config(config).axis == [1, 2]


def test_statistics_that_an_initializer_gives_in_another_memory_order_follow_too():
    layer = BatchNormalization(
        [1, 2], moving_mean_initializer=lambda shape, dtype=None: np.zeros(shape, dtype, order="F")
    )
    x = images(8, 4, 5, 2)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * x.mean((0, 3)), rtol=1e-5, atol=1e-8)


def test_arguments_in_keras_order():
    given = (
        1,
        0.9,
        0.01,
        True,
        True,
        "ones",
        "zeros",
        "zeros",
        "ones",
        None,
        "l2",
        None,
        "non_neg",
        False,
        None,
        0.9,
        False,
    )
    layer = BatchNormalization(*given)
    layer(np.ones((2, 3), np.float32))
    assert (layer.gamma.regularizer is not None, layer.gamma.constraint is not None) == (True, True)
    assert (layer.beta.regularizer, layer.beta.constraint) == (None, None)
    assert layer.beta.numpy().tolist() == [1, 1, 1]


def test_errors():
    with pytest.raises(TypeError, match="axis must be an integer or a list"):
        BatchNormalization(axis="last")
    with pytest.raises(ValueError, match="axis 4"):
        BatchNormalization(axis=4)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="must name axes of a sample"):
        BatchNormalization(axis=[1, -1])(np.ones((2, 3)))
    with pytest.raises(ValueError, match="renorm"):
        BatchNormalization(renorm=True)
    assert BatchNormalization(synchronized=True).get_config()["synchronized"] is True
